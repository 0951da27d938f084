"""All that a report tells, gathered in one pass over the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from aedetect.tasks.evaluate.sentences import accepted
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.projection import Point, ProjectionKind, row_map
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.report.attribution import AttributionTotals, ColumnAttribution
from aedetect.tasks.report.bins import ScoreHistogram, ScoreTimeline
from aedetect.tasks.report.series import EventsPart, events_part
from aedetect.tasks.score_counts import RowCounts
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

TOP = 50
# Rows on the map.
_MOST_CALM, _MOST_FLAGGED = 1200, 300


@dataclass(frozen=True)
class ReportRequest:
    """What a report is to tell.

    `label` and `positive`: a label column to hold the scores against, and the value that marks an anomaly.
    `top`: how many of the strangest rows or events are explained. `map_kind`: how rows are put on a map.
    """

    label: str | None = None
    positive: str | None = None
    top: int = TOP
    map_kind: ProjectionKind = "pca"


@dataclass(frozen=True)
class Findings:
    """What a report is made of. `files`: name and rows of each input, in order.

    `policy`: where the threshold lies, and what it promises. `p_value_limit`: the p-value up to which rows
    are flagged; None where the threshold on the score counts. `drift`: how the rows differ from those of
    training; None for older models, which do not know how these were spread. Where the model knows
    events, they are told, in `events`, and neither single rows nor a map of them.
    """

    files: list[tuple[str, int]]
    counts: RowCounts
    policy: ThresholdPolicy
    histogram: ScoreHistogram
    timeline: ScoreTimeline
    strangest: list[Explanation]
    attribution: list[ColumnAttribution]
    drift: Drift | None
    points: list[Point]
    shown_variance: float | None
    evaluation: Evaluation | None
    warnings: list[str] = field(default_factory=list)
    events: EventsPart | None = None
    p_value_limit: float | None = None

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
    evaluation = None
    if request.label:
        evaluation = evaluate(fitted, inputs, EvaluateRequest(request.label, request.positive), callback)
    session = series_session(fitted, inputs)
    pass_ = _Pass(fitted, request.top, of_rows=session is None)
    passed = score_inputs(fitted, inputs, pass_.see, callback, session)
    callback.stage("explaining")
    events = events_part(fitted, session, request.top) if session else None
    points, explained_variance = pass_.map(request.map_kind)
    label_warnings = evaluation.warnings if evaluation else []
    return Findings(
        [(source.name, pass_.rows.get(index, 0)) for index, source in enumerate(inputs)],
        passed.counts,
        fitted.threshold_policy,
        pass_.histogram,
        pass_.timeline,
        pass_.explained(),
        pass_.attribution.ranking(),
        pass_.drift(),
        points,
        explained_variance,
        evaluation,
        passed.warnings + [text for text in label_warnings if text not in passed.warnings],
        events,
        fitted.alarm_rule.rate if fitted.alarm_rule else None,
    )


class _Pass:
    """What is counted of each batch; `of_rows`: whether single rows are told and put on a map."""

    def __init__(self, fitted: FittedModel, top: int, of_rows: bool):
        self._fitted, self._of_rows = fitted, of_rows
        self.histogram = ScoreHistogram(fitted.threshold)
        self.timeline = ScoreTimeline()
        self._strangest = TopRows(top, flagged_only=True)
        self._drift = DriftCollector(fitted)
        self._calm, self._flagged = RowSample(_MOST_CALM), RowSample(_MOST_FLAGGED)
        self.rows: dict[int, int] = {}
        self.attribution = AttributionTotals(fitted.columns)
        self._sources: list[Input] = []

    def see(self, batch: ScoredBatch) -> None:
        if not self._sources or self._sources[-1] is not batch.source:
            self._sources.append(batch.source)
        place = len(self._sources) - 1
        self.rows[place] = self.rows.get(place, 0) + len(batch.rows)
        scores = batch.scores
        before = self.timeline.rows + 1
        self.histogram.add(scores.scores)
        self.timeline.add(scores.scores, scores.flagged)
        self._drift.add_batch(batch.rows, scores)
        self.attribution.add(scores)
        if self._of_rows:
            matrix = scores.encoded.matrix
            self._strangest.see(batch)
            self._calm.add(
                before, scores.scores, matrix, np.flatnonzero(~scores.unscorable & ~scores.flagged)
            )
            self._flagged.add(before, scores.scores, matrix, np.flatnonzero(scores.flagged))

    def explained(self) -> list[Explanation]:
        """The strangest rows, explained."""
        ranked = self._strangest.ranking()
        if not ranked:
            return []
        explainer = Explainer(self._fitted)
        return [explainer.explain(row, f"row {row.row:,}") for row in ranked]

    def map(self, kind: ProjectionKind) -> tuple[list[Point], float | None]:
        return row_map(self._fitted, self._calm, self._flagged, kind)

    def drift(self) -> Drift | None:
        self._drift.merge_part()
        return self._drift.verdict()


def headline(findings: Findings) -> str:
    """The verdict in a sentence."""
    counts = findings.counts
    if not counts.rows:
        return "There are no rows."
    if findings.events:
        return findings.events.verdict(counts.rows)
    if not counts.anomalies:
        return f"None of {counts.rows:,} rows looks out of the ordinary."
    verb = "does" if counts.anomalies == 1 else "do"
    return (
        f"{counts.anomalies:,} of {counts.rows:,} rows ({findings.share:.2%}) {verb} "
        "not look like the training data."
    )


def remark(findings: Findings) -> str:
    """What to make of the verdict; empty where there is nothing to add."""
    counts = findings.counts
    said = []
    rate = findings.policy.promised_rate
    # Rows of a window are flagged together: of events, no share of the rows says whether they are chance.
    if counts.anomalies and rate is not None and findings.events is None:
        said.append(_against(findings.share, rate, counts.rows))
    if rate is None:
        said.append(f"{accepted(findings.policy).capitalize()}.")
    if counts.warmup:
        said.append(f"{counts.warmup:,} rows come too early in their series to have a score.")
    if lost := counts.unscorable - counts.warmup:
        said.append(f"{lost:,} {'row' if lost == 1 else 'rows'} could not be scored.")
    return " ".join(said)


def verdict(findings: Findings) -> str:
    """The report in two sentences or three."""
    return f"{headline(findings)} {remark(findings)}".strip()


def _against(share: float, rate: float, rows: int) -> str:
    """The share flagged against that which normal rows alone would give."""
    error = (rate * (1 - rate) / rows) ** 0.5
    if share > rate + 3 * error:
        return (
            f"Normal rows alone would give about {rate:.2%}: this is {share / rate:,.1f} times as many, "
            "so most of them are worth a look."
            if share > 2 * rate
            else f"That is more than the {rate:.2%} that normal rows alone would give."
        )
    return f"Normal rows alone would give about {rate:.2%}, so these may well be chance."
