"""Whether one model is better than another on the same rows, or was only luckier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.tasks.evaluate.metrics.ranking import average_precision


@dataclass(frozen=True)
class Difference:
    """Second less first, its 95% interval, and how likely one so large is without any real one."""

    value: float
    low: float
    high: float
    p_value: float


def auroc_difference(first: Floats, second: Floats, labels: Mask) -> Difference:
    """Difference of two correlated AUROCs (DeLong et al., 1988, by midranks: Sun & Xu, 2014).

    Shapes: scores and labels [rows]. NaN figures where one kind of rows has fewer than two.
    """
    from scipy.stats import norm, rankdata

    anomalies, normal = int(labels.sum()), int((~labels).sum())
    if min(anomalies, normal) < 2:
        return Difference(*[float("nan")] * 4)
    placements = []
    for scores in (first, second):
        ranks = rankdata(scores)
        above = (ranks[labels] - rankdata(scores[labels])) / normal
        below = 1 - (ranks[~labels] - rankdata(scores[~labels])) / anomalies
        placements.append((above, below))
    (first_above, first_below), (second_above, second_below) = placements
    value = float(second_above.mean() - first_above.mean())
    variance = (second_above - first_above).var(ddof=1) / anomalies
    variance += (second_below - first_below).var(ddof=1) / normal
    error = float(np.sqrt(variance))
    # Two detectors that rank alike differ by nothing, and nothing speaks against that.
    p_value = float(2 * norm.sf(abs(value) / error)) if error > 0 else 1.0
    reach = float(norm.ppf(0.975)) * error
    return Difference(value, value - reach, value + reach, p_value)


def precision_difference(
    first: Floats, second: Floats, labels: Mask, seed: int = 0, draws: int = 400
) -> Difference:
    """Difference of two average precisions by a paired bootstrap over the rows (Efron, 1979).

    Shapes: scores and labels [rows]. Anomalies and normal rows are drawn apart, and both detectors
    judge the same draw. NaN figures where one kind of rows is missing.
    """
    if not labels.any() or labels.all():
        return Difference(*[float("nan")] * 4)
    random = np.random.default_rng(seed)
    kinds = [np.flatnonzero(labels), np.flatnonzero(~labels)]
    groups = [_Groups(first), _Groups(second)]
    once = np.ones(len(labels), dtype=np.int64)
    value = _precision(groups[1], once, labels) - _precision(groups[0], once, labels)
    drawn = np.empty(draws)
    for index in range(draws):
        weights = np.zeros(len(labels), dtype=np.int64)
        for rows in kinds:
            weights[rows] = np.bincount(random.integers(len(rows), size=len(rows)), minlength=len(rows))
        drawn[index] = _precision(groups[1], weights, labels) - _precision(groups[0], weights, labels)
    low, high = np.quantile(drawn, [0.025, 0.975])
    rarer = 1 + min((drawn <= 0).sum(), (drawn >= 0).sum())
    return Difference(value, float(low), float(high), float(min(1.0, 2 * rarer / (1 + draws))))


def mcnemar(first: Mask, second: Mask, labels: Mask) -> tuple[int, int, float]:
    """Rows that only the first, and only the second, judged rightly, and an exact p-value.

    Shapes: verdicts and labels [rows]. McNemar (1947), with the binomial distribution itself.
    """
    from scipy.stats import binomtest

    right, other = first == labels, second == labels
    only_first, only_second = int((right & ~other).sum()), int((other & ~right).sum())
    differing = only_first + only_second
    return only_first, only_second, float(binomtest(only_first, differing).pvalue) if differing else 1.0


class _Groups:
    """Rows in order of falling score, and where each distinct score begins."""

    def __init__(self, scores: Floats):
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])


def _precision(groups: _Groups, weights: Integers, labels: Mask) -> float:
    ordered, marked = weights[groups.order], labels[groups.order]
    anomalies = np.add.reduceat(ordered * marked, groups.starts)
    normal = np.add.reduceat(ordered * ~marked, groups.starts)
    return float(average_precision(anomalies, normal))
