"""All that a report tells, gathered in one pass over the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.sampling import RowSample
from aedetect.engine.callbacks import Callback
from aedetect.io.source import Input
from aedetect.scoring.scorers import series_session
from aedetect.scoring.threshold import ThresholdPolicy
from aedetect.tasks.drift.collector import DriftCollector
from aedetect.tasks.drift.results import ColumnDrift, Drift
from aedetect.tasks.evaluate import EvaluateRequest, Evaluation, evaluate
from aedetect.tasks.evaluate.evaluate import label_reader
from aedetect.tasks.evaluate.sentences import accepted
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.projection import Point, ProjectionKind, row_map
from aedetect.tasks.ranked_rows import RankedRow
from aedetect.tasks.report.attribution import AttributionTotals, ColumnAttribution
from aedetect.tasks.report.bins import ScoreHistogram, ScoreTimeline
from aedetect.tasks.report.groups import GroupedRows, RowGroup, ShownRow, grouped
from aedetect.tasks.report.outcomes import (
    CALM,
    FALSE_ALARM,
    FLAGGED,
    HIT,
    MISS,
    OUTCOMES,
    OutcomeCounts,
    OutcomeReader,
    WorstMisses,
)
from aedetect.tasks.report.series import EventsPart, events_part
from aedetect.tasks.score_counts import RowCounts
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.suppression import Suppression

TOP = 50
# Rows on the map: those that are not flagged, and of each other outcome.
_MOST_CALM, _MOST_OTHERS = 1200, 300
# How seldom one of all the rows may score so high by chance, to say that it did not.
_CHANCE_OF_ONE = 0.01


@dataclass(frozen=True)
class ReportRequest:
    """What a report is to tell.

    `label` and `positive`: a label column to hold the scores against, and the value that marks an anomaly.
    `top`: how many of the strangest rows or events are explained. `map_kind`: how rows are put on a map.
    `suppression`: what mutes rows.
    """

    label: str | None = None
    positive: str | None = None
    top: int = TOP
    map_kind: ProjectionKind = "pca"
    suppression: Suppression | None = None


@dataclass(frozen=True)
class Findings:
    """What a report is made of. `files`: name and rows of each input, in order.

    `policy`: where the threshold lies, and what it promises. `p_value_limit`: the p-value up to which rows
    are flagged; None where the threshold on the score counts. `outcomes`: rows by outcome. `anomalies`: of
    the labelled anomalies alone, their scores. `misses`: those that look most ordinary, `groups`: all
    flagged rows, last the groups of which none is explained. `drift`: how the rows differ from those of
    training; None for older models, which do not know how these were spread. Where the model knows
    events, they are told, in `events`, and neither single rows nor a map of them. `muted_by`: what muted how
    many rows, which would be flagged otherwise.
    """

    files: list[tuple[str, int]]
    counts: RowCounts
    policy: ThresholdPolicy
    histogram: ScoreHistogram
    anomalies: ScoreHistogram
    timeline: ScoreTimeline
    outcomes: OutcomeCounts
    groups: list[RowGroup]
    misses: list[ShownRow]
    attribution: list[ColumnAttribution]
    drift: Drift | None
    points: list[Point]
    shown_variance: float | None
    evaluation: Evaluation | None
    warnings: list[str] = field(default_factory=list)
    events: EventsPart | None = None
    p_value_limit: float | None = None
    muted_by: Sequence[Mapping[str, Any]] = ()

    @cached_property
    def strangest(self) -> list[Explanation]:
        """The flagged rows that are explained, the highest score first."""
        rows = [row.explanation for group in self.groups for row in group.rows]
        return sorted(rows, key=lambda one: -(one.score or 0.0))

    @cached_property
    def threshold(self) -> float:
        return self.policy.value

    @property
    def limit(self) -> float | None:
        """The score above which rows are flagged; None where p-values decide."""
        return self.threshold if self.p_value_limit is None else None

    @property
    def share(self) -> float:
        return self.counts.anomalies / self.counts.rows if self.counts.rows else 0.0

    @property
    def drifting(self) -> list[ColumnDrift]:
        """The columns that were compared with training: drifted ones first, then by stability index."""
        columns = self.drift.columns if self.drift is not None else ()
        return sorted(columns, key=lambda column: (not column.drifted, -(column.psi or 0.0)))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what `report --json` says of the rows."""
        counts = self.counts
        return {
            "rows": counts.rows,
            "normal": counts.normal,
            "anomalies": counts.anomalies,
            "unscorable": counts.unscorable,
            "warmup": counts.warmup,
            "muted": counts.muted,
            "muted_by": list(self.muted_by),
            "threshold": self.threshold,
            **({} if self.events is None else {"p_value_limit": self.p_value_limit}),
            "verdict": verdict(self),
            "warnings": self.warnings,
        }


