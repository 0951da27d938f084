"""The masked autoencoder: who learns from what, and what it makes of points."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.models.evaluation import masked as evaluation
from aedetect.models.tabular.masked import MaskedAutoencoder

OWNERS = np.array([0, 1, 2, 3, 3, 3])


def built(networks: int = 1, width: int = 16) -> MaskedAutoencoder:
    torch.manual_seed(0)
    return MaskedAutoencoder(OWNERS, [12, width, width, 8, width, width, 6], 2, networks)


def drawn(rows: int, seed: int = 0) -> torch.Tensor:
    """Points of which the first three values follow from one, and the last from another."""
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.randn(2, rows, 1, generator=generator)
    points = torch.cat([one, -one, one, other, other, -other], dim=1)
    return points + 0.1 * torch.randn(rows, 6, generator=generator)


def gradients(model: MaskedAutoencoder, points: torch.Tensor, learners: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    torch.manual_seed(1)
    model.objective(points, learners).sum().backward()
    return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]


def test_a_network_learns_only_from_rows_that_are_marked_for_it() -> None:
    model, points = built(networks=2), drawn(40)
    learners = torch.ones(40, 2)
    learners[:15, 0] = 0.0
    changed = points.clone()
    changed[:15] += 2.0
    first, second = gradients(model, points, learners), gradients(model, changed, learners)
    assert len(first) == len(list(model.parameters()))
    for before, after in zip(first, second, strict=True):
        torch.testing.assert_close(before[0], after[0], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(before[1], after[1], rtol=1e-2)


def test_rows_that_none_learns_from_have_no_error() -> None:
    learners = torch.ones(10, 2)
    learners[3] = 0.0
    errors = built(networks=2).objective(drawn(10), learners)
    assert errors.shape == (10, 6)
    assert not errors[3].any()
    assert (errors[[0, 1, 2, 4]] > 0).all()


def test_a_feature_is_hidden_with_all_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    model, seen, call = built(), [], evaluation.MaskedAutoencoder.__call__

    def noting(self: evaluation.MaskedAutoencoder, points: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        seen.append(mask)
        return call(self, points, mask)

    monkeypatch.setattr(evaluation.MaskedAutoencoder, "__call__", noting)
    model.objective(drawn(200), torch.ones(200, 1))
    (mask,) = seen
    assert torch.equal(mask[:, :, 3], mask[:, :, 4])
    assert torch.equal(mask[:, :, 3], mask[:, :, 5])
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert 0.1 < (mask[:, :, 0] != mask[:, :, 1]).float().mean() < 0.6
    shares = 1 - mask[0, :, [0, 1, 2, 3]].mean(dim=0)
    assert shares.min() > 0.15
    assert shares.max() < 0.45


def test_what_is_hidden_does_not_matter() -> None:
    model, points = built().evaluation(), drawn(20)
    seen = torch.ones(1, 20, 6)
    seen[:, :, 1] = 0.0
    changed = points.clone()
    changed[:, 1] = 5.0
    assert torch.equal(model(points[None], seen), model(changed[None], seen))
    assert not torch.equal(model(points[None], torch.ones(1, 20, 6)), model(points[None], seen))


@pytest.mark.parametrize("networks", [1, 4])
def test_shapes(networks: int) -> None:
    model, points = built(networks).evaluation(), drawn(7)
    assert model.reconstruct(points).shape == (7, 6)
    assert model.errors(points).shape == (networks, 7, 6)
    scores, shares = model.evidence(points)
    assert scores.shape == (7,)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(7))


@pytest.mark.parametrize("networks", [1, 2, 5])
def test_how_many_networks_there_are_follows_from_the_tensors(networks: int) -> None:
    model, other, points = built(networks), built(3), drawn(9)
    other.load_state_dict(model.state_dict())
    assert other.networks == networks
    assert torch.equal(other.evaluation().errors(points), model.evaluation().errors(points))


def test_each_network_is_one_by_itself_and_judges_its_fold() -> None:
    model, points = built(networks=3), drawn(30)
    for place in range(3):
        single = built()
        single.load_state_dict({name: t[place : place + 1] for name, t in model.state_dict().items()})
        with torch.no_grad():
            held_out = model.held_out(points, torch.full((30,), place))
            torch.testing.assert_close(held_out, single.evaluation().evidence(points)[0], rtol=0, atol=1e-3)
    folds = torch.arange(30) % 3
    with torch.no_grad():
        mixed = model.held_out(points, folds)
        parts = torch.stack([model.held_out(points, torch.full((30,), place)) for place in range(3)])
    assert torch.equal(mixed, parts[folds, torch.arange(30)])


def test_training_makes_correlated_points_predictable_and_broken_ones_stand_out() -> None:
    model, points, fresh = built(networks=2), drawn(500), drawn(300, seed=1)
    untrained = model.evaluation().errors(fresh).mean().item()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        model.objective(points, torch.ones(500, 2)).mean().backward()
        optimizer.step()
    broken = fresh.clone()
    broken[:, 0] -= 2.5 * broken[:, 0].sign()
    with torch.no_grad():
        judge = model.evaluation()
        assert judge.errors(fresh).mean().item() < 0.15 * untrained
        normal, strange = judge.evidence(fresh)[0], judge.evidence(broken)[0]
    assert strange.quantile(0.05) > normal.quantile(0.95)


def test_what_lies_beyond_the_limit_of_the_network_is_an_error_all_the_same() -> None:
    model = built().evaluation()
    near, far = torch.zeros(2, 1, 6)
    near[0, 0], far[0, 0] = 6.0, 600.0
    assert torch.equal(model.reconstruct(near), model.reconstruct(far))
    assert model.errors(far)[0, 0, 0] > 500.0**2
