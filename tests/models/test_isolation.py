"""Isolation: how small a ball around a normal point can hold a row."""

from __future__ import annotations

import pytest
import torch

from aedetect.models.evaluation.evidence_part import GRAIN
from aedetect.models.isolation import Isolation

WIDTH = 3
MOST = 5.0


def drawn(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed))


def fitted(points: torch.Tensor, seed: int = 0) -> tuple[Isolation, torch.Tensor]:
    """Isolation, and the scores of all its points held out."""
    torch.manual_seed(seed)
    evidence = Isolation(points.shape[1])
    return evidence, evidence.fit(points, points, torch.arange(len(points)))[:, 0]


def scores(evidence: Isolation, points: torch.Tensor) -> torch.Tensor:
    return evidence(points)[0][:, 0]


def isolated(evidence: Isolation, points: torch.Tensor) -> torch.Tensor:
    """Isolation in each sample [rows, samples], one ball after the other."""
    result = torch.ones(len(points), len(evidence.centers))
    for sample, (centers, radii, isolation) in enumerate(
        zip(evidence.centers, evidence.radii, evidence.isolation, strict=True)
    ):
        # On the rim, or next to it, is inside.
        inside = (points[:, None] - centers).square().sum(dim=2) <= radii + 1e-5 * (1 + radii)
        smallest = torch.where(inside, radii, torch.inf).argmin(dim=1)
        result[:, sample] = torch.where(inside.any(dim=1), isolation[smallest], 1.0)
    return result


def test_a_row_far_off_is_isolated_in_all_samples() -> None:
    evidence, _ = fitted(drawn(400))
    far = torch.tensor([[50.0, 0.0, 0.0], [0.0, -30.0, 30.0]])
    assert scores(evidence, far).tolist() == [MOST, MOST]
    assert scores(evidence, drawn(200, seed=1)).median() < 0.7 * MOST


def test_a_repeat_of_a_frequent_row_is_not_isolated() -> None:
    points = drawn(400)
    points[::2] = torch.tensor([0.3, 1.7, -0.2])
    evidence, held_out = fitted(points)
    assert scores(evidence, points[:1]).item() < 0.1
    assert held_out[::2].max() < 0.1 < held_out[1::2].min()


def test_what_a_row_scores_is_the_mean_over_the_samples_of_the_smallest_ball_that_holds_it() -> None:
    evidence, _ = fitted(drawn(400))
    asked = 1.3 * drawn(300, seed=1)
    expected = MOST * isolated(evidence, asked).mean(dim=1)
    torch.testing.assert_close(scores(evidence, asked), expected, rtol=0, atol=2 * GRAIN)


def test_a_ball_reaches_to_the_next_point_and_counts_by_how_much_larger_it_is_than_the_ball_there() -> None:
    evidence, _ = fitted(drawn(400))
    for centers, radii, isolation in zip(evidence.centers, evidence.radii, evidence.isolation, strict=True):
        apart, following = torch.cdist(centers, centers).fill_diagonal_(torch.inf).min(dim=1)
        torch.testing.assert_close(radii, apart.square(), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(isolation, 1 - apart[following] / apart, rtol=1e-3, atol=1e-4)
    assert (evidence.radii.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("rows", [10, 60, 400])
def test_held_out_samples_that_hold_the_row_do_not_count(rows: int) -> None:
    points = drawn(rows)
    evidence, held_out = fitted(points)
    holding = (evidence.centers[None] == points[:, None, None]).all(dim=3).any(dim=2)
    assert holding.any()
    assert not holding.all(dim=1).any()
    counted = torch.where(holding, 0.0, isolated(evidence, points))
    expected = MOST * counted.sum(dim=1) / (~holding).sum(dim=1)
    torch.testing.assert_close(held_out, expected, rtol=0, atol=2 * GRAIN)


def test_points_that_were_not_learned_are_judged_as_new_ones() -> None:
    evidence, others = Isolation(WIDTH), drawn(50, seed=1)
    held_out = evidence.fit(drawn(200), others, torch.full((50,), -1))[:, 0]
    assert torch.equal(held_out, scores(evidence, others))


def test_held_out_points_score_as_new_ones_do() -> None:
    _, held_out = fitted(drawn(600))
    evidence, _ = fitted(drawn(600))
    assert float(held_out.mean()) == pytest.approx(
        float(scores(evidence, drawn(2000, seed=1)).mean()), rel=0.05
    )
    assert scores(evidence, drawn(600)).mean() < held_out.mean()


def test_points_that_are_all_equal_are_isolated_in_none() -> None:
    points = torch.ones(30, WIDTH)
    evidence, held_out = fitted(points)
    assert not held_out.any()
    assert scores(evidence, torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 2.0]])).tolist() == [0.0, MOST]


def test_equal_rows_have_equal_scores_whatever_is_beside_them() -> None:
    evidence, _ = fitted(drawn(300))
    asked = drawn(100, seed=2)
    singly = torch.cat([scores(evidence, asked[place : place + 1]) for place in range(100)])
    assert torch.equal(singly, scores(evidence, asked))


@pytest.mark.parametrize("rows", [5, 300])
def test_evidence_that_loads_anothers_buffers_is_the_same(rows: int) -> None:
    evidence, _ = fitted(drawn(rows))
    other = Isolation(WIDTH)
    other.load_state_dict(evidence.state_dict())
    asked = drawn(50, seed=3)
    assert torch.equal(scores(other, asked), scores(evidence, asked))
    assert evidence(asked)[1] is None
