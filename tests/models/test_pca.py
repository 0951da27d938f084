"""Principal components: exact, by random projection, and with few rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from aedetect.models.pca import AUXILIARY_COMPONENTS, Decomposition, principal_components

SETTINGS = {
    "single": Decomposition(),
    "mixed": Decomposition(solver=torch.float64),
    "covariance": AUXILIARY_COMPONENTS,
    "projected": Decomposition(exact_width=4, projections=3, power_iterations=4),
}


def centered(rows: int, width: int) -> Tensor:
    """Values [rows, width] that vary along three directions, and a little along all."""
    random = np.random.default_rng(0)
    values = random.standard_normal((rows, 3)) * [9, 5, 3] @ random.standard_normal((3, width))
    values += 0.01 * random.standard_normal((rows, width))
    return torch.from_numpy(values - values.mean(axis=0)).float()


@pytest.mark.parametrize("name", SETTINGS)
def test_directions_and_eigenvalues_are_those_of_the_singular_value_decomposition(name: str) -> None:
    values, how = centered(200, 8), SETTINGS[name]
    torch.manual_seed(0)
    directions, eigenvalues = principal_components(values, how)
    _, singular, expected = np.linalg.svd(values.double().numpy(), full_matrices=False)
    squares = singular[:3] ** 2 / (len(values) if how.covariance else 1)
    np.testing.assert_allclose(eigenvalues[:3].numpy(), squares, rtol=1e-3)
    alike = np.abs((expected[:3] * directions[:, :3].T.numpy()).sum(axis=1))
    np.testing.assert_allclose(alike, 1, atol=1e-4)


@pytest.mark.parametrize("name", SETTINGS)
def test_directions_are_orthonormal_and_eigenvalues_fall(name: str) -> None:
    directions, eigenvalues = principal_components(centered(50, 8), SETTINGS[name])
    torch.testing.assert_close(directions.T @ directions, torch.eye(directions.shape[1]), rtol=0, atol=1e-4)
    assert (eigenvalues >= 0).all()
    assert (eigenvalues.diff() <= 0).all()
    assert directions.dtype == eigenvalues.dtype == torch.float32


def test_projections_give_as_many_as_there_can_be() -> None:
    how = Decomposition(exact_width=4, projections=2)
    assert principal_components(centered(50, 8), how)[0].shape == (8, 2)
    assert principal_components(centered(50, 8), how, at_least=6)[0].shape == (8, 6)
    assert principal_components(centered(3, 8), how, at_least=6)[0].shape == (8, 3)


def test_constant_columns_have_no_variance() -> None:
    directions, eigenvalues = principal_components(torch.zeros(10, 4), Decomposition())
    assert torch.isfinite(directions).all()
    assert eigenvalues.tolist() == [0, 0, 0, 0]
