"""Principal components: the one place that computes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Decomposition:
    """How components are computed.

    Each setting rounds in its own way, and the components stand in model files: a model's choice is
    part of what it is, and changing one here changes the scores of all models trained afterwards.
    """

    # Wider values get their components by random projection (Halko, Martinsson & Tropp, 2011); None: never.
    exact_width: int | None = None
    # How many are then found, and how often the projection is sharpened.
    projections: int = 1
    power_iterations: int = 2
    # In what precision columns are multiplied with one another, and in what the products are decomposed.
    products: torch.dtype = torch.float32
    solver: torch.dtype = torch.float32
    # Eigenvalues of the covariance, which are variances; otherwise of the scatter matrix, sums of squares.
    covariance: bool = False


# What encode, impute and clean begin with: a table's columns may be of any scale and number.
AUXILIARY_COMPONENTS = Decomposition(
    exact_width=2048, projections=256, products=torch.float64, solver=torch.float64, covariance=True
)


def principal_components(centered: Tensor, how: Decomposition, at_least: int = 1) -> tuple[Tensor, Tensor]:
    """Principal directions [width, components] and their eigenvalues [components], largest first.

    `centered` are values [rows, width] with the mean 0. Exact decompositions give all `width`
    components, projections as many as `how` says, and no fewer than `at_least` unless there are
    fewer rows or columns. Projections draw from torch's global generator.

    >>> line = torch.tensor([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    >>> directions, eigenvalues = principal_components(line, Decomposition())
    >>> directions.shape, eigenvalues.round().tolist()
    (torch.Size([2, 2]), [4.0, 0.0])
    """
    if how.exact_width is None or centered.shape[1] <= how.exact_width:
        values = centered.to(how.products)
        matrix = (values.T @ values).to(how.solver)
        eigenvalues, directions = torch.linalg.eigh(matrix / len(values) if how.covariance else matrix)
        largest_first = directions.flip(1), eigenvalues.flip(0).clamp_min(0)
        return largest_first[0].to(centered.dtype), largest_first[1].to(centered.dtype)
    count = min(max(how.projections, at_least), *centered.shape)
    _, singular, directions = torch.pca_lowrank(centered, q=count, center=False, niter=how.power_iterations)
    eigenvalues = singular.square()
    return directions, eigenvalues / len(centered) if how.covariance else eigenvalues
