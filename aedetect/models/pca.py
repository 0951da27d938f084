"""Principal components: the one place that computes them."""

from __future__ import annotations

import torch
from torch import Tensor

# Wider values get their components by random projection (Halko et al., 2011).
EXACT_WIDTH = 2048
_MOST_PROJECTED = 256


def components(centered: Tensor, least: int = 1) -> tuple[Tensor, Tensor]:
    """Principal directions [width, components], and their variances, largest first.

    `centered` are values [rows, width] with the mean 0; at least `least` components are given.
    """
    if centered.shape[1] <= EXACT_WIDTH:
        exact = centered.double()
        variances, vectors = torch.linalg.eigh(exact.T @ exact / len(exact))
        return vectors.flip(1).to(centered.dtype), variances.flip(0).clamp_min(0).to(centered.dtype)
    most = min(max(_MOST_PROJECTED, least), *centered.shape)
    _, values, vectors = torch.pca_lowrank(centered, q=most, center=False)
    return vectors, values.square() / len(centered)
