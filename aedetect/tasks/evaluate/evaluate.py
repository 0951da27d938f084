"""How good a fitted model is on labelled rows: what `aedetect evaluate` measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import DataConfig
from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.inputs import Data, as_inputs
from aedetect.io.source import Input
from aedetect.scoring.scorers import series_session
from aedetect.tasks.evaluate.by_event import SeriesFigures, series_figures
from aedetect.tasks.evaluate.curves import Line, p_value_shares
from aedetect.tasks.evaluate.metrics.at_threshold import (
    Verdict,
    at_best_f1,
    at_threshold,
    f1_interval,
    share_interval,
)
from aedetect.tasks.evaluate.metrics.paired import Difference, auroc_difference, mcnemar, precision_difference
from aedetect.tasks.evaluate.metrics.ranking import (
    Interval,
    ScoreTable,
    auroc,
    average_precision,
    with_interval,
)
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.fitted import FittedModel

ALERT_RATES = (0.001, 0.01, 0.05)
# Segments beyond the largest ones are judged together.
MOST_SEGMENTS = 50
OTHERS = "(others)"
NO_SEGMENT = "(missing)"
_UNLABELLED = -1
_SHOWN_VALUES = 5

Marks = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True)
class Judged:
    """Labelled rows with their scores, and the figures that follow from them.

    Shapes: scores (finite) and labels [rows]. `promised`: the alert rate of the threshold, or None
    where it was set by hand.
    """

    scores: Floats
    labels: Mask
    threshold: float
    promised: float | None

    @property
    def rows(self) -> int:
        return len(self.labels)

    @property
    def anomalies(self) -> int:
        return int(self.labels.sum())

    @cached_property
    def table(self) -> ScoreTable:
        return ScoreTable.of(self.scores, self.labels)

    @cached_property
    def auroc(self) -> Interval | None:
        """None where there are only anomalies or only normal rows."""
        return with_interval(auroc, self.table) if self.table.has_both else None

    @cached_property
    def average_precision(self) -> Interval | None:
        """None where there are only anomalies or only normal rows."""
        return with_interval(average_precision, self.table) if self.table.has_both else None

    @cached_property
    def verdict(self) -> Verdict:
        return at_threshold(self.table, self.threshold)

    @property
    def f1(self) -> Interval:
        return f1_interval(self.verdict)

    @cached_property
    def best(self) -> Verdict | None:
        return at_best_f1(self.table) if self.table.has_both else None

    @property
    def false_alarms(self) -> Interval:
        """Share of normal rows flagged, with its binomial interval."""
        return share_interval(self.verdict.false_alarms, self.rows - self.anomalies)

    @property
    def promise(self) -> str | None:
        """Whether the false-alarm rate is as promised: 'kept', 'broken', or 'undecided'.

        'broken' where even the interval's low end is above the promised rate, 'kept' where the
        rate found is not above it, None where nothing was promised or there are no normal rows.
        """
        found = self.false_alarms
        if self.promised is None or np.isnan(found.value):
            return None
        if found.low > self.promised:
            return "broken"
        return "kept" if found.value <= self.promised else "undecided"


@dataclass(frozen=True)
class Comparison:
    """Two detectors on the rows that both could score; differences are second less first."""

    first: Judged
    judged: Judged
    auroc: Difference
    average_precision: Difference
    only_first_right: int
    only_second_right: int
    p_value: float
    series: SeriesFigures | None = None


@dataclass(frozen=True)
class Evaluation:
    """All that labels say of a model.

    `rows` are all rows read, `judged` those with label and score. `p_value_shares`: of the normal
    ones, the share with a p-value of at most x, as lists of x and shares. `series`: of time series, the
    figures by event.
    """

    judged: Judged
    at_rates: dict[float, Verdict]
    segments: dict[str, Judged]
    comparison: Comparison | None
    rows: int
    unlabelled: int
    unscorable: int
    label: str
    p_value_shares: Line
    warnings: list[str] = field(default_factory=list)
    series: SeriesFigures | None = None


def evaluate(
    fitted: FittedModel,
    data: Data,
    *,
    label: str | None = None,
    positive: str | None = None,
    by: str | None = None,
    compare: FittedModel | None = None,
    alert_rates: Sequence[float] = ALERT_RATES,
    callback: Callback | None = None,
) -> Evaluation:
    """Score `data` and hold the scores against its label column.

    `label` and `positive` default to those the model was trained with. Labels are truth values
    (0/1, true/false, yes/no) or, with `positive`, any text. Rows without a label are left out. Keeps a
    few numbers of each row in memory. Raises UsageError for columns that are not there, DataError
    for labels that cannot be read.
    """
    settings = fitted.config.data
    if label is None and positive is None:
        positive = settings.positive
    label = label if label is not None else settings.label
    if label is None:
        raise UsageError("which column marks the anomalies? give --label COLUMN")
    inputs = as_inputs(data, settings)
    gathered = _gather(fitted, inputs, _Labels(label, positive, settings), by, callback)
    usable = gathered.labels != _UNLABELLED
    scored = usable & np.isfinite(gathered.scores)
    if not scored.any():
        raise DataError(f"{inputs[0].name}: no row has both a label in column {label!r} and a score")
    judged = _judged(fitted, gathered, scored)
    found = Evaluation(
        judged,
        {rate: at_threshold(judged.table, fitted.calibration.threshold(rate)) for rate in alert_rates},
        _segments(fitted, gathered, scored) if by is not None else {},
        None if compare is None else _compared(fitted, gathered, scored, compare, inputs, callback),
        len(usable),
        int((~usable).sum()),
        int((usable & ~scored).sum()),
        label,
        p_value_shares(fitted.calibration.p_values(judged.scores[~judged.labels])),
        gathered.warnings,
        gathered.by_event,
    )
    if not judged.anomalies:
        said = f"no row is labelled as an anomaly in column {label!r}"
        if gathered.values:
            said += f"; its values are {gathered.values}"
        found.warnings.append(said)
    elif judged.anomalies == judged.rows:
        found.warnings.append(f"all rows are labelled as anomalies in column {label!r}")
    return found


@dataclass
class _Gathered:
    scores: Floats
    labels: Marks
    segments: Integers
    names: list[str]
    values: str
    warnings: list[str]
    by_event: SeriesFigures | None


@dataclass(frozen=True)
class _Labels:
    """Reads the label column: 1 anomaly, 0 normal, -1 no label."""

    column: str
    positive: str | None
    settings: DataConfig
    values: Counter[str] = field(default_factory=Counter)

    def read(self, seen: ScoredBatch) -> Marks:
        array = column_of(seen, self.column, "--label")
        rules = cells.CellRules(self.settings.decimal, tuple(self.settings.na_values), "0.1.0")
        if self.positive is not None:
            import pyarrow.compute as pc

            names = cells.categories(array, rules)
            if len(self.values) <= _SHOWN_VALUES:
                self.values.update(str(value) for value in names.unique().to_pylist() if value is not None)
            marked = pc.fill_null(pc.cast(pc.equal(names, self.positive), "int8"), _UNLABELLED)
            return np.asarray(marked.to_numpy(zero_copy_only=False), dtype=np.int8)
        read = cells.booleans(array, rules)
        if read.bad.any():
            index = int(read.bad.argmax())
            raise DataError(
                f"{seen.source.name}: {seen.source.locate(seen.first + index)}, column {self.column!r}: "
                f"{array[index].as_py()!r} is not a boolean; "
                "say with --positive which value marks an anomaly"
            )
        return np.asarray(np.nan_to_num(read.values, nan=_UNLABELLED), dtype=np.int8)

    @property
    def told(self) -> str:
        shown = ", ".join(repr(value) for value in list(self.values)[:_SHOWN_VALUES])
        return shown + (", …" if len(self.values) > _SHOWN_VALUES else "")


def column_of(seen: ScoredBatch, name: str, option: str) -> pa.Array:
    """A column of a batch. Raises UsageError, with the option that named it, where there is none."""
    names = seen.rows.schema.names
    if name not in names:
        raise UsageError(
            f"{option}: no column named {name!r} in {seen.source.name}; there are: {', '.join(names[:20])}"
        )
    return seen.rows.column(name)


def _gather(
    fitted: FittedModel, inputs: Sequence[Input], labels: _Labels, by: str | None, callback: Callback | None
) -> _Gathered:
    scores: list[Floats] = []
    marks: list[Marks] = []
    codes: list[Integers] = []
    places: dict[str, int] = {}

    def see(seen: ScoredBatch) -> None:
        scores.append(seen.scores.scores)
        marks.append(labels.read(seen))
        if by is not None:
            names = cells.categories(column_of(seen, by, "--by"), fitted.schema.rules).dictionary_encode()
            own = [
                places.setdefault(NO_SEGMENT if name is None else name, len(places))
                for name in [*names.dictionary.to_pylist(), None]
            ]
            index = names.indices.fill_null(len(own) - 1).to_numpy(zero_copy_only=False)
            codes.append(np.array(own, dtype=np.int64)[index])

    session = series_session(fitted, inputs)
    sight = score_inputs(fitted, inputs, see, callback, session)
    nothing = np.empty(0)
    read = np.concatenate([nothing, *marks]).astype(np.int8)
    return _Gathered(
        np.concatenate([nothing, *scores]),
        read,
        np.concatenate([nothing, *codes]).astype(np.int64),
        list(places),
        labels.told,
        sight.warnings,
        series_figures(session, read == 1, read != _UNLABELLED) if session else None,
    )


def _judged(fitted: FittedModel, gathered: _Gathered, rows: Mask) -> Judged:
    return Judged(
        gathered.scores[rows],
        gathered.labels[rows] == 1,
        fitted.threshold,
        fitted.threshold_policy.promised_rate,
    )


def _segments(fitted: FittedModel, gathered: _Gathered, scored: Mask) -> dict[str, Judged]:
    """The largest segments by name, in order of size, and the others as one."""
    sizes = np.bincount(gathered.segments[scored], minlength=len(gathered.names))
    order = [int(code) for code in np.argsort(-sizes, kind="stable") if sizes[code]]
    found = {
        gathered.names[code]: _judged(fitted, gathered, scored & (gathered.segments == code))
        for code in order[:MOST_SEGMENTS]
    }
    rest = scored & np.isin(gathered.segments, order[MOST_SEGMENTS:])
    if rest.any():
        found[OTHERS] = _judged(fitted, gathered, rest)
    return found


def _compared(
    fitted: FittedModel,
    gathered: _Gathered,
    scored: Mask,
    other: FittedModel,
    inputs: Sequence[Input],
    callback: Callback | None,
) -> Comparison:
    scores: list[Floats] = []
    session = series_session(other, inputs)
    score_inputs(other, inputs, lambda seen: scores.append(seen.scores.scores), callback, session)
    theirs = replace(gathered, scores=np.concatenate(scores))
    both = scored & np.isfinite(theirs.scores)
    first, second = _judged(fitted, gathered, both), _judged(other, theirs, both)
    labels = first.labels
    return Comparison(
        first,
        second,
        auroc_difference(first.scores, second.scores, labels),
        precision_difference(first.scores, second.scores, labels),
        *mcnemar(first.scores > first.threshold, second.scores > second.threshold, labels),
        series_figures(session, gathered.labels == 1, gathered.labels != _UNLABELLED) if session else None,
    )
