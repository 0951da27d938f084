"""How good a fitted model is on labelled rows: what `aedetect evaluate` measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from aedetect.data import any_type
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.features.groups import group_keys, label_of
from aedetect.data.labels import NO_LABEL, LabelReader, Marks, label_rules
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.base import Scores
from aedetect.scoring.group_thresholds import GroupThreshold
from aedetect.tasks.evaluate.by_event import EventFigures, RowVerdicts, event_figures
from aedetect.tasks.evaluate.curves import p_value_shares
from aedetect.tasks.evaluate.labels import check_not_learned, column_of
from aedetect.tasks.evaluate.metrics.at_threshold import Confusion, at_threshold, of_flags
from aedetect.tasks.evaluate.metrics.paired import auroc_difference, mcnemar, precision_difference
from aedetect.tasks.evaluate.passes import scored as scored_pass
from aedetect.tasks.evaluate.results import Comparison, Evaluation, LabelledScores
from aedetect.tasks.scored_rows import PassResult, ScoredBatch, Spread
from aedetect.tasks.spread_series import SpreadRun

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

ALERT_RATES = (0.001, 0.01, 0.05)
# Segments beyond the largest ones are judged together.
MOST_SEGMENTS = 50
OTHERS = "(others)"
NO_SEGMENT = "(missing)"


@dataclass(frozen=True)
class EvaluateRequest:
    """What scores are held against.

    `label` and `positive`: the label column, and the value that marks an anomaly; None for those that the
    model was trained with. `by`: columns whose values, together, are judged apart. `compare`: a second model.
    `alert_rates`: rates beside the model's own to show verdicts at. `spread`: by whom rows are scored, and
    under the second model; None for this process.
    """

    label: str | None = None
    positive: str | None = None
    by: Sequence[str] = ()
    compare: FittedModel | None = None
    alert_rates: Sequence[float] = ALERT_RATES
    spread: tuple[Spread | SpreadRun | None, Spread | SpreadRun | None] = (None, None)


def evaluate(
    fitted: FittedModel, inputs: Sequence[Input], request: EvaluateRequest, callback: Callback | None = None
) -> Evaluation:
    """Score the rows of all inputs and hold the scores against their labels.

    Rows without a label are left out. Keeps a few numbers of each row in memory. Raises UsageError for
    columns that are not there and for a label that a model learned, DataError for labels that cannot
    be read or of which no row has both one and a score, ModelError where an input cannot be used.
    """
    labels = label_reader(fitted, request)
    gathered = _gather(fitted, inputs, labels, request, callback)
    labels.check_read()
    if request.positive is not None:
        labels.check_matched(inputs[0].name)
    usable = gathered.marks != NO_LABEL
    scored = usable & np.isfinite(gathered.scores)
    if not scored.any():
        raise DataError(f"{inputs[0].name}: no row has both a label in column {labels.column!r} and a score")
    judged = _judged(fitted, gathered, scored)
    compared = None
    if request.compare is not None:
        compared = _compared(
            judged, gathered, scored, _Second(request.compare, inputs, callback, request.spread[1])
        )
    evaluation = Evaluation(
        judged,
        {rate: _at_rate(fitted, judged, gathered, scored, rate) for rate in request.alert_rates},
        _segments(fitted, gathered, scored) if request.by else {},
        compared,
        len(usable),
        int((~usable).sum()),
        int((usable & ~scored).sum()),
        labels.column,
        p_value_shares(gathered.p_values[scored][~judged.labels]),
        gathered.passed.warnings,
        gathered.by_event,
        _thresholds_by_segment(fitted, request.by),
        gathered.passed.workers,
    )
    if not judged.anomalies:
        warning = f"no row is labelled as an anomaly in column {labels.column!r}"
        if labels.positive is not None and labels.counts:
            warning += f"; the labels are {labels.values_in_words}"
        evaluation.warnings.append(warning)
    elif judged.anomalies == judged.rows:
        evaluation.warnings.append(f"all rows are labelled as anomalies in column {labels.column!r}")
    return evaluation


@dataclass
class _Gathered:
    """Of all rows: scores, p-values, verdicts, marks and, of `names`, the segment [rows].

    `passed`: what the pass over them came to. `groups` [rows]: the numbers of the model's groups.
    """

    scores: Floats
    p_values: Floats
    flagged: Mask
    marks: Marks
    segments: Integers
    names: list[str]
    passed: PassResult
    by_event: EventFigures | None
    groups: Integers


@dataclass(frozen=True)
class _Second:
    """A second model, to score the same inputs."""

    fitted: FittedModel
    inputs: Sequence[Input]
    callback: Callback | None
    spread: Spread | SpreadRun | None


def label_reader(fitted: FittedModel, request: EvaluateRequest) -> LabelReader:
    """Reads the labels that scores are held against.

    Raises UsageError where none is named, and for one that a model learned.
    """
    settings = fitted.config.data
    label, positive = request.label, request.positive
    if positive is None and label in (None, settings.label):
        positive = settings.positive
    label = label if label is not None else settings.label
    if label is None:
        raise UsageError("which column marks the anomalies? give --label COLUMN")
    check_not_learned(fitted, label)
    if request.compare is not None:
        check_not_learned(request.compare, label, "the second model")
    return LabelReader(label, positive, label_rules(settings))


def _marks(labels: LabelReader, batch: ScoredBatch) -> Marks:
    def locate(index: int) -> str:
        return f"{batch.source.name}: {batch.source.locate(batch.first + index)}"

    return labels.read(column_of(batch, labels.column, "--label"), locate)


def _gather(
    fitted: FittedModel,
    inputs: Sequence[Input],
    labels: LabelReader,
    request: EvaluateRequest,
    callback: Callback | None,
) -> _Gathered:
    by = request.by
    parts: list[Scores] = []
    marks: list[Marks] = []
    codes: list[Integers] = []
    places: dict[str, int] = {}

    def see(batch: ScoredBatch) -> None:
        parts.append(batch.scores)
        marks.append(_marks(labels, batch))
        if by:
            names = _segment_names(fitted, batch, by).dictionary_encode()
            dictionary_codes = [
                places.setdefault(NO_SEGMENT if name is None else name, len(places))
                for name in [*names.dictionary.to_pylist(), None]
            ]
            index = names.indices.fill_null(len(dictionary_codes) - 1).to_numpy(zero_copy_only=False)
            codes.append(np.array(dictionary_codes, dtype=np.int64)[index])

    passed, rows = scored_pass(fitted, inputs, see, callback, request.spread[0])
    nothing = np.empty(0)
    read = np.concatenate([nothing, *marks]).astype(np.int8)
    verdicts = _verdicts(parts)
    return _Gathered(
        verdicts.scores,
        np.concatenate([nothing, *(part.p_values for part in parts)]),
        verdicts.flagged,
        read,
        np.concatenate([nothing, *codes]).astype(np.int64),
        list(places),
        passed,
        event_figures(rows, verdicts, read == 1, read != NO_LABEL) if rows else None,
        np.concatenate([nothing, *(part.encoded.groups for part in parts)]).astype(np.int64),
    )


def _verdicts(parts: Sequence[Scores]) -> RowVerdicts:
    """What is said of all rows, batch after batch; of tables, no row is of an event."""
    nothing = np.empty(0)
    events = [part.events for part in parts if part.events is not None]
    return RowVerdicts(
        np.concatenate([nothing, *(part.scores for part in parts)]),
        np.concatenate([nothing, *(part.flagged for part in parts)]).astype(np.bool_),
        np.concatenate([nothing, *events]).astype(np.int64),
    )


def _segment_names(fitted: FittedModel, batch: ScoredBatch, by: Sequence[str]) -> pa.Array:
    """What the segments of the rows are called [rows], null where a value is missing."""
    columns = [column_of(batch, name, "--by") for name in by]
    if len(by) == 1 and tuple(by) != fitted.schema.groups:
        return any_type.names(columns[0], fitted.schema.rules)
    keys = group_keys(batch.rows, by, fitted.schema.rules)
    return pa.array([None if key is None else label_of(key) for key in keys.to_pylist()], pa.string())


def _thresholds_by_segment(fitted: FittedModel, by: Sequence[str]) -> dict[str, GroupThreshold]:
    """The thresholds of groups by what their segments are called; none of other segments than groups."""
    if fitted.group_thresholds is None or tuple(by) != fitted.schema.groups:
        return {}
    return {one.group: one for one in fitted.group_thresholds.listed()}


def _judged(fitted: FittedModel, gathered: _Gathered, rows: Mask) -> LabelledScores:
    return LabelledScores(
        gathered.scores[rows],
        gathered.marks[rows] == 1,
        gathered.flagged[rows],
        fitted.threshold_policy,
        fitted.group_thresholds is not None and not fitted.group_thresholds.is_by_hand,
    )


def _at_rate(
    fitted: FittedModel, judged: LabelledScores, gathered: _Gathered, scored: Mask, rate: float
) -> Confusion:
    if judged.by_p_value:
        return of_flags(gathered.p_values[scored] <= rate, judged.labels, np.nan)
    adjusted = fitted.with_threshold(alert_rate=rate)
    if adjusted.group_thresholds is not None:
        return of_flags(judged.scores > adjusted.thresholds(gathered.groups[scored]), judged.labels, np.nan)
    return at_threshold(judged.table, adjusted.threshold)


def _segments(fitted: FittedModel, gathered: _Gathered, scored: Mask) -> dict[str, LabelledScores]:
    """The largest segments by name, in order of size, and the others as one."""
    sizes = np.bincount(gathered.segments[scored], minlength=len(gathered.names))
    order = [int(code) for code in np.argsort(-sizes, kind="stable") if sizes[code]]
    segments = {
        gathered.names[code]: _judged(fitted, gathered, scored & (gathered.segments == code))
        for code in order[:MOST_SEGMENTS]
    }
    rest = scored & np.isin(gathered.segments, order[MOST_SEGMENTS:])
    if rest.any():
        segments[OTHERS] = _judged(fitted, gathered, rest)
    return segments


def _compared(judged: LabelledScores, gathered: _Gathered, scored: Mask, other: _Second) -> Comparison:
    parts: list[Scores] = []
    _, rows = scored_pass(
        other.fitted, other.inputs, lambda batch: parts.append(batch.scores), other.callback, other.spread
    )
    verdicts = _verdicts(parts)
    theirs = replace(gathered, scores=verdicts.scores, flagged=verdicts.flagged)
    both = scored & np.isfinite(theirs.scores)
    first = replace(
        judged,
        scores=gathered.scores[both],
        labels=gathered.marks[both] == 1,
        flagged=gathered.flagged[both],
    )
    second = _judged(other.fitted, theirs, both)
    labels = first.labels
    return Comparison(
        first,
        second,
        auroc_difference(first.scores, second.scores, labels),
        precision_difference(first.scores, second.scores, labels),
        *mcnemar(first.flagged, second.flagged, labels),
        event_figures(rows, verdicts, gathered.marks == 1, gathered.marks != NO_LABEL) if rows else None,
    )
