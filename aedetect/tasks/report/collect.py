"""All that a report tells, gathered in one pass over the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.sampling import RowSample
from aedetect.engine.callbacks import Callback
from aedetect.io.source import Input
from aedetect.scoring.scorers import series_session
from aedetect.tasks.evaluate import Evaluation, evaluate
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.ranked_rows import TopRows
from aedetect.tasks.report.bins import ScoreHistogram, Timeline
from aedetect.tasks.report.rowmap import MOST_FLAGGED, MOST_POINTS, MapKind, Point, row_map
from aedetect.tasks.report.series import SeriesPart, series_part
from aedetect.tasks.report.shift import Shift, Shifts
from aedetect.tasks.score_counts import RowCounts
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

TOP = 50


@dataclass(frozen=True)
class ColumnAttribution:
    """Over the flagged rows: a column's mean share of the error, and how often it is the largest."""

    column: str
    share: float
    first: int


@dataclass(frozen=True)
class Gathered:
    """What a report is made of. `files`: name and rows of each input, in order.

    Of time series events are told, in `series`, and neither single rows nor a map of them.
    """

    files: list[tuple[str, int]]
    counts: RowCounts
    threshold: float
    alert_rate: float | None
    histogram: ScoreHistogram
    timeline: Timeline
    strangest: list[Explanation]
    blame: list[ColumnAttribution]
    shifts: list[Shift]
    points: list[Point]
    shown_variance: float | None
    map_kind: MapKind
    evaluation: Evaluation | None
    warnings: list[str] = field(default_factory=list)
    series: SeriesPart | None = None

    @property
    def share(self) -> float:
        return self.counts.anomalies / self.counts.rows if self.counts.rows else 0.0


def gather(
    fitted: FittedModel,
    inputs: Sequence[Input],
    *,
    label: str | None = None,
    positive: str | None = None,
    top: int = TOP,
    map_kind: MapKind = "pca",
    callback: Callback | None = None,
) -> Gathered:
    """Score the inputs and keep what a report needs: bins and samples, never all rows.

    With `label` the rows are also held against their labels, in a second pass. Raises DataError,
    ModelError or UsageError where inputs or columns cannot be used.
    """
    callback = callback or Callback()
    # Labels are checked first: a mistake in their name shows before the long pass, not after.
    judged = (
        evaluate(fitted, list(inputs), label=label, positive=positive, callback=callback) if label else None
    )
    pass_ = _Pass(fitted, top)
    session = series_session(fitted, inputs)
    sight = score_inputs(fitted, inputs, pass_.see, callback, session)
    callback.stage("explaining")
    series = series_part(fitted, session, top) if session else None
    explainer = Explainer(fitted)
    points, shown = ([], None) if series else row_map(fitted, pass_.normal, pass_.flagged, map_kind)
    return Gathered(
        [(source.name, pass_.rows.get(index, 0)) for index, source in enumerate(inputs)],
        sight.counts,
        fitted.threshold,
        fitted.threshold_policy.promised_rate,
        pass_.histogram,
        pass_.timeline,
        [explainer.explain(found, f"row {found.row:,}") for found in pass_.strangest.found()],
        pass_.blame(fitted.columns, sight.counts.anomalies),
        pass_.shifts.found(),
        points,
        shown,
        map_kind,
        judged,
        sight.warnings + [text for text in (judged.warnings if judged else []) if text not in sight.warnings],
        series,
    )


class _Pass:
    """What is counted of each batch."""

    def __init__(self, fitted: FittedModel, top: int):
        self.histogram = ScoreHistogram(fitted.threshold)
        self.timeline = Timeline()
        self.strangest = TopRows(top, flagged_only=True)
        self.shifts = Shifts(fitted.encoder)
        # Of series, events are told instead of rows, and what was encoded is not kept.
        self._encoder = fitted.encoder if fitted.series else None
        self.normal, self.flagged = RowSample(MOST_POINTS), RowSample(MOST_FLAGGED)
        self.rows: dict[int, int] = {}
        width = len(fitted.columns)
        self._shares: Floats = np.zeros(width)
        self._first = np.zeros(width, dtype=np.int64)
        self._sources: list[Input] = []

    def see(self, seen: ScoredBatch) -> None:
        if not self._sources or self._sources[-1] is not seen.source:
            self._sources.append(seen.source)
        place = len(self._sources) - 1
        self.rows[place] = self.rows.get(place, 0) + len(seen.rows)
        scores = seen.scores
        before = self.timeline.rows + 1
        self.histogram.add(scores.scores)
        self.timeline.add(scores.scores, scores.flagged)
        scorable, flagged = ~scores.unscorable, np.flatnonzero(scores.flagged)
        if self._encoder is not None:
            self.shifts.add(self._encoder.transform(seen.rows).matrix[scorable])
        else:
            matrix = scores.encoded.matrix
            self.strangest.see(seen)
            self.shifts.add(matrix[scorable])
            self.normal.add(before, scores.scores, matrix, np.flatnonzero(scorable & ~scores.flagged))
            self.flagged.add(before, scores.scores, matrix, flagged)
        if len(flagged):
            self._shares += scores.attribution[flagged].sum(axis=0)
            self._first += np.bincount(scores.attribution[flagged].argmax(axis=1), minlength=len(self._first))

    def blame(self, columns: Sequence[str], flagged: int) -> list[ColumnAttribution]:
        found = [
            ColumnAttribution(name, float(share) / max(flagged, 1), int(first))
            for name, share, first in zip(columns, self._shares, self._first, strict=True)
        ]
        return sorted(found, key=lambda column: -column.share)


def headline(found: Gathered) -> str:
    """The verdict in a sentence."""
    counts = found.counts
    if not counts.rows:
        return "There are no rows."
    if found.series:
        return found.series.verdict(counts.rows)
    if not counts.anomalies:
        return f"None of {counts.rows:,} rows looks out of the ordinary."
    verb = "does" if counts.anomalies == 1 else "do"
    return (
        f"{counts.anomalies:,} of {counts.rows:,} rows ({found.share:.2%}) {verb} "
        "not look like the training data."
    )


def remark(found: Gathered) -> str:
    """What to make of the verdict; empty where there is nothing to add."""
    counts = found.counts
    said = []
    if counts.anomalies and found.alert_rate is not None and not found.series:
        said.append(_against(found.share, found.alert_rate, counts.rows))
    if counts.warmup:
        said.append(f"{counts.warmup:,} rows come too early in their series to have a score.")
    if lost := counts.unscorable - counts.warmup:
        said.append(f"{lost:,} {'row' if lost == 1 else 'rows'} could not be scored.")
    return " ".join(said)


def verdict(found: Gathered) -> str:
    """The report in two sentences or three."""
    return f"{headline(found)} {remark(found)}".strip()


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
