"""Calendars: flagged rows within an entry are muted by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from aedetect.config.names import did_you_mean, instead
from aedetect.data import any_type
from aedetect.data.arrays import Floats
from aedetect.data.plans.entries import Plan
from aedetect.data.plans.planned_times import Columns, PlannedTimes, Span, Texts, fits
from aedetect.data.plans.row_clock import RowClock, lenient_clock
from aedetect.data.plans.sentences import no_entry, taken_as_utc, timeless, times_are_bare
from aedetect.data.series.timestamps import Clock
from aedetect.errors import DataError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.suppression import FlaggedRows, Reason, SeenRows

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

_FIRST_ROWS = 1024
# Of one column, to tell which value may have been meant.
_MOST_VALUES = 10_000


@dataclass(frozen=True)
class CalendarRequest:
    """The plans that were read; `time_of`: the column that says when a row of a table was, and `time_zone`
    the zone of its times."""

    plans: Sequence[Plan]
    time_of: str | None
    time_zone: str | None


@dataclass
class _Seen:
    """What was seen of an input: when its rows were, which spans they were in, and rows without a time.

    `values`: those of the columns that entries are for.
    """

    begin: float = np.inf
    end: float = -np.inf
    spans: set[Span] = field(default_factory=set)
    values: dict[str, set[str]] = field(default_factory=dict)
    timeless: int = 0
    first_timeless: int = 0

    def take(self, other: _Seen) -> None:
        """Take in what was seen of other rows of the same input."""
        self.begin, self.end = min(self.begin, other.begin), max(self.end, other.end)
        self.spans |= other.spans
        for column, texts in other.values.items():
            already = self.values.setdefault(column, set())
            if len(already) < _MOST_VALUES:
                already |= texts
        if other.timeless:
            first = other.first_timeless
            self.first_timeless = min(first, self.first_timeless) if self.timeless else first
            self.timeless += other.timeless


class CalendarSuppressor:
    """Mutes the rows of one model that are within an entry, and says of inputs what did not apply to them."""

    def __init__(self, fitted: FittedModel, request: CalendarRequest):
        """Raises UsageError and DataError for what does not fit the model."""
        self._fitted, self._request = fitted, request
        self._columns = _columns(fitted, request)
        for plan in request.plans:
            self._columns.check(plan)
        entries = [entry for plan in request.plans for entry in plan.entries]
        wheres = [where for entry in entries for where in self._columns.where(entry)]
        self._of_columns = sorted({column for where in wheres for column, _ in where})
        self._clocks: dict[int, RowClock] = {}
        self._times: dict[str, PlannedTimes] = {}
        self._seen: dict[int, _Seen] = {}
        self._reasons: dict[tuple[Span, str], Reason] = {}
        self._lock = Lock()
        if fitted.series is not None:
            self._of_series = RowClock(fitted.series.state.clock)

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        if flagged.series is not None:
            clock, seconds = self._of_series, flagged.series.seconds
            texts = _texts_of_entity(flagged.series.entity, len(flagged))
        else:
            assert flagged.source is not None
            assert flagged.cells is not None
            clock = self._clock(flagged.source)
            seconds = self._seconds(clock, flagged.source, flagged.cells, 1)
            texts = self._texts(flagged.cells)
        spans, places = self._planned(clock).of_rows(seconds, texts)
        each = [self._reason(span, clock.clock) for span in spans]
        return [each[place] if place >= 0 else None for place in places.tolist()]

    def watch(self, rows: SeenRows) -> None:
        if rows.cells is None:
            assert rows.seconds is not None
            clock, seconds = self._of_series, rows.seconds
            texts = _texts_of_entity(rows.entity, len(seconds))
        else:
            clock = self._clock(rows.source)
            seconds = self._seconds(clock, rows.source, rows.cells, rows.first)
            texts = self._texts(rows.cells)
        spans, _ = self._planned(clock).of_rows(seconds, texts)
        values = {column: set(np.unique(texts(column).astype(str)).tolist()) for column in self._of_columns}
        known, missing = seconds[~np.isnan(seconds)], np.isnan(seconds)
        now = _Seen(spans=set(spans), values=values)
        if len(known):
            now.begin, now.end = known.min(), known.max()
        if missing.any():
            now.timeless, now.first_timeless = int(missing.sum()), rows.first + int(missing.argmax())
        self.take(rows.source, now)

    def seen(self, source: Input) -> _Seen | None:
        return self._seen.get(id(source))

    def take(self, source: Input, seen: _Seen) -> None:
        with self._lock:
            self._seen.setdefault(id(source), _Seen()).take(seen)

    def notices(self, source: Input) -> list[str]:
        seen = self._seen.get(id(source))
        if seen is None:
            return []
        row_clock = self._of_series if self._fitted.series is not None else self._clock(source)
        clock, said = row_clock.clock, []
        for plan in self._request.plans:
            touched = any(span.plan == plan.name for span in seen.spans)
            others = [] if touched else self._unmet(row_clock, plan, seen)
            said += [f"{source.name}: {text}" for text in others]
            if not (touched or others or self._is_between(row_clock, plan, seen)):
                said.append(no_entry(plan.name, source.name, clock, seen.begin, seen.end))
            if plan.names_zones and times_are_bare(clock):
                said.append(f"{source.name}: {taken_as_utc(plan.name, clock)}")
        if seen.timeless and self._fitted.series is None:
            first = f"{source.locate(seen.first_timeless)}"
            outcome = "stay flagged where they are" if seen.timeless > 1 else "stays flagged where it is"
            said.append(f"{source.name}: {timeless(seen.timeless, clock.column, first, outcome)}")
        return said

    def _is_between(self, clock: RowClock, plan: Plan, seen: _Seen) -> bool:
        """Whether an input lies between two entries of a plan: an ordinary day."""
        if not np.isfinite(seen.begin):
            return False
        first, last = (_year(end) for end in (seen.begin, seen.end))
        years = range(first - 1, last + 2)
        spans = [
            span for year in years for span in self._planned(clock).of_year(year) if span.plan == plan.name
        ]
        return any(span.end <= seen.begin for span in spans) and any(span.start > seen.end for span in spans)

    def _unmet(self, clock: RowClock, plan: Plan, seen: _Seen) -> list[str]:
        """Of entries within the times of an input that are for values which no row of it has."""
        if not np.isfinite(seen.begin):
            return []
        said: dict[str, None] = {}
        for year in range(_year(seen.begin), _year(seen.end) + 1):
            for span in self._planned(clock).of_year(year):
                if span.plan != plan.name or span.end <= seen.begin or span.start > seen.end:
                    continue
                for column, pattern in span.where:
                    known = seen.values.get(column, set())
                    if not fits(np.array(sorted(known), dtype=object), pattern).any():
                        hint = did_you_mean(pattern, known)
                        said[f"{span.place}: no row has {pattern!r} in column {column!r}{hint}"] = None
        return list(said)

    def _clock(self, source: Input) -> RowClock:
        """How the times of an input of a table are read."""
        with self._lock:
            if id(source) not in self._clocks:
                self._clocks[id(source)] = RowClock(self._clock_of(source))
            return self._clocks[id(source)]

    def _clock_of(self, source: Input) -> Clock:
        column, zone, schema = self._request.time_of, self._request.time_zone, self._fitted.schema
        assert column is not None
        learned = self._fitted.config.series
        reader = source.open(_FIRST_ROWS)
        if column not in reader.schema.names:
            others = instead(column, reader.schema.names)
            raise DataError(f"{source.name}: has no column {column!r}, which --time-of names{others}")
        known = schema.dates.get(column)
        if known is not None:
            return known if zone is None else known.model_copy(update={"zone": zone})
        first = next(iter(reader.batches()), None)
        if first is None:
            return Clock(columns=(column,), kind="text", zone=zone)
        return lenient_clock(
            [column], first.column(column), schema.rules, learned.time_format, zone or learned.time_zone,
            lambda index: f"{source.name}: {source.locate(index + 1)}",
        )  # fmt: skip

    def _seconds(self, clock: RowClock, source: Input, rows: pa.RecordBatch, first: int) -> Floats:
        cells, rules = rows.column(clock.clock.columns[0]), self._fitted.schema.rules
        return clock.seconds(cells, rules, lambda index: f"{source.name}: row {first + index:,}")

    def _texts(self, rows: pa.RecordBatch) -> Texts:
        rules = self._fitted.schema.rules
        return lambda column: any_type.texts(rows, column, rules)

    def _planned(self, clock: RowClock) -> PlannedTimes:
        with self._lock:
            if clock.zone not in self._times:
                self._times[clock.zone] = PlannedTimes(self._request.plans, self._columns, clock.zone)
            return self._times[clock.zone]

    def _reason(self, span: Span, clock: Clock) -> Reason:
        key = span, clock.zone_name
        if key not in self._reasons:
            text = f"within {span.name!r} of {span.plan}, {clock.stretch(span.start, span.end)}"
            self._reasons[key] = Reason("calendar", span.name, text)
        return self._reasons[key]


def _columns(fitted: FittedModel, request: CalendarRequest) -> Columns:
    """The columns that entries may name. Raises UsageError for a --time-of that does not fit the model."""
    if fitted.series is not None:
        clock = fitted.series.state.clock
        if request.time_of is not None:
            raise UsageError(
                f"--time-of is for tables; the model's rows are time series by column {clock.column!r}"
            )
        if request.time_zone is not None:
            raise UsageError("--time-zone is said in training, where the rows are time series")
        return Columns(fitted.series.state.entity)
    names = [column.name for column in fitted.input_schema.columns]
    if request.time_of is None:
        dated = fitted.schema.names("datetime")
        hint = f", such as --time-of {dated[0]}" if dated else ""
        raise UsageError(
            f"--calendar: the model's rows are no time series; name the column that says when a row was: "
            f"--time-of COLUMN{hint}"
        )
    return Columns(all=names)


def _texts_of_entity(entity: Mapping[str, str], count: int) -> Texts:
    return lambda column: np.full(count, entity.get(column, ""), dtype=object)


def _year(seconds: float) -> int:
    """The year of an instant, in UTC."""
    return int(np.datetime64(int(seconds), "s").astype("datetime64[Y]").astype(int)) + 1970
