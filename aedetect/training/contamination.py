"""Which training rows may be anomalies: told from all rows together, before anything is learned from them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The most outlying share of the rows a model remembers; of 5% hidden anomalies, three in four are
# in it, and of normal rows one in six. A model does not drop these rows, it trusts them less.
CANDIDATE_SHARE = 0.2
_NEIGHBOUR_SHARE = 0.05
_TRIMMED_STEPS, _TRIMMED_KEPT, _RIDGE = 8, 0.75, 0.01
_WIDEST = 256
_COMPARED_ROWS = 1024
# Rows this far beyond the last tenth, in units of the way from the last quarter to it, stand out. Of tables
# of normal rows alone that is so of 3% (of 160 real ones; of normal, lognormal and t(3) numbers of fewer).
_STANDS_OUT = 4.5
# So far apart are the least of a column's outermost values and the next, as logarithms of their distances
# from the median, in units of the way from the last quarter to the last tenth, which is at least that of a
# normal distribution. That is so in another 1% of the real tables.
_GAP, _NORMAL_WAY = 3.0, 0.36
# As many rows as that at least are worth a word, and as many at most are beyond a gap.
LEAST_APART, _LEAST_ROWS, _MOST_BEYOND = 0.01, 2, 0.05
# Numbers of fewer values are categories in disguise: the rare ones are apart by nature.
_LEAST_DISTINCT = 20


def outlyingness(values: Tensor) -> Tensor:
    """How unlike the bulk of all rows each row is; [rows, width] → [rows], 0 for a typical row.

    The sum of two logarithms, each scaled to 1 at its 90% quantile: the distance to as many
    neighbours as a twentieth of the rows, so that a small group of anomalies is not its own
    neighbourhood (Ramaswamy et al., 2000), and the Mahalanobis distance from the best-fitting
    three quarters (concentration steps; Rousseeuw & Van Driessen, 1999).
    """
    if values.shape[1] > _WIDEST:
        centered = values - values.mean(dim=0)
        most = min(_WIDEST, len(values))
        values = centered @ torch.pca_lowrank(centered, q=most, center=False)[2]
    return _scaled(_far(values)) + _scaled(_mahalanobis(values.double()).float())


def outlier_candidates(values: Tensor) -> Tensor:
    """Marks [rows] of the `CANDIDATE_SHARE` most outlying rows of `values` [rows, width]."""
    scores = outlyingness(values)
    return scores > scores.quantile(1 - CANDIDATE_SHARE)


def contamination_estimate(values: Tensor, numbers: Tensor) -> float:
    """Share of the rows that lie well apart from the rest; 0 of nearly all tables of normal rows alone.

    `values` [rows, columns]: standardised; rows that are far out in all columns together are judged by
    them. `numbers` [rows, columns]: the same without a limit, NaN where missing, for gaps within a column.
    Columns of few distinct numbers do not count.
    """
    places = [place for place, column in enumerate(numbers.T) if len(column.unique()) >= _LEAST_DISTINCT]
    if not places:
        return 0.0
    apart = _beyond_tail(outlyingness(values[:, places]))
    for column in numbers[:, places].double().T:
        apart |= _beyond_gap(column)
    return float(apart.float().mean())


def _beyond_tail(scores: Tensor) -> Tensor:
    """Which rows [rows] stand out by their outlyingness; none where they are too few to speak of."""
    quarter, tenth = scores.quantile(0.75), scores.quantile(0.9)
    beyond = scores > tenth + _STANDS_OUT * (tenth - quarter)
    return beyond & (beyond.sum() >= _least(len(scores)))


def _beyond_gap(column: Tensor) -> Tensor:
    """Which of a column's numbers [rows] lie beyond a wide gap."""
    far = (column - column.nanmedian()).abs().nan_to_num(0.0)
    quarter = far.quantile(0.75)
    if quarter <= 0 or not torch.isfinite(quarter):
        return torch.zeros(len(column), dtype=torch.bool, device=column.device)
    away = torch.maximum(far, quarter).log()
    ranked = away.sort(descending=True).values
    first, last = _least(len(away)), int(_MOST_BEYOND * len(away)) + 1
    if last < first:
        return torch.zeros_like(away, dtype=torch.bool)
    gaps = ranked[first - 1 : last] - ranked[first : last + 1]
    widest = int(gaps.argmax())
    way = max(float(away.quantile(0.9) - quarter.log()), _NORMAL_WAY)
    if gaps[widest] <= _GAP * way:
        return torch.zeros_like(away, dtype=torch.bool)
    return away >= ranked[first - 1 + widest]


def _least(rows: int) -> int:
    return max(_LEAST_ROWS, math.ceil(LEAST_APART * rows))


def _far(values: Tensor) -> Tensor:
    count = min(max(2, round(_NEIGHBOUR_SHARE * len(values))), len(values) - 1)
    return torch.cat(
        [
            # One more: the nearest of a row is the row itself.
            torch.cdist(block, values).kthvalue(count + 1, dim=1).values
            for block in torch.split(values, _COMPARED_ROWS)
        ]
    )


def _mahalanobis(values: Tensor) -> Tensor:
    width = values.shape[1]
    distances = (values - values.median(dim=0).values).square().sum(dim=1)
    inliers = torch.ones(len(values), dtype=torch.bool, device=values.device)
    for _ in range(_TRIMMED_STEPS):
        center = values[inliers].mean(dim=0)
        around = values[inliers] - center
        covariance = around.T @ around / max(len(around) - 1, 1)
        ridge = _RIDGE * covariance.diagonal().mean() + 1e-9
        covariance += ridge * torch.eye(width, dtype=values.dtype, device=values.device)
        apart = values - center
        distances = (apart @ torch.linalg.inv(covariance) * apart).sum(dim=1)
        inliers = distances <= distances.quantile(_TRIMMED_KEPT)
    return distances.clamp_min(0).sqrt()


def _scaled(distances: Tensor) -> Tensor:
    logarithms = distances.clamp_min(1e-6).log()
    middle = logarithms.median()
    return (logarithms - middle) / (logarithms.quantile(0.9) - middle + 1e-9)


def presumed_share(contamination: float | str) -> float:
    """The share of the highest scores that no threshold rests on: what was said to be anomalies.

    Where there only may be some, 0: the threshold then errs towards fewer false alarms.
    """
    return contamination if isinstance(contamination, float) else 0.0
