"""Rules: an alarm is muted where rules say of every column to blame that its change does not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aedetect.config.names import matching, no_column, unmatched
from aedetect.config.rules import Rule, before_where
from aedetect.data import any_type
from aedetect.data.arrays import AnyArray, Integers, Mask
from aedetect.data.plans.planned_times import fits
from aedetect.data.series.timestamps import span
from aedetect.errors import ModelError, UsageError
from aedetect.scoring.blame import blamed_columns
from aedetect.scoring.reconstruction import Reconstruction, ScoredSeries
from aedetect.scoring.suppression import FlaggedRows, Reason, SeriesRows
from aedetect.tasks.explain.explain import NO_NORMAL_ROWS
from aedetect.tasks.explain.format import shown
from aedetect.tasks.explain.rows import Explainer
from aedetect.tasks.explain.series_values import SeriesValues, farthest
from aedetect.tasks.explain.units import Units

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

# Columns whose cells are names, which a pattern may be held against.
_SCOPED_ROLES = ("id", "categorical", "boolean", "text", "label", "constant", "ignored")
_NUMERIC = "numeric"


@dataclass(frozen=True)
class Change:
    """A number beside what was expected, NaN where it is not known; the texts are those of `explain`."""

    seen: float
    expected: float
    seen_text: str
    expected_text: str

    @property
    def is_known(self) -> bool:
        """Whether there are two numbers to compare."""
        return not (np.isnan(self.seen) or np.isnan(self.expected))


Changes = Callable[[str], Change]


@dataclass(frozen=True)
class AppliedRule:
    """A rule under a model: the blamed columns that it speaks of, and those of them that are numbers."""

    rule: Rule
    columns: frozenset[str]
    numbers: frozenset[str]

    def verdict(self, column: str, changes: Changes, lasted: float) -> str | None:
        """Why an alarm does not count for one column to blame; None where it does.

        `lasted`: seconds of its event.
        """
        rule = self.rule
        if column not in self.columns:
            return None
        if rule.direction == "never":
            return f"{shown(column)} never counts"
        if rule.least_duration is not None and lasted < rule.least_duration:
            how_long = f"lasted {span(lasted)}" if lasted else "is of one instant"
            return f"the alarm {how_long}, and {shown(column)} counts from {span(rule.least_duration)} on"
        if column not in self.numbers or not rule.of_numbers:
            return None
        change = changes(column)
        if not change.is_known:
            return None
        return self._of_change(column, change)

    def _of_change(self, column: str, change: Change) -> str | None:
        rule, away = self.rule, change.seen - change.expected
        what = f"{shown(column)} is {change.seen_text}, where {change.expected_text} was expected, and"
        if rule.direction == "above" and away <= 0:
            return f"{what} it counts only above that"
        if rule.direction == "below" and away >= 0:
            return f"{what} it counts only below that"
        if rule.least is not None and abs(away) < rule.least * (abs(change.expected) if rule.relative else 1):
            return f"{what} it counts from a change of {rule.least_text} on"
        return None


class RuleSuppressor:
    """Mutes the rows of one model whose every blamed column is ruled out."""

    def __init__(self, fitted: FittedModel, rules: Sequence[Rule]):
        """Raises UsageError for rules that do not fit the model, ModelError where it knows too little."""
        self._fitted = fitted
        self._rules = [_applied(fitted, rule) for rule in rules]
        self._explainer: Explainer | None = None
        compares = any(each.rule.of_numbers for each in self._rules)
        if compares and fitted.series is None:
            self._explainer = Explainer(fitted)
            if not self._explainer.knows_normal_rows:
                raise ModelError(f"{self._rules[0].rule.origin}: {NO_NORMAL_ROWS}")

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        if flagged.series is not None:
            return self._of_series(flagged, flagged.series)
        inside = [self._scope(each.rule, len(flagged), self._texts(flagged)) for each in self._rules]
        return [
            self._reason(
                flagged.blamed(row),
                [each for each, rows in zip(self._rules, inside, strict=True) if rows[row]],
                _TableChanges(self, flagged, row),
                np.inf,
            )
            for row in range(len(flagged))
        ]

    def _of_series(self, flagged: FlaggedRows, series: SeriesRows) -> list[Reason | None]:
        """An event is one alarm, and so is a row of none: it counts as it is where it is farthest off."""
        entity = series.entity
        rules = [
            each
            for each in self._rules
            if self._scope(each.rule, 1, lambda name: np.array([entity.get(name, "")], dtype=object))[0]
        ]
        reasons: list[Reason | None] = [None] * len(flagged)
        if not rules:
            return reasons
        reconstructed = _SeriesChanges(self._fitted, flagged, series)
        for rows in _alarms(series.event):
            shares = flagged.attribution[rows].mean(axis=0)
            blamed = [flagged.columns[place] for place in blamed_columns(shares, flagged.top)]
            reason = self._reason(
                blamed, rules, reconstructed.of(series.places[rows]), series.lasted[rows[0]]
            )
            for row in rows.tolist() if reason is not None else ():
                reasons[row] = reason
        return reasons

    def _reason(
        self, blamed: Sequence[str], rules: Sequence[AppliedRule], changes: Changes, lasted: float
    ) -> Reason | None:
        # Most alarms are blamed on columns of which no rule speaks: nothing is computed of them.
        if not all(any(column in each.columns for each in rules) for column in blamed):
            return None
        said: dict[str, Rule] = {}
        for column in blamed:
            verdicts = ((each.rule, each.verdict(column, changes, lasted)) for each in rules)
            verdict = next(((rule, text) for rule, text in verdicts if text is not None), None)
            if verdict is None:
                return None
            said[verdict[1]] = verdict[0]
        return _reason_of(said)

    def _texts(self, flagged: FlaggedRows) -> Callable[[str], AnyArray]:
        cells, rules = flagged.cells, self._fitted.schema.rules
        assert cells is not None
        return lambda column: any_type.texts(cells, column, rules)

    @staticmethod
    def _scope(rule: Rule, count: int, texts: Callable[[str], AnyArray]) -> Mask:
        """Which of so many rows [rows] a rule speaks of."""
        inside = np.ones(count, dtype=np.bool_)
        for column, patterns in rule.where if count else ():
            values = texts(column)
            inside &= np.logical_or.reduce([fits(values, pattern) for pattern in patterns])
        return inside

    def change(self, flagged: FlaggedRows, row: int, column: str) -> Change:
        """The change of a column of a table's row, as `explain` has it."""
        assert self._explainer is not None
        assert flagged.cells is not None
        assert flagged.encoded is not None
        cells = flagged.cells.slice(row, 1)
        seen, reason = self._explainer.seen(cells, flagged.encoded[row], [column])[column]
        expected = None if reason.expected is None else reason.expected.value
        return Change(
            seen,
            expected if isinstance(expected, float) else np.nan,
            reason.display_value,
            "" if reason.expected is None else reason.expected.text,
        )