def gather(
    fitted: FittedModel, inputs: Sequence[Input], request: ReportRequest, callback: Callback | None = None
) -> Findings:
    """Score the inputs and keep what a report needs: bins and samples, never all rows.

    With a label the rows are also held against their labels, in a second pass. Raises DataError,
    ModelError or UsageError where inputs or columns cannot be used.
    """
    callback = callback or Callback()
    # Labels are checked first: a mistake in their name shows before the long pass, not after.
    evaluation = labels = None
    if request.label:
        asked = EvaluateRequest(request.label, request.positive)
        evaluation, labels = evaluate(fitted, inputs, asked, callback), label_reader(fitted, asked)
    session = series_session(fitted, inputs, request.suppression)
    reader = OutcomeReader(labels, remember=session is not None)
    pass_ = _Pass(fitted, request.top, reader, of_rows=session is None)
    passed = score_inputs(fitted, inputs, pass_.see, callback, session, request.suppression)
    callback.stage("explaining")
    events = events_part(fitted, session, request.top, reader.marks) if session else None
    points, explained_variance = pass_.map(request.map_kind)
    groups, misses = pass_.explained()
    label_warnings = evaluation.warnings if evaluation else []
    return Findings(
        files=[(source.name, pass_.rows.get(index, 0)) for index, source in enumerate(inputs)],
        counts=passed.counts,
        policy=fitted.threshold_policy,
        histogram=pass_.histogram,
        anomalies=pass_.anomalies,
        timeline=pass_.timeline,
        outcomes=reader.counts,
        groups=groups,
        misses=misses,
        attribution=pass_.attribution.ranking(),
        drift=pass_.drift(),
        points=points,
        shown_variance=explained_variance,
        evaluation=evaluation,
        warnings=[
            *passed.warnings,
            *(text for text in label_warnings if text not in passed.warnings),
            *_of_groups(fitted),
        ],
        events=events,
        p_value_limit=fitted.alarm_rule.rate if fitted.alarm_rule else None,
        muted_by=passed.muted_by,
    )


def _of_groups(fitted: FittedModel) -> list[str]:
    """What is to be known of the charts of a model whose groups have thresholds of their own."""
    thresholds = fitted.group_thresholds
    if thresholds is None or thresholds.is_by_hand:
        return []
    return [
        f"each group has a threshold of its own, {thresholds.in_words}; in the charts, scores are scaled so "
        f"that all of them lie at {fitted.threshold:.3g}"
    ]


class _Pass:
    """What is counted of each batch; `of_rows`: whether single rows are told and put on a map."""

    def __init__(self, fitted: FittedModel, top: int, reader: OutcomeReader, of_rows: bool):
        self._fitted, self._reader, self._of_rows = fitted, reader, of_rows
        self.histogram, self.anomalies = ScoreHistogram(fitted.threshold), ScoreHistogram(fitted.threshold)
        self.timeline = ScoreTimeline()
        self._groups, self._misses = GroupedRows(fitted, top), WorstMisses()
        self._drift = DriftCollector(fitted)
        self._samples = [RowSample(_MOST_CALM if one == CALM else _MOST_OTHERS) for one in OUTCOMES]
        self.rows: dict[int, int] = {}
        self.attribution = AttributionTotals(fitted.columns)
        self._sources: list[Input] = []

    def see(self, batch: ScoredBatch) -> None:
        if not self._sources or self._sources[-1] is not batch.source:
            self._sources.append(batch.source)
        place = len(self._sources) - 1
        self.rows[place] = self.rows.get(place, 0) + len(batch.rows)
        scores, outcomes = batch.scores, self._reader.read(batch)
        before = self.timeline.rows + 1
        charted = self._fitted.on_one_scale(scores.scores, scores.encoded.groups)
        self.histogram.add(charted)
        self.anomalies.add(charted[(outcomes == HIT) | (outcomes == MISS)])
        self.timeline.add(charted, outcomes)
        self._drift.add_batch(batch.rows, scores)
        self.attribution.add(scores)
        if not self._of_rows:
            return
        self._groups.see(batch, outcomes, place)
        self._misses.see(batch, outcomes)
        for outcome, sample in zip(OUTCOMES, self._samples, strict=True):
            of = np.flatnonzero((outcomes == outcome) & ~scores.unscorable)
            sample.add(before, scores.scores, scores.encoded.matrix, of)

    def explained(self) -> tuple[list[RowGroup], list[ShownRow]]:
        """The groups of flagged rows, and the worst misses; the strangest rows of them are explained."""
        bins, missed = self._groups.bins(), self._misses.ranking()
        if not (bins or missed):
            return [], []
        explainer = Explainer(self._fitted)

        def shown(row: RankedRow, outcome: int) -> ShownRow:
            row_shown = ShownRow(explainer.explain(row, f"row {row.row:,}"), outcome)
            return replace(row_shown, side=self._groups.side(row, row_shown.column))

        return grouped(bins, shown), [shown(row, MISS) for row in missed]

    def map(self, kind: ProjectionKind) -> tuple[list[Point], float | None]:
        return row_map(self._fitted, self._samples, kind)

    def drift(self) -> Drift | None:
        self._drift.merge_part()
        return self._drift.verdict()


