"""Which training rows may be anomalies: told from all rows together, before anything is learned from them."""

from __future__ import annotations

import torch
from torch import Tensor

# The most outlying share of the rows a model remembers; of 5% hidden anomalies, three in four are
# in it, and of normal rows one in six. A model does not drop these rows, it trusts them less.
CANDIDATE_SHARE = 0.2
_NEIGHBOUR_SHARE = 0.05
_TRIMMED_STEPS, _TRIMMED_KEPT, _RIDGE = 8, 0.75, 0.01
_WIDEST = 256
_COMPARED_ROWS = 1024
# Rows this far beyond the last tenth, in units of the way from the last quarter to it, stand out.
_STANDS_OUT = 2.5


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


def contamination_estimate(values: Tensor) -> float:
    """Share of the rows of `values` [rows, width] that lie well apart from the rest."""
    scores = outlyingness(values)
    quarter, tenth = scores.quantile(0.75), scores.quantile(0.9)
    return float((scores > tenth + _STANDS_OUT * (tenth - quarter)).float().mean())


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