@dataclass
class _TableChanges:
    """The changes of the columns of one row of a table."""

    suppressor: RuleSuppressor
    flagged: FlaggedRows
    row: int

    def __call__(self, column: str) -> Change:
        return self.suppressor.change(self.flagged, self.row, column)


class _SeriesChanges:
    """The changes of the columns of one series, rebuilt once they are asked for."""

    def __init__(self, fitted: FittedModel, flagged: FlaggedRows, series: SeriesRows):
        self._fitted, self._series = fitted, series

    def of(self, rows: Integers) -> Changes:
        """Those of an alarm of so many rows."""
        return lambda column: self._change(column, rows)

    def _change(self, name: str, rows: Integers) -> Change:
        column = self._reconstruction.column(name)
        if column is None or column.names:
            return Change(np.nan, np.nan, "", "")
        row = farthest(column, rows)
        seen = self._values.seen(column, row)
        return Change(
            seen,
            float(column.expected[row]),
            self._values.text(column, seen),
            self._values.expected(column, row),
        )

    @cached_property
    def _values(self) -> SeriesValues:
        return SeriesValues(Units(self._fitted.encoder, self._fitted.normal_rows))

    @cached_property
    def _reconstruction(self) -> Reconstruction:
        series, one = self._series, self._series.one
        name = tuple(series.entity.values())
        return Reconstruction(
            self._fitted,
            ScoredSeries(
                one.rows, one.timeline, one.segment_channels, one.gross, [name], series.scores, series.flagged
            ),
        )


