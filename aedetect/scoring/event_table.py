"""The table of events: one row each, instead of thousands of flagged rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.entities import Name
from aedetect.data.series.timestamps import Clock
from aedetect.io.write import open_sink
from aedetect.scoring.adoptions import Adoption
from aedetect.scoring.blame import top_attribution
from aedetect.scoring.events import Event
from aedetect.scoring.silences import Silence


class NamedSeries(Protocol):
    """Series whose rows have times, and columns that name them."""

    @property
    def entity(self) -> Sequence[str]: ...

    @property
    def clock(self) -> Clock: ...


class ScoredSeries(NamedSeries, Protocol):
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
    def columns(self) -> list[str]: ...

    @property
    def top(self) -> int: ...

    def shares(self, rows: Integers) -> Matrix: ...


# What an event is: flagged rows, or the lack of rows.
KIND, ANOMALY, SILENCE = "kind", "anomaly", "silence"


def event_table(scored: ScoredSeries, silences: Sequence[Silence] = ()) -> pa.Table:
    """Events by series and time, and silences, each before the next event of its series.

    Columns: `anomaly_event`, those of the entity, `start`, `end` and `peak` (as the data has them: in the
    zone that they name or that was given, without one where there is none; steps as numbers), `rows` flagged,
    `peak_score`, `p_value` (that of the peak), `features` (of the columns that contributed most, their mean
    share as JSON), `adopted_after_seconds` (from the start until what lasted counted as normal; null where it
    did not last), `kind` ('anomaly' or 'silence'). A silence is from the row before it to the row after it;
    its `end` is null where none has come, its `rows` are 0, and it has no number, as no row can bear one.
    """
    numbers = {name: number for number, name in enumerate(scored.names)}
    order = [(event.series, float(scored.seconds[event.rows[0]])) for event in scored.found_events]
    table, last = _anomalies(scored), len(numbers)
    return with_silences(table, order, silences, lambda name: numbers.get(name, last), scored)


def with_silences(
    anomalies: pa.Table,
    order: Sequence[tuple[Any, float]],
    silences: Sequence[Silence],
    place_of: Callable[[Name], Any],
    named: NamedSeries,
) -> pa.Table:
    """The events, and silences, each before the next event of its series.

    `order`: of each event, its series, as something that sorts and that `place_of` gives of a name, and its
    start in seconds.
    """
    if not silences:
        return anomalies
    table = pa.concat_tables([anomalies, _silences(named, silences, anomalies.schema)])
    places = [*order, *((place_of(one.name), one.start) for one in silences)]
    return table.take(sorted(range(len(table)), key=places.__getitem__))


def _silences(named: NamedSeries, silences: Sequence[Silence], schema: pa.Schema) -> pa.Table:
    instants = _Instants(named.clock)
    columns: dict[str, pa.Array] = {
        name: pa.array([one.name[place] for one in silences], pa.string())
        for place, name in enumerate(named.entity)
    }
    columns |= {
        "start": instants.of([one.start for one in silences]),
        "end": instants.of([one.end for one in silences]),
        "rows": pa.array([0] * len(silences), pa.int64()),
        KIND: pa.array([SILENCE] * len(silences), pa.string()),
    }
    none = {field.name: pa.nulls(len(silences), field.type) for field in schema if field.name not in columns}
    return pa.table({field.name: (columns | none)[field.name] for field in schema}, schema)


@dataclass(frozen=True)
class _Instants:
    """Instants as the data have them: in the zone of their clock, or as numbers of steps."""

    clock: Clock

    def of(self, seconds: Sequence[float | None]) -> pa.Array:
        """Instants, of seconds since 1970 (or steps); null where None."""
        if self.clock.kind == "count":
            return pa.array(seconds, pa.float64())
        milliseconds = [None if each is None else round(each * 1000) for each in seconds]
        return pa.array(milliseconds, pa.int64()).cast(pa.timestamp("ms", tz=self.clock.stamp_zone))


def _anomalies(scored: ScoredSeries) -> pa.Table:
    events = scored.found_events

    def instants(rows: list[int]) -> pa.Array:
        return _Instants(scored.clock).of(scored.seconds[rows].tolist())

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
            KIND: pa.array([ANOMALY] * len(events), pa.string()),
        }
    )


def anomalies_alone(table: pa.Table) -> pa.Table:
    """The events that are of flagged rows, without silences."""
    return table.filter(pc.equal(table[KIND], ANOMALY))


def count_anomalies(table: pa.Table) -> int:
    """How many of the events are of flagged rows."""
    return len(anomalies_alone(table))


def write_events(table: pa.Table, path: str) -> None:
    """Write the events to `path`, in the format of its suffix. Raises OutputError where that fails."""
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
