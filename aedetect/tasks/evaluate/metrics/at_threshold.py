"""How good verdicts at one threshold are: counts, shares, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Mask
from aedetect.tasks.evaluate.metrics.ranking import Interval, ScoreTable


@dataclass(frozen=True)
class Confusion:
    """Rows by label and flag, at one threshold: the confusion matrix.

    `threshold`: of the scores; NaN where flags follow from p-values, as those of series do.
    `precision` is NaN where nothing was flagged, `recall` where there are no anomalies.
    """

    threshold: float
    caught: int
    missed: int
    false_alarms: int
    passed: int

    @property
    def flagged(self) -> int:
        return self.caught + self.false_alarms

    @property
    def precision(self) -> float:
        return _share(self.caught, self.flagged)

    @property
    def recall(self) -> float:
        return _share(self.caught, self.caught + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing was caught."""
        return _share(2 * self.caught, 2 * self.caught + self.false_alarms + self.missed)

    @property
    def false_alarm_rate(self) -> float:
        """Share of the normal rows that were flagged; NaN where there are none."""
        return _share(self.false_alarms, self.false_alarms + self.passed)


def of_flags(flagged: Mask, labels: Mask, threshold: float) -> Confusion:
    """What verdicts [rows] come to; `labels` [rows] are true for anomalies."""
    caught, alarms = int((flagged & labels).sum()), int((flagged & ~labels).sum())
    anomalies = int(labels.sum())
    return Confusion(threshold, caught, anomalies - caught, alarms, len(labels) - anomalies - alarms)


def at_threshold(table: ScoreTable, threshold: float) -> Confusion:
    """What flagging all scores above `threshold` comes to."""
    return _flagging(table, int((table.scores > threshold).sum()), threshold)


def at_best_f1(table: ScoreTable) -> Confusion:
    """The threshold that would have been best for these very labels: a bound, not a promise."""
    caught = np.cumsum(table.anomalies)
    flagged = caught + np.cumsum(table.normal)
    f1 = 2 * caught / (flagged + table.anomalies.sum())
    count = int(f1.argmax()) + 1
    last = table.scores[count - 1]
    # Halfway to the next score: digits may be cut off without changing a verdict.
    below = table.scores[count] if count < len(table.scores) else last - max(abs(last), 1.0)
    return _flagging(table, count, float(below + (last - below) / 2))


def share_interval(hits: int, of: int, level: float = 0.95) -> Interval:
    """A share and its exact binomial interval (Clopper & Pearson, 1934); NaN where `of` is 0."""
    from scipy.stats import beta

    if not of:
        return Interval(float("nan"), float("nan"), float("nan"))
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, of - hits)) if hits < of else 1.0
    return Interval(hits / of, low, high)


def f1_interval(confusion: Confusion, seed: int = 0, draws: int = 1000) -> Interval:
    """F1 at a fixed threshold with its 95% bootstrap interval, anomalies and normal rows drawn apart."""
    random = np.random.default_rng(seed)
    anomalies, normal = confusion.caught + confusion.missed, confusion.false_alarms + confusion.passed
    caught = random.binomial(anomalies, confusion.caught / max(anomalies, 1), draws)
    alarms = random.binomial(normal, confusion.false_alarms / max(normal, 1), draws)
    drawn = 2 * caught / np.maximum(caught + alarms + anomalies, 1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(confusion.f1, float(low), float(high))


def _flagging(table: ScoreTable, groups: int, threshold: float) -> Confusion:
    caught, alarms = int(table.anomalies[:groups].sum()), int(table.normal[:groups].sum())
    return Confusion(
        threshold,
        caught,
        int(table.anomalies.sum()) - caught,
        alarms,
        int(table.normal.sum()) - alarms,
    )


def _share(part: int, of: int) -> float:
    return part / of if of else float("nan")