def _alarms(event: Integers) -> Iterator[Integers]:
    """The rows of each event, and those of none one by one; `event` [rows]: their numbers, 0 for none."""
    for number in np.unique(event[event > 0]).tolist():
        yield np.flatnonzero(event == number)
    for row in np.flatnonzero(event == 0).tolist():
        yield np.array([row])


def _reason_of(said: Mapping[str, Rule]) -> Reason:
    """By the rule that speaks of the column most to blame; `said`: sentences, with the rule of each."""
    first = next(iter(said.values()))
    texts = [
        text if place and rule is first else f"by rule {rule.name}: {text}"
        for place, (text, rule) in enumerate(said.items())
    ]
    return Reason("rule", first.name, "; ".join(texts))


def _applied(fitted: FittedModel, rule: Rule) -> AppliedRule:
    """Raises UsageError for what a rule says that the model does not know."""
    roles = {column.name: column.role for column in fitted.schema.columns}
    if rule.least_duration is not None and fitted.series is None:
        raise UsageError(f"{rule.origin}: least_duration is for time series, and the model's rows are none")
    columns = _columns(fitted, rule, roles)
    numbers = frozenset(name for name in columns if roles.get(name) == _NUMERIC)
    if rule.of_numbers:
        named = {name for name in rule.columns if name in columns}
        words = sorted(named - numbers) or ([] if numbers else sorted(columns))
        if words:
            what = "direction" if rule.least is None else "least"
            raise UsageError(
                f"{rule.origin}: {what} is for numbers, and column {words[0]!r} is {roles.get(words[0])}; of "
                "such a column a rule can say never, or of series least_duration"
            )
    _check_scope(fitted, rule, roles)
    return AppliedRule(rule, frozenset(columns), numbers)


def _columns(fitted: FittedModel, rule: Rule, roles: Mapping[str, str]) -> set[str]:
    columns = set() if rule.columns else set(fitted.columns)
    for text in rule.columns:
        named = matching(text, fitted.columns)
        if named is None:
            wrong = unmatched(text, fitted.columns)
            if wrong in roles:
                raise UsageError(
                    f"{rule.origin}: column {wrong!r} is {roles[wrong]} and not learned, so that no alarm is "
                    "blamed on it"
                )
            raise UsageError(no_column(rule.origin, wrong, fitted.columns, "in the model"))
        columns.update(named)
    return columns


def _check_scope(fitted: FittedModel, rule: Rule, roles: Mapping[str, str]) -> None:
    if fitted.series is not None:
        known = list(fitted.series.state.entity)
        for column, _ in rule.where:
            if not known:
                raise UsageError(f"{rule.origin}: where names an --entity column, and the model has none")
            if column not in known:
                said = no_column(f"{rule.origin}: where", column, known, "names the model's series")
                raise UsageError(said + before_where(column))
        return
    for column, _ in rule.where:
        if column not in roles:
            said = no_column(f"{rule.origin}: where", column, list(roles), "in the model")
            raise UsageError(said + before_where(column))
        if roles[column] not in _SCOPED_ROLES:
            raise UsageError(
                f"{rule.origin}: where takes columns of names, and column {column!r} is {roles[column]}"
            )
