"""The network that tells normal rows from made-up ones by the evidence on them."""

from __future__ import annotations

import pytest
import torch

from aedetect.config import TrainingConfig
from aedetect.models.discriminator import Discriminator
from aedetect.training.feed import MemoryFeed
from aedetect.training.loop import Hooks, seeded, train

PARTS = 3


def drawn(rows: int, seed: int = 0, columns: int = PARTS) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def prepared(networks: int = 1) -> Discriminator:
    torch.manual_seed(0)
    judge = Discriminator(PARTS)
    judge.prepare(drawn(200), networks)
    return judge


def batch_of(normal: torch.Tensor, strange: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """A batch in training, with `weights` [rows, networks]."""
    made_up = torch.cat([torch.zeros(len(normal), 1), torch.ones(len(strange), 1)])
    return torch.cat([torch.cat([normal, strange]), made_up, weights], dim=1)


def gradients(judge: Discriminator, batch: torch.Tensor) -> list[torch.Tensor]:
    judge.zero_grad()
    judge.errors(batch).sum().backward()
    return [weight.grad.clone() for weight in judge.parameters() if weight.grad is not None]


def test_a_network_learns_nothing_from_rows_without_weight_for_it() -> None:
    judge = prepared(networks=2)
    weights = torch.ones(60, 2)
    weights[:20, 0] = 0.0
    batch = batch_of(drawn(30), 2 + drawn(30, seed=1), weights)
    changed = batch.clone()
    changed[:20, :PARTS] += 1.5
    changed[:20, PARTS] = 1.0
    first, second = gradients(judge, batch), gradients(judge, changed)
    assert len(first) == len(list(judge.parameters()))
    for before, after in zip(first, second, strict=True):
        torch.testing.assert_close(before[0], after[0], rtol=1e-4, atol=1e-6)
        assert not torch.allclose(before[1], after[1], rtol=1e-2)


def test_a_row_of_twice_the_weight_counts_as_two() -> None:
    judge = prepared()
    batch = batch_of(drawn(10), drawn(10, seed=1), torch.ones(20, 1))
    heavier = batch.clone()
    heavier[:5, -1] = 2.0
    twice = torch.cat([batch, batch[:5]])
    assert judge.errors(heavier).sum().item() == pytest.approx(judge.errors(twice).sum().item(), rel=1e-5)
    assert judge.errors(batch).shape == (20, 1)


@pytest.mark.parametrize("networks", [1, 3])
def test_it_separates_obvious_groups_once_trained(networks: int) -> None:
    normal, strange = drawn(400), drawn(400, seed=1) + torch.tensor([4.0, 0.0, -4.0])
    batch = batch_of(normal, strange, torch.ones(800, networks))
    judge = prepared(networks)
    config = TrainingConfig(epochs=15, device="cpu")
    feed = MemoryFeed(batch.numpy(), 128, 0, torch.device("cpu"))
    with seeded(0, torch.device("cpu")):
        train(judge, feed, batch, config, Hooks(), seed=0)
    judged = judge.evaluation()
    fresh, others = drawn(300, seed=2), drawn(300, seed=3) + torch.tensor([4.0, 0.0, -4.0])
    with torch.no_grad():
        assert judged.evidence(fresh).quantile(0.98) < judged.evidence(others).quantile(0.02)
        assert judged.evidence(others).median() > 0 > judged.evidence(fresh).median()


def test_held_out_rows_are_judged_by_the_network_of_their_fold() -> None:
    judge, rows = prepared(networks=3), drawn(30)
    folds = torch.arange(30) % 3
    with torch.no_grad():
        held_out, odds = judge.held_out(rows, folds), judge.evaluation()(rows)
    assert odds.shape == (3, 30)
    torch.testing.assert_close(held_out, odds[folds, torch.arange(30)], rtol=0, atol=1e-3)
    with torch.no_grad():
        torch.testing.assert_close(judge.evaluation().evidence(rows), odds.mean(dim=0), rtol=0, atol=1e-3)


def test_evidence_beyond_the_usual_is_not_told_apart() -> None:
    judge = prepared()
    with torch.no_grad():
        far, farther = judge.evaluation().evidence(torch.tensor([[1e3] * PARTS, [1e6] * PARTS]))
    assert torch.isfinite(far)
    assert far == farther


def test_parts_that_never_vary_are_no_obstacle() -> None:
    judge = Discriminator(PARTS)
    judge.prepare(torch.ones(50, PARTS), 1)
    assert torch.isfinite(judge.evaluation()(drawn(10))).all()


def test_what_loads_anothers_tensors_is_the_same() -> None:
    judge, other = prepared(networks=4), Discriminator(PARTS)
    other.load_state_dict(judge.state_dict())
    rows = drawn(20)
    assert other.networks == 4
    assert torch.equal(other.evaluation()(rows), judge.evaluation()(rows))
