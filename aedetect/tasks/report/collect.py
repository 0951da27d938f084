"""All that a report tells, gathered in one pass over the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.data.sampling import RowSample
from aedetect.engine.callbacks import Monitor
from aedetect.engine.summary import Counts
from aedetect.io.source import Input
from aedetect.scoring.series import SeriesJudge
from aedetect.tasks.evaluate import Evaluation, evaluate
from aedetect.tasks.explain import Explainer, Explanation
from aedetect.tasks.report.bins import ScoreHistogram, Timeline
from aedetect.tasks.report.rowmap import MOST_FLAGGED, MOST_POINTS, MapKind, Point, row_map
from aedetect.tasks.report.series import SeriesPart, series_part
from aedetect.tasks.report.shift import Shift, Shifts
from aedetect.tasks.scored_rows import Seen, Strangest, look

if TYPE_CHECKING:
    from aedetect.detector import Detector

TOP = 50


@dataclass(frozen=True)
class ColumnBlame:
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
    counts: Counts
    threshold: float
    alert_rate: float | None
    histogram: ScoreHistogram
    timeline: Timeline
    strangest: list[Explanation]
    blame: list[ColumnBlame]
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
    detector: Detector,
    inputs: Sequence[Input],
    *,
    label: str | None = None,
    positive: str | None = None,
    top: int = TOP,
    map_kind: MapKind = "pca",
    monitor: Monitor | None = None,
) -> Gathered:
    """Score the inputs and keep what a report needs: bins and samples, never all rows.

    With `label` the rows are also held against their labels, in a second pass. Raises DataError,
    ModelError or UsageError where inputs or columns cannot be used.
    """
    monitor = monitor or Monitor()
    # Labels are checked first: a mistake in their name shows before the long pass, not after.
    judged = (
        evaluate(detector, list(inputs), label=label, positive=positive, monitor=monitor) if label else None
    )
    pass_ = _Pass(detector, top)
    judge = SeriesJudge(detector, inputs, detector.threshold, keep=True) if detector.series else None
    sight = look(detector, inputs, detector.threshold, pass_.see, monitor, judge)
    monitor.stage("explaining")
    series = series_part(detector, judge, top) if judge else None
    explainer = Explainer(detector)
    points, shown = ([], None) if series else row_map(detector, pass_.normal, pass_.flagged, map_kind)
    settings = detector.config.threshold
    return Gathered(
        [(source.name, pass_.rows.get(index, 0)) for index, source in enumerate(inputs)],
        sight.counts,
        detector.threshold,
        None if settings.value is not None else settings.alert_rate,
        pass_.histogram,
        pass_.timeline,
        [explainer.explain(found, f"row {found.row:,}") for found in pass_.strangest.found()],
        pass_.blame(detector.columns, sight.counts.anomalies),
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

    def __init__(self, detector: Detector, top: int):
        self.histogram = ScoreHistogram(detector.threshold)
        self.timeline = Timeline()
        self.strangest = Strangest(top, flagged_only=True)
        self.shifts = Shifts(detector.encoder)
        # Of series, events are told instead of rows, and what was encoded is not kept.
        self._encoder = detector.encoder if detector.series else None
        self.normal, self.flagged = RowSample(MOST_POINTS), RowSample(MOST_FLAGGED)
        self.rows: dict[int, int] = {}
        width = len(detector.columns)
        self._shares: Floats = np.zeros(width)
        self._first = np.zeros(width, dtype=np.int64)
        self._sources: list[Input] = []

    def see(self, seen: Seen) -> None:
        if not self._sources or self._sources[-1] is not seen.source:
            self._sources.append(seen.source)
        place = len(self._sources) - 1
        self.rows[place] = self.rows.get(place, 0) + len(seen.batch)
        verdicts = seen.verdicts
        before = self.timeline.rows + 1
        self.histogram.add(verdicts.scores)
        self.timeline.add(verdicts.scores, verdicts.flagged)
        scorable, flagged = ~verdicts.unscorable, np.flatnonzero(verdicts.flagged)
        if self._encoder is not None:
            self.shifts.add(self._encoder.transform(seen.batch).matrix[scorable])
        else:
            matrix = verdicts.encoded.matrix
            self.strangest.see(seen)
            self.shifts.add(matrix[scorable])
            self.normal.add(before, verdicts.scores, matrix, np.flatnonzero(scorable & ~verdicts.flagged))
            self.flagged.add(before, verdicts.scores, matrix, flagged)
        if len(flagged):
            self._shares += verdicts.shares[flagged].sum(axis=0)
            self._first += np.bincount(verdicts.shares[flagged].argmax(axis=1), minlength=len(self._first))

    def blame(self, columns: Sequence[str], flagged: int) -> list[ColumnBlame]:
        found = [
            ColumnBlame(name, float(share) / max(flagged, 1), int(first))
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
