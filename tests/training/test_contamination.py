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


ROWS = [100, 600, pytest.param(2000, marks=pytest.mark.slow)]


def drawn(kind: str, rows: int, width: int, generator: torch.Generator) -> torch.Tensor:
    values = torch.randn(rows, width, generator=generator)
    if kind == "lognormal":
        return values.exp()
    if kind == "t(3)":
        return values / (torch.randn(3, rows, width, generator=generator).square().mean(dim=0)).sqrt()
    if kind == "mixed":
        values[:, 0] = torch.poisson(torch.full((rows,), 2.0), generator=generator)
        values[:, 1] = (torch.rand(rows, generator=generator) < 0.02).float() * 7
    return values


def estimated(values: torch.Tensor) -> float:
    """Of raw values, scaled as an encoder and a network's input would."""
    centered = values - values.median(dim=0).values
    quarters = values.quantile(0.75, dim=0) - values.quantile(0.25, dim=0)
    spread = torch.where(quarters > 0, quarters / 1.349, values.std(dim=0) + 1e-9)
    return contamination_estimate(torch.asinh(centered / spread), centered / spread)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "t(3)", "mixed"])
@pytest.mark.parametrize("rows", ROWS)
def test_of_tables_without_anomalies_at_most_one_in_twenty_is_warned_of(kind: str, rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    tables = [drawn(kind, rows, width, generator) for width in (3, 8, 20) for _ in range(20)]
    assert sum(estimated(table) >= 0.01 for table in tables) <= 3


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("where", ["all columns", "one column", "a group"])
def test_three_percent_of_gross_anomalies_are_noticed(rows: int, where: str) -> None:
    generator = torch.Generator().manual_seed(1)
    noticed = []
    for width in (3, 8, 20):
        for _ in range(5):
            values, some = drawn("normal", rows, width, generator), round(0.03 * rows)
            if where == "one column":
                values[:some, 0] = 30 * (1 + torch.rand(some, generator=generator))
            elif where == "a group":
                values[:some] = 8 + 0.3 * torch.randn(some, width, generator=generator)
            else:
                values[:some] *= 12
            noticed.append(0.01 <= estimated(values) <= 0.05)
    assert sum(noticed) >= 14


def test_numbers_of_few_values_are_not_apart() -> None:
    values = (torch.rand(1000, 2) < 0.03).float() * 50
    assert contamination_estimate(values, values) == 0
    assert contamination_estimate(torch.zeros(200, 0), torch.zeros(200, 0)) == 0
