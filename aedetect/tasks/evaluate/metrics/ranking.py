"""How well scores rank anomalies above normal rows, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

# Intervals of longer tables rest on neighbouring scores taken together; the figures do not.
_MOST_GROUPS = 20_000
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A figure and the range it would move in, were the rows drawn again (95%)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ScoreTable:
    """Rows grouped by score: distinct scores, descending, and how many rows of each kind have them.

    Shapes: all [distinct scores]. All that ranking and thresholds need to know of any number of rows.
    """

    scores: Floats
    anomalies: Integers
    normal: Integers

    @classmethod
    def of(cls, scores: Floats, labels: Mask) -> ScoreTable:
        """From scores [rows], higher is stranger, and labels [rows], true for anomalies.

        Raises ValueError for scores that are not finite.
        """
        if not np.isfinite(scores).all():
            raise ValueError("scores must be finite")
        distinct, places = np.unique(-scores, return_inverse=True)
        size = len(distinct)
        marked = np.bincount(places[labels], minlength=size)
        return cls(-distinct, marked, np.bincount(places, minlength=size) - marked)

    @property
    def has_both(self) -> bool:
        return bool(self.anomalies.any() and self.normal.any())


def auroc(anomalies: Integers, normal: Integers) -> Floats:
    """Area under the ROC curve: how often an anomaly scores above a normal row, ties counting half.

    Integers by falling score, [..., distinct scores] → [...]. NaN where one kind of rows is missing.
    """
    before = np.cumsum(anomalies, axis=-1) - anomalies
    above = ((before + 0.5 * anomalies) * normal).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(above / (anomalies.sum(axis=-1) * normal.sum(axis=-1)), dtype=np.float64)


def average_precision(anomalies: Integers, normal: Integers) -> Floats:
    """Precision averaged over the anomalies, in the order in which falling thresholds find them.

    Integers by falling score, [..., distinct scores] → [...]. NaN where there are no anomalies.
    """
    caught = np.cumsum(anomalies, axis=-1)
    flagged = caught + np.cumsum(normal, axis=-1)
    precision = caught / np.maximum(flagged, 1)
    with np.errstate(invalid="ignore"):
        return np.asarray((precision * anomalies).sum(axis=-1) / anomalies.sum(axis=-1), dtype=np.float64)


def with_interval(
    figure: Callable[[Integers, Integers], Floats], table: ScoreTable, seed: int = 0, draws: int = 1000
) -> Interval:
    """A figure of a table with its 95% percentile bootstrap interval (Efron, 1979).

    Anomalies and normal rows are drawn apart, so that every draw has both in the numbers at hand.
    """
    value = float(figure(table.anomalies, table.normal))
    coarse = _coarse(table)
    random = np.random.default_rng(seed)
    size = max(1, _CELLS_AT_ONCE // len(coarse.scores))
    bootstrapped = [
        figure(_drawn(random, coarse.anomalies, count), _drawn(random, coarse.normal, count))
        for count in [size] * (draws // size) + [draws % size] * (draws % size > 0)
    ]
    low, high = np.quantile(np.concatenate(bootstrapped), [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _drawn(random: np.random.Generator, counts: Integers, draws: int) -> Integers:
    total = int(counts.sum())
    return random.multinomial(total, counts / total, size=draws)


def _coarse(table: ScoreTable) -> ScoreTable:
    if len(table.scores) <= _MOST_GROUPS:
        return table
    # Groups with an anomaly stay as they are where they can: they decide the figures.
    keep = np.zeros(len(table.scores), dtype=np.bool_)
    keep[:: -(-2 * len(table.scores) // _MOST_GROUPS)] = True
    if np.count_nonzero(table.anomalies) <= _MOST_GROUPS // 4:
        marked = np.flatnonzero(table.anomalies)
        keep[marked] = keep[np.minimum(marked + 1, len(keep) - 1)] = True
    starts = np.flatnonzero(keep)
    return ScoreTable(
        table.scores[starts],
        np.add.reduceat(table.anomalies, starts),
        np.add.reduceat(table.normal, starts),
    )
