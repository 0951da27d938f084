"""The table of events: one row each, instead of thousands of flagged rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aedetect.io.write import open_sink
from aedetect.scoring.result_columns import blame
from aedetect.scoring.series import SeriesJudge

if TYPE_CHECKING:
    import pyarrow as pa


def event_table(judge: SeriesJudge) -> pa.Table:
    """Events by series and time.

    Columns: `anomaly_event`, those of the entity, `start`, `end` and `peak` (UTC), `rows` flagged,
    `peak_score`, `p_value` (that of the peak), `features` (of the columns that contributed most, their
    mean share as JSON).
    """
    import pyarrow as pa

    events = judge.events
    stamp = pa.timestamp("ms", tz="UTC")

    def instants(rows: list[int]) -> pa.Array:
        return pa.array((judge.seconds[rows] * 1000).round().astype(np.int64), pa.int64()).cast(stamp)

    peaks = [event.peak for event in events]
    columns: dict[str, pa.Array] = {"anomaly_event": pa.array([event.number for event in events], pa.int64())}
    for place, name in enumerate(judge.entity):
        columns[name] = pa.array([judge.names[event.series][place] for event in events], pa.string())
    return pa.table(
        {
            **columns,
            "start": instants([int(event.rows[0]) for event in events]),
            "end": instants([int(event.rows[-1]) for event in events]),
            "peak": instants(peaks),
            "rows": pa.array([len(event.rows) for event in events], pa.int64()),
            "peak_score": pa.array(judge.scores[peaks]),
            "p_value": pa.array(judge.p_values[peaks]),
            "features": pa.array(
                [blame(judge.shares(event.rows), judge.columns, judge.top) for event in events], pa.string()
            ),
        }
    )


def write_events(judge: SeriesJudge, path: str) -> None:
    """Write the events to `path`, in the format of its suffix. Raises OutputError where that fails."""
    table = event_table(judge)
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
