"""Rows that calendars name: they are read past in every pass, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import Config
from aedetect.config.names import no_column
from aedetect.data import any_type, cells
from aedetect.data.arrays import AnyArray, Floats, Integers, Mask
from aedetect.data.plans.entries import Plan
from aedetect.data.plans.planned_times import Columns, PlannedTimes, Span, read_plans
from aedetect.data.plans.row_clock import RowClock, lenient_clock
from aedetect.data.plans.sentences import no_entry, taken_as_utc, timeless, times_are_bare
from aedetect.data.series.clock_detection import find_clock
from aedetect.data.series.entities import Entities
from aedetect.data.series.timestamps import Clock, TimeReader, joined
from aedetect.errors import UsageError
from aedetect.io.completed import CompletedInput
from aedetect.io.selected import SelectedInput
from aedetect.io.source import Input, InputAround, batch_rows

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_NAMED = 5
# The name of the plan of events that people called anomalies, which no file bears.
NOTED = "(feedback)"
Locate = Callable[[int], str]


@dataclass(frozen=True)
class PlanRequest:
    """Files of plans whose rows are not learned; `time_of`: a table's column that says when rows were.

    `noted`: events of series that people called anomalies, as a plan. `time_zone`: of tables, that of times
    which name none; None for what the settings say.
    """

    calendars: Sequence[Path] = ()
    time_of: str | None = None
    noted: Plan | None = None
    time_zone: str | None = None

    def over(self, inputs: Sequence[Input], config: Config) -> list[Input]:
        """The inputs, whose planned rows are read past by `profiling.chunks`.

        Raises UsageError or DataError for what does not fit the inputs, and for plans that cannot be read.
        """
        if not self.calendars and self.time_of is not None:
            raise UsageError("--time-of goes with --calendar, whose entries it is held against")
        if not self.calendars and self.noted is None:
            return list(inputs)
        series = config.series
        names = list(dict.fromkeys(name for source in inputs for name in source.open(1024).schema.names))
        columns = self._time_columns(config, names)
        plans = [*read_plans(self.calendars), *([self.noted] if self.noted is not None else ())]
        known = Columns(series.entity) if series.time is not None else Columns(all=names)
        for plan in plans:
            known.check(plan)
        zone = self.time_zone if series.time is None else None
        learning = Learning(plans, known, tuple(columns), config, zone or series.time_zone)
        return [PlannedInput(source, learning) for source in inputs]

    def _time_columns(self, config: Config, names: Sequence[str]) -> list[str]:
        if config.series.time is not None:
            if self.time_of is not None:
                raise UsageError("--time-of is for tables; of time series --time names the column")
            return config.series.time_columns
        if self.time_of is None:
            raise UsageError(
                "--calendar: which column says when a row was? name it with --time-of COLUMN; where the rows "
                "are time series, with --time COLUMN"
            )
        if self.time_of not in names:
            raise UsageError(no_column("--time-of", self.time_of, names))
        return [self.time_of]


@dataclass
class Learning:
    """What tells planned rows of all inputs of a training; the clock is that of the first rows."""

    plans: Sequence[Plan]
    columns: Columns
    time_columns: tuple[str, ...]
    config: Config
    time_zone: str | None = None
    clock: Clock | None = None
    _times: PlannedTimes | None = field(default=None, repr=False)

    @property
    def rules(self) -> cells.CellRules:
        """How cells are read before anything is known of the columns."""
        return cells.CellRules(self.config.data.decimal, tuple(self.config.data.na_values))

    @property
    def of_series(self) -> bool:
        """Whether the rows are time series."""
        return self.config.series.time is not None

    def times(self, batch: pa.RecordBatch, locate: Locate) -> tuple[Clock, PlannedTimes]:
        """The clock, told from a first batch, and the plans by it."""
        if self.clock is None:
            settings, rules = self.config.series, self.rules
            array = joined([batch.column(name) for name in self.time_columns], rules)
            find = find_clock if self.of_series else lenient_clock
            self.clock = find(self.time_columns, array, rules, settings.time_format, self.time_zone, locate)
        if self._times is None:
            self._times = PlannedTimes(self.plans, self.columns, self._zone(self.clock))
        return self.clock, self._times

    def __getstate__(self) -> dict[str, Any]:
        # What is worked out as rows come, another process works out for itself.
        return {**self.__dict__, "_times": None}

    def _zone(self, clock: Clock) -> str:
        # Events of notes are at instants as the clock counts them; calendars alone need dates.
        counted = clock.kind == "count" and all(plan.name == NOTED for plan in self.plans)
        return "UTC" if counted else RowClock(clock).zone


@dataclass
class PlannedCounts:
    """Of one pass over an input: planned rows by plan and name, when its rows were, and rows without a time.

    `first`: where the first planned row stands, by whether it is of an event called an anomaly;
    `first_timeless`: the first row without a time.
    """

    names: Counter[tuple[str, str]] = field(default_factory=Counter)
    begin: float = np.inf
    end: float = -np.inf
    first: dict[bool, str] = field(default_factory=dict)
    timeless: int = 0
    first_timeless: str | None = None


@dataclass
class PlannedInput(InputAround):
    """An input of which some rows are planned; `counts` are those of the last whole pass."""

    source: Input
    learning: Learning
    counts: PlannedCounts = field(default_factory=PlannedCounts)


class PlannedPass:
    """One pass over an input: which rows of each batch are planned, and the counts of the pass."""

    def __init__(self, source: PlannedInput):
        self._source, self._learning = source, source.learning
        self._entities = Entities(self._learning.columns.entity)
        self._reader: TimeReader | None = None
        self.counts = PlannedCounts()

    def planned(self, batch: pa.RecordBatch, numbers: Integers) -> Mask:
        """Which rows [rows] of a batch, in order, are planned; `numbers` [rows]: theirs in the input."""
        locate = partial(self._locate, numbers)
        if not len(batch):
            return np.empty(0, dtype=np.bool_)
        clock, times = self._learning.times(batch, locate)
        seconds = self._seconds(clock, batch, locate)
        spans, places = times.of_rows(seconds, partial(self._texts, batch))
        self._count(spans, places, seconds, numbers)
        return np.asarray(places >= 0)

    def end(self) -> None:
        """The input was read to its end."""
        self._source.counts = self.counts

    def _seconds(self, clock: Clock, batch: pa.RecordBatch, locate: Locate) -> Floats:
        rules = self._learning.rules
        array = clock.cells_of(batch, rules)
        if not self._learning.of_series:
            return RowClock(clock).seconds(array, rules, locate)
        self._reader = self._reader or TimeReader(clock)
        return self._reader.times(array, self._entities.number(batch, rules), rules, locate).seconds

    def _texts(self, batch: pa.RecordBatch, column: str) -> AnyArray:
        return any_type.texts(batch, column, self._learning.rules)

    def _locate(self, numbers: Integers, index: int) -> str:
        source = self._source
        return f"{source.name}: {source.locate(int(numbers[index]))}"

    def _count(self, spans: Sequence[Span], places: Integers, seconds: Floats, numbers: Integers) -> None:
        counts, known = self.counts, seconds[~np.isnan(seconds)]
        if len(known):
            counts.begin, counts.end = min(counts.begin, known.min()), max(counts.end, known.max())
        each = np.bincount(places[places >= 0], minlength=len(spans)).tolist()
        for span, rows in zip(spans, each, strict=True):
            counts.names[span.plan, span.name] += rows
        where = self._source.source
        for noted in (False, True):
            of_kind = [place for place, span in enumerate(spans) if (span.plan == NOTED) == noted]
            within = np.isin(places, of_kind)
            if within.any() and noted not in counts.first:
                counts.first[noted] = f"{where.locate(int(numbers[within.argmax()]))} of {where.name}"
        timeless = np.isnan(seconds)
        counts.timeless += int(timeless.sum())
        if timeless.any() and counts.first_timeless is None:
            counts.first_timeless = f"{where.locate(int(numbers[timeless.argmax()]))} of {where.name}"


def opened_pass(source: Input) -> PlannedPass | None:
    """A pass over an input of which some rows are planned; None for others."""
    return PlannedPass(source) if isinstance(source, PlannedInput) else None


def settle_clock(inputs: Sequence[Input], config: Config) -> None:
    """Tell the clock of planned inputs from the first rows of all, before any of them is read elsewhere."""
    for source in inputs:
        if not isinstance(source, PlannedInput) or source.learning.clock is not None:
            return
        reader = source.open(batch_rows(config, len(source.open(1024).schema)))
        first = next((batch for batch in reader.batches() if len(batch)), None)
        if first is not None:
            PlannedPass(source).planned(first, np.arange(1, len(first) + 1))
            return


def planned_counts(sources: Iterable[tuple[int, Input]]) -> dict[int, PlannedCounts]:
    """The counts of the last pass over each input of which some rows are planned, by its place."""
    return {place: source.counts for place, source in sources if isinstance(source, PlannedInput)}


def keep_counts(inputs: Sequence[Input], counts: Mapping[int, PlannedCounts]) -> None:
    """Have the counts of a pass that was made elsewhere."""
    for place, source in enumerate(inputs):
        if isinstance(source, PlannedInput) and place in counts:
            source.counts = counts[place]


def bare(source: Input) -> Input:
    """The input that was given, without what was put around it."""
    while isinstance(source, (CompletedInput, PlannedInput, SelectedInput)):
        source = source.source
    return source


def planned_rows(inputs: Sequence[Input]) -> dict[str, int]:
    """How many rows calendars, and events called anomalies, left out, by reason; of what was asked for."""
    planned = [source for source in inputs if isinstance(source, PlannedInput)]
    if not planned:
        return {}
    plans = {plan.name for plan in planned[0].learning.plans}
    names: Counter[tuple[str, str]] = sum((source.counts.names for source in planned), Counter())
    noted = sum(rows for (plan, _), rows in names.items() if plan == NOTED)
    return {
        **({"calendar": names.total() - noted} if plans - {NOTED} else {}),
        **({"feedback": noted} if NOTED in plans else {}),
    }


def planned_notices(inputs: Sequence[Input]) -> Iterator[str]:
    """What is said of planned rows, of plans without one, and of rows without a time."""
    planned = [source for source in inputs if isinstance(source, PlannedInput)]
    if not planned:
        return
    names: Counter[tuple[str, str]] = sum((source.counts.names for source in planned), Counter())
    for noted, where in ((False, "within the calendar"), (True, "of events called anomalies")):
        of_kind = Counter({key: rows for key, rows in names.items() if (key[0] == NOTED) == noted and rows})
        if of_kind:
            count = of_kind.total()
            listed = [f"{name} {rows:,}" for (_, name), rows in of_kind.most_common(_MOST_NAMED)]
            more = f" and {len(of_kind) - _MOST_NAMED} more" if len(of_kind) > _MOST_NAMED else ""
            first = next(source.counts.first[noted] for source in planned if noted in source.counts.first)
            yield (
                f"left out of training: {count:,} row{'s' * (count != 1)} {where} "
                f"({', '.join(listed)}{more}); {'it' if count == 1 else 'the first'} is {first}"
            )
    yield from _of_plans(planned, {plan for plan, _ in names})


def _of_plans(planned: Sequence[PlannedInput], touched: Collection[str]) -> Iterator[str]:
    learning = planned[0].learning
    clock, counts = learning.clock, [source.counts for source in planned]
    if clock is None:
        return
    begin, end = min(each.begin for each in counts), max(each.end for each in counts)
    for plan in learning.plans:
        if plan.name == NOTED:
            continue
        if plan.name not in touched:
            yield no_entry(plan.name, name_of_all(planned), clock, begin, end)
        if plan.names_zones and times_are_bare(clock):
            yield taken_as_utc(plan.name, clock)
    missing = sum(each.timeless for each in counts)
    if missing and not learning.of_series:
        first = next(each.first_timeless for each in counts if each.first_timeless)
        yield timeless(
            missing, learning.time_columns[0], first, "are learned from" if missing > 1 else "is learned from"
        )


def name_of_all(inputs: Sequence[Input]) -> str:
    """What messages call all inputs together: 'a.csv', 'a.csv and 2 more'."""
    return inputs[0].name if len(inputs) == 1 else f"{inputs[0].name} and {len(inputs) - 1} more"
