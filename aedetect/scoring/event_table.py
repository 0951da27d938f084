"""The table of events: one row each, instead of thousands of flagged rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.entities import Name
from aedetect.data.series.timestamps import Clock
from aedetect.io.write import open_sink
from aedetect.scoring.adoptions import Adoption
from aedetect.scoring.blame import top_attribution
from aedetect.scoring.events import Event


class ScoredSeries(Protocol):
    """What the table asks of scored series. Shapes: [rows], over all of them."""

    found_events: list[Event]
    seconds: Floats
    scores: Floats
    p_values: Floats

    @property
    def adoptions(self) -> Mapping[tuple[int, int], Adoption]: ...

    @property
    def names(self) -> Sequence[Name]: ...

    @property
    def entity(self) -> Sequence[str]: ...

    @property
    def columns(self) -> list[str]: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def top(self) -> int: ...

    def shares(self, rows: Integers) -> Matrix: ...


def event_table(scored: ScoredSeries) -> pa.Table:
    """Events by series and time.

    Columns: `anomaly_event`, those of the entity, `start`, `end` and `peak` (as the data has them: in the
    zone that they name or that was given, without one where there is none; steps as numbers), `rows` flagged,
    `peak_score`, `p_value` (that of the peak), `features` (of the columns that contributed most, their mean
    share as JSON), `adopted_after_seconds` (from the start until what lasted counted as normal; null where it
    did not last).
    """
    events = scored.found_events
    stamp = pa.timestamp("ms", tz=scored.clock.stamp_zone)
    counted = scored.clock.kind == "count"

    def instants(rows: list[int]) -> pa.Array:
        if counted:
            return pa.array(scored.seconds[rows], pa.float64())
        return pa.array((scored.seconds[rows] * 1000).round().astype(np.int64), pa.int64()).cast(stamp)

    adoptions = [scored.adoptions.get((event.series, event.number)) for event in events]
    peaks = [event.peak for event in events]
    columns: dict[str, pa.Array] = {"anomaly_event": pa.array([event.number for event in events], pa.int64())}
    for place, name in enumerate(scored.entity):
        columns[name] = pa.array([scored.names[event.series][place] for event in events], pa.string())
    return pa.table(
        {
            **columns,
            "start": instants([int(event.rows[0]) for event in events]),
            "end": instants([int(event.rows[-1]) for event in events]),
            "peak": instants(peaks),
            "rows": pa.array([len(event.rows) for event in events], pa.int64()),
            "peak_score": pa.array(scored.scores[peaks]),
            "p_value": pa.array(scored.p_values[peaks]),
            "features": pa.array(
                [top_attribution(scored.shares(event.rows), scored.columns, scored.top) for event in events],
                pa.string(),
            ),
            "adopted_after_seconds": pa.array(
                [adoption.seconds if adoption else None for adoption in adoptions], pa.int64()
            ),
        }
    )


def write_events(table: pa.Table, path: str) -> None:
    """Write the events to `path`, in the format of its suffix. Raises OutputError where that fails."""
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
