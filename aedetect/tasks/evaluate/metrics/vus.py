"""Volume under the surface: precision and recall of a series' scores that forgive a late or early start.

Paparrizos et al. (2022), Volume Under the Surface: A New Accuracy Evaluation Measure for
Time-Series Anomaly Detection; the figures are those of the TSB-AD benchmark (Liu & Paparrizos, 2024).
"""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.tasks.evaluate.metrics.ranges import Spans, spans

_THRESHOLDS = 250
# The tolerance is chosen as that benchmark does: among these lags, in the beginning of the series.
_LAGS, _MOST_TOLERANCE, _INSPECTED_ROWS = (3, 400), 300, 20_000
_LEAST_PEAK = 3
USUAL_TOLERANCE = 125


def vus_pr(scores: Floats, labels: Mask, window: int) -> float:
    """Area under the precision-recall curve, averaged over tolerances of 0 to `window` steps.

    Shapes: scores and labels [steps]; `window` is the tolerance in steps, half of it on each side
    of an event. Raises ValueError for scores that are not finite and labels without an event.
    """
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if not labels.any():
        raise ValueError("there is no labelled event")
    surface = _Surface(scores, labels)
    return float(np.mean([surface.average_precision(width) for width in range(window + 1)]))


def benchmark_tolerance(values: Floats) -> int:
    """The benchmark's choice of `window` for a channel [steps]: its strongest period, in steps.

    The highest local maximum of the autocorrelation, and 125 where there is none that will do. Not
    `data.series.window_length.period`, which knows when no period is clear: figures are to be
    comparable with those that the benchmark publishes.
    """
    head = np.asarray(values[:_INSPECTED_ROWS], dtype=np.float64)
    centered = head - head.mean()
    spectrum = np.fft.rfft(centered, 2 * len(head))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, 2 * len(head))[: min(len(head), _LAGS[1] + 1)]
    with np.errstate(invalid="ignore"):
        correlation = (correlation / correlation[0])[_LAGS[0] :]
    middle = correlation[1:-1]
    peaks = 1 + np.flatnonzero((middle > correlation[:-2]) & (middle > correlation[2:]))
    if not len(peaks):
        return USUAL_TOLERANCE
    best = int(peaks[correlation[peaks].argmax()])
    return best + _LAGS[0] if _LEAST_PEAK <= best <= _MOST_TOLERANCE else USUAL_TOLERANCE


class _Surface:
    """What all tolerances share: the order of the scores, the thresholds, what each of them flags."""

    def __init__(self, scores: Floats, labels: Mask):
        self.labels = labels
        self.events = spans(labels)
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.levels = ordered[np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(int)]
        self.flagged = np.searchsorted(-ordered, -self.levels, side="right")
        self.inside = self._caught(labels.astype(np.float64))
        # One step more, lower than all: a region may end with the series.
        self.scores = np.append(scores, -np.inf)

    def average_precision(self, width: int) -> float:
        caught = self._caught(self._soft_labels(width))
        # Steps beside an event count half, and only those that are flagged.
        positives = self.labels.sum() + (caught - self.inside) / 2
        recall = np.minimum(caught / positives, 1) * self._regions_touched(width // 2)
        return float((np.diff(recall, prepend=0.0) * caught / self.flagged).sum())

    def _caught(self, worth: Floats) -> Floats:
        return np.asarray(np.cumsum(worth[self.order])[self.flagged - 1])

    def _soft_labels(self, width: int) -> Floats:
        """1 within events, falling off on both sides as √(1 − distance / width)."""
        worth = self.labels.astype(np.float64)
        reach = width // 2
        if not reach:
            return worth
        away = np.arange(1, reach + 1)
        slope = np.sqrt(1 - away / width)
        for start, stop in self.events:
            after = stop - 1 + away
            within = after < len(worth)
            worth[after[within]] += slope[within]
            before = start - away
            within = before >= 0
            worth[before[within]] += slope[within]
        return np.asarray(np.where(self.labels, 1.0, np.minimum(worth, 1.0)))

    def _regions_touched(self, reach: int) -> Floats:
        """Share of the widened events in which a score reaches each threshold; [thresholds]."""
        regions = _widened(self.events, reach, len(self.labels))
        highest = np.sort(np.maximum.reduceat(self.scores, regions.ravel())[::2])
        return np.asarray(1 - np.searchsorted(highest, self.levels, side="left") / len(highest))


def _widened(events: Spans, reach: int, steps: int) -> Spans:
    """Events with `reach` steps on either side, those that touch taken together; [regions, 2]."""
    starts, stops = events[:, 0] - reach, events[:, 1] + reach
    apart = stops[:-1] - 1 < starts[1:]
    first, last = np.concatenate([[True], apart]), np.concatenate([apart, [True]])
    return np.stack([starts[first].clip(0), stops[last].clip(max=steps)], axis=1)
