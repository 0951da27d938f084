"""Rows that may be anomalies, told from all rows together."""

import pytest
import torch

from aedetect.training.contamination import (
    CANDIDATE_SHARE,
    contamination_estimate,
    outlier_candidates,
    outlyingness,
)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("width", [3, 400])
def test_a_small_dense_group_far_out_is_suspected(width: int) -> None:
    values = torch.randn(600, width)
    values[:20] = 4 + 0.05 * torch.randn(20, width)
    marked = outlier_candidates(values)
    assert marked[:20].all()
    assert marked.float().mean() <= CANDIDATE_SHARE + 0.01


@pytest.mark.parametrize("values", [torch.zeros(50, 3), torch.zeros(3, 1), torch.randn(8, 1), torch.eye(30)])
def test_any_table_has_finite_suspicion(values: torch.Tensor) -> None:
    assert torch.isfinite(outlyingness(values)).all()


def test_a_typical_row_scores_about_nothing() -> None:
    assert abs(float(outlyingness(torch.randn(500, 4)).median())) < 0.2


def test_few_rows_stand_out_of_normal_data_and_more_of_contaminated() -> None:
    values = torch.randn(2000, 5)
    assert contamination_estimate(values) < 0.005
    values[:60] *= 12
    assert contamination_estimate(values) > 0.02