def headline(findings: Findings) -> str:
    """The verdict in a sentence."""
    counts = findings.counts
    if not counts.rows:
        return "There are no rows."
    if findings.events:
        return findings.events.verdict(_ordinary(counts))
    if not counts.anomalies:
        ordinary = _ordinary(counts)
        return f"{ordinary[0].upper()}{ordinary[1:]}."
    verb = "does" if counts.anomalies == 1 else "do"
    return (
        f"{counts.anomalies:,} of {counts.rows:,} rows ({findings.share:.2%}) {verb} "
        "not look like the training data."
    )


def _ordinary(counts: RowCounts) -> str:
    """What is said where no row is flagged: of those that have a score, and of no others."""
    scored = counts.rows - counts.unscorable - counts.muted
    if not scored and counts.muted:
        return "no row with a score is left that is not muted"
    if not scored:
        return "the one row has no score" if counts.rows == 1 else f"none of {counts.rows:,} rows has a score"
    whose = " with a score" if counts.unscorable else ""
    whose += f" that {'are' if scored > 1 else 'is'} not muted" if counts.muted else ""
    if scored == 1:
        return f"the one row{whose} does not look out of the ordinary"
    return f"none of {scored:,} rows{whose} looks out of the ordinary"


def remark(findings: Findings) -> str:
    """What to make of the verdict; empty where there is nothing to add."""
    counts = findings.counts
    said = []
    rate = findings.policy.promised_rate
    # Rows of a window are flagged together: of events, no share of the rows says whether they are chance.
    if findings.events is not None and findings.events.labelled is not None:
        said.append(findings.events.labelled.sentence)
    elif findings.evaluation is not None:
        said.append(_by_labels(findings.outcomes))
    elif counts.anomalies and rate is not None and findings.events is None:
        said.append(_against(findings, rate))
    if rate is None:
        said.append(f"{accepted(findings.policy).capitalize()}.")
    if counts.muted:
        each = [f"{entry['kind']} {entry['name']}: {entry['rows']:,}" for entry in findings.muted_by]
        one, several = "row would be flagged and is muted", "rows would be flagged and are muted"
        said.append(f"{_counted(counts.muted, one, several)} ({', '.join(each)}).")
    if counts.warmup:
        one, several = "warm-up row comes too early in its", "warm-up rows come too early in their"
        said.append(f"{_counted(counts.warmup, one, several)} series to have a score.")
    if lost := counts.unscorable - counts.warmup:
        said.append(f"{lost:,} {'row' if lost == 1 else 'rows'} could not be scored.")
    return " ".join(said)


def verdict(findings: Findings) -> str:
    """The report in two sentences or three."""
    return f"{headline(findings)} {remark(findings)}".strip()


def _by_labels(outcomes: OutcomeCounts) -> str:
    """What the labels say of the rows that were flagged, and of those that were not."""
    hits, false, missed, unknown = (outcomes[one] for one in (HIT, FALSE_ALARM, MISS, FLAGGED))
    lost = outcomes.unscorable_anomalies
    flagged = []
    if hits or false or unknown:
        flagged = [_counted(hits, "of the flagged rows is a hit", "of the flagged rows are hits")]
        flagged.append(_counted(false, "a false alarm", "false alarms"))
    if unknown:
        flagged.append(_counted(unknown, "has no label", "have no label"))
    if not (hits or missed or lost):
        alarms = f"; {_counted(false, 'false alarm', 'false alarms')}" if false else ""
        return f"By the labels, no row is an anomaly{alarms}."
    text = _counted(missed, "labelled row was missed", "labelled rows were missed")
    text = f"{_listed(flagged)}; {text}" if flagged else text
    return f"By the labels, {text} and {lost:,} could not be scored." if lost else f"By the labels, {text}."


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _against(findings: Findings, rate: float) -> str:
    """The share flagged against that which normal rows alone would give."""
    share, rows = findings.share, findings.counts.rows
    error = (rate * (1 - rate) / rows) ** 0.5
    if share > rate + 3 * error:
        return (
            f"Normal rows alone would give about {rate:.2%}: this is {share / rate:,.1f} times as many, "
            "so most of them are worth a look."
            if share > 2 * rate
            else f"That is more than the {rate:.2%} that normal rows alone would give."
        )
    usual = f"Normal rows alone would give about {rate:.2%}"
    beyond = sum(
        one.duplicates
        for one in findings.strangest
        if one.p_value is not None and one.p_value * rows <= _CHANCE_OF_ONE
    )
    if not beyond:
        return f"{usual}, so that many may well be chance."
    if beyond >= findings.counts.anomalies:
        return f"{usual}, but hardly ever a score as high as {'this' if beyond == 1 else 'these'}."
    scores = "scores" if beyond == 1 else "score"
    return f"{usual}, so that many may well be chance, but {beyond:,} of them {scores} too high for that."
