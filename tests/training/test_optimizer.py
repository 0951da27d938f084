"""The optimizer of one flat vector, held against torch's own AdamW and gradient clipping."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from aedetect.training.optimizer import FlatAdamW

STEPS = 60
# The two add numbers up in different orders; steps are about 0.01 long, weights about 0.5.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.SiLU(), nn.Linear(16, 3))


def batches(scale: float = 1.0) -> list[tuple[Tensor, Tensor]]:
    random = torch.Generator().manual_seed(1)
    target = torch.randn(5, 3, generator=random)
    inputs = [torch.randn(32, 5, generator=random) for _ in range(STEPS)]
    return [(batch, scale * (batch @ target)) for batch in inputs]


def rate(step: int) -> float:
    """A learning rate that rises and falls, as training's does."""
    return 0.01 * min(1.0, (step + 1) / 10, (STEPS - step) / 20)


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return (model(batch[0]) - batch[1]).square().mean()


def flat(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize(("clip", "scale"), [(1e9, 1.0), (0.5, 1.0), (0.5, 100.0)])
def test_the_weights_are_those_of_adamw(weight_decay: float, clip: float, scale: float) -> None:
    ours, theirs = network(), network()
    optimizer = FlatAdamW(ours, weight_decay, clip)  # type: ignore[arg-type]
    reference = torch.optim.AdamW(
        theirs.parameters(), lr=0.0, betas=(0.9, 0.99), eps=1e-8, weight_decay=weight_decay
    )
    start, clipped = flat(theirs), 0
    for step, batch in enumerate(batches(scale)):
        optimizer.step(loss(ours, batch), rate(step))
        reference.param_groups[0]["lr"] = rate(step)
        reference.zero_grad()
        loss(theirs, batch).backward()
        clipped += bool(nn.utils.clip_grad_norm_(theirs.parameters(), clip) > clip)
        reference.step()
    torch.testing.assert_close(flat(ours), flat(theirs), **TOLERANCE)
    torch.testing.assert_close(optimizer.weights, flat(ours), rtol=0, atol=0)
    assert (flat(theirs) - start).abs().max() > 0.05
    assert (clipped > 0) == (clip < 1e9)


def test_the_average_is_an_exponential_moving_one_that_is_short_at_first() -> None:
    model = network()
    optimizer = FlatAdamW(model, 0.01, 1.0)  # type: ignore[arg-type]
    average = flat(model).double()
    for step, batch in enumerate(batches(), start=1):
        optimizer.step(loss(model, batch), 0.01)
        decay = min(0.99, step / (step + 10))
        average = decay * average + (1 - decay) * flat(model).double()
    torch.testing.assert_close(optimizer.average.double(), average, rtol=1e-5, atol=1e-6)
    assert (optimizer.average - optimizer.weights).abs().max() > 1e-3


def test_loading_the_average_sets_the_model() -> None:
    model = network()
    optimizer = FlatAdamW(model, 0.01, 1.0)  # type: ignore[arg-type]
    for batch in batches()[:5]:
        optimizer.step(loss(model, batch), 0.01)
    average = optimizer.average.clone()
    optimizer.load(average)
    assert torch.equal(flat(model), average)


def test_a_restored_optimizer_goes_on_as_if_it_had_not_stopped() -> None:
    whole = network()
    optimizer = FlatAdamW(whole, 0.1, 1.0)  # type: ignore[arg-type]
    for batch in batches()[:20]:
        optimizer.step(loss(whole, batch), 0.01)
    state = copy.deepcopy(optimizer.state())
    for batch in batches()[20:40]:
        optimizer.step(loss(whole, batch), 0.01)
    other = network()
    resumed = FlatAdamW(other, 0.1, 1.0)  # type: ignore[arg-type]
    resumed.restore(state, steps=20)
    for batch in batches()[20:40]:
        resumed.step(loss(other, batch), 0.01)
    assert torch.equal(flat(other), flat(whole))
    assert torch.equal(resumed.average, optimizer.average)
