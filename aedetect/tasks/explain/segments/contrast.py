"""How far flagged rows are more frequent inside than outside, and how seldom chance alone does that."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats, Mask

# Rows that stand out are flagged so many times as often as the rest, and as all rows.
LEAST_RATIO, LEAST_LIFT = 3.0, 1.5


def likelihood_ratio(hits: Floats, others: Floats, all_hits: float, all_others: float) -> Floats:
    """Twice the logarithm of how much likelier two rates, inside and outside, make the rows than one does.

    `hits`, `others` [conditions]: flagged rows inside, and others. 0 where the rate inside is not the higher
    one (Dunning, 1993).
    """
    within, total = hits + others, all_hits + all_others
    strength = (
        _surprise(hits, within * all_hits / total)
        + _surprise(others, within * all_others / total)
        + _surprise(all_hits - hits, (total - within) * all_hits / total)
        + _surprise(all_others - others, (total - within) * all_others / total)
    )
    return np.where(hits * all_others > others * all_hits, 2 * strength, 0.0)


def stands_out(hits: Floats, others: Floats, all_hits: float, all_others: float) -> Mask:
    """Whether rows inside are flagged far more often than the rest, and than all rows; [conditions]."""
    within, every = hits + others, all_hits + all_others
    share = hits / np.maximum(within, 1e-300)
    outside = np.maximum(all_hits - hits, 0) / np.maximum(every - within, 1.0)
    return np.asarray((share >= LEAST_RATIO * outside) & (share >= LEAST_LIFT * all_hits / every))


def chance(hits: float, others: float, all_hits: float, all_others: float) -> float:
    """The chance of as many flagged rows inside, were they spread evenly (Fisher's exact test, one-sided).

    Parts of events are counted down, so that chance is never said to be smaller than it is.
    """
    inside, every, rest = int(hits + 1e-6), int(all_hits + 1e-6), int(all_others)
    within = inside + int(others)
    counts = np.arange(inside, min(every, within) + 1, dtype=np.float64)
    logs = _log_choose(every, counts) + _log_choose(rest, within - counts)
    largest = logs.max()
    total = _log_choose(every + rest, np.array(float(within)))
    return min(float(np.exp(largest - total) * np.exp(logs - largest).sum()), 1.0)


def _log_choose(every: int, some: Floats) -> Floats:
    # Not of scipy.stats, which takes half a second to import.
    from scipy.special import gammaln

    # Parts of an event that two rows share may round to one more than there are.
    with np.errstate(invalid="ignore"):
        logs = gammaln(every + 1.0) - gammaln(some + 1.0) - gammaln(every - some + 1.0)
    return np.where((some >= 0) & (some <= every), logs, -np.inf)


def _surprise(seen: Floats, expected: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen > 0, seen * np.log(seen / expected), 0.0)
