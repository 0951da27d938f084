"""Several networks as one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from aedetect.models.batched import BatchedLinear, BatchedNetworks
from aedetect.models.discriminator import Discriminator
from aedetect.models.tabular.masked import MaskedAutoencoder

KINDS: dict[str, Callable[[int], BatchedNetworks]] = {
    "discriminator": lambda networks: Discriminator(4, networks),
    "masked": lambda networks: MaskedAutoencoder(np.arange(4), [8, 8, 8, 8, 8, 8, 4], 2, networks),
}


@pytest.fixture(params=KINDS)
def build(request: pytest.FixtureRequest) -> Callable[[int], BatchedNetworks]:
    return KINDS[request.param]


def test_weights_are_drawn_anew_for_each_network() -> None:
    layer = BatchedLinear(2, 25, 8)
    assert not torch.equal(layer.weight[0], layer.weight[1])
    assert layer.weight.abs().max() <= 0.2


@pytest.mark.parametrize("networks", [1, 2, 5])
def test_how_many_networks_there_are_follows_from_the_tensors(
    build: Callable[[int], BatchedNetworks], networks: int
) -> None:
    stored = build(networks).state_dict()
    for before in (1, 3):
        other = build(before)
        other.load_state_dict(stored)
        assert other.networks == networks
        assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in stored.items())


def test_within_another_module_too(build: Callable[[int], BatchedNetworks]) -> None:
    outer, other = (torch.nn.ModuleDict({"inner": build(networks)}) for networks in (3, 1))
    other.load_state_dict(outer.state_dict())
    assert len(other["inner"].get_parameter(f"{build(1).first_layer}.weight")) == 3


@pytest.mark.parametrize("place", range(4))
def test_tensors_of_different_numbers_of_networks_are_refused(
    build: Callable[[int], BatchedNetworks], place: int
) -> None:
    stored, others = build(2).state_dict(), build(3).state_dict()
    weights = [name for name, _ in build(1).named_parameters()]
    stored[weights[place]] = others[weights[place]]
    with pytest.raises(RuntimeError, match="size mismatch"):
        build(1).load_state_dict(stored)


@pytest.mark.parametrize("damage", ["flat", "lacking", "none"])
def test_tensors_that_are_no_such_networks_are_refused(
    build: Callable[[int], BatchedNetworks], damage: str
) -> None:
    stored = build(2).state_dict()
    name = f"{build(1).first_layer}.weight"
    if damage == "flat":
        stored[name] = stored[name].flatten()
    elif damage == "lacking":
        del stored[name]
    else:
        stored = {key: tensor[:0] if tensor.dim() == 3 else tensor for key, tensor in stored.items()}
    with pytest.raises(RuntimeError, match="size mismatch|Missing key"):
        build(2).load_state_dict(stored)
