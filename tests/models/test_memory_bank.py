"""The memory bank: what it stores, and what it makes of points that may be anomalies."""

import pytest
import torch
from torch import Tensor

from aedetect.models.live import as_tensor
from aedetect.models.memory_bank import MemoryBank, coreset

NONE = torch.zeros(400, dtype=torch.bool)


def apart(memory: MemoryBank, points: Tensor) -> Tensor:
    """Squared distances [points] from what scoring reconstructs `points` [points, width] as."""
    return as_tensor(memory.settled()(points.numpy())).sum(dim=1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_a_small_set_is_kept_whole() -> None:
    assert torch.equal(coreset(torch.randn(20, 3), 20), torch.arange(20))


def test_a_coreset_keeps_thinly_populated_regions() -> None:
    points = torch.randn(3000, 2)
    points[-6:] += 30 * torch.randn(6, 2).sign()
    chosen = coreset(points, 200)
    assert len(chosen) == 200
    assert torch.equal(chosen[:100], torch.arange(100))
    distances = torch.cdist(points, points[chosen]).amin(dim=1)
    assert distances.max() < torch.cdist(points, points[:200]).amin(dim=1).max() / 4


def test_a_coreset_of_equal_points_ends() -> None:
    assert len(coreset(torch.zeros(500, 2), 100)) == 100


def test_what_is_stored_is_reconstructed() -> None:
    points = torch.randn(400, 3)
    memory = MemoryBank(3)
    memory.fit(points, torch.randn(100, 3), NONE, 400)
    near, far = apart(memory, points[:50]), apart(memory, points[:50] + 20)
    assert (near < memory.typical).float().mean() > 0.9
    assert far.min() > 100 * near.max()


def test_a_group_of_outlier_candidates_does_not_vouch_for_its_kind() -> None:
    points = torch.randn(400, 2)
    points[:20] = torch.tensor([12.0, 0.0]) + 0.1 * torch.randn(20, 2)
    candidates = torch.arange(400) < 40
    another = torch.tensor([[12.0, 0.0], [0.0, 0.0]])
    trusting, doubting = MemoryBank(2), MemoryBank(2)
    trusting.fit(points, torch.randn(100, 2), NONE, 400)
    doubting.fit(points, torch.randn(100, 2), candidates, 400)
    kin, normal = apart(trusting, another)
    assert kin < 1
    doubted, still_normal = apart(doubting, another)
    assert doubted > 10
    assert still_normal < normal + 0.1


def test_where_all_are_candidates_none_is_penalised() -> None:
    points = torch.randn(400, 2)
    memory = MemoryBank(2)
    memory.fit(points, torch.randn(100, 2), ~NONE, 400)
    assert torch.isfinite(apart(memory, points)).all()
    assert not memory.penalties.any()
