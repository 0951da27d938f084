"""Buffers that take their size from the tensors loaded."""

from __future__ import annotations

import pytest
import torch

from aedetect.models.memory_bank import MemoryBank


def stored(points: int, width: int = 3) -> dict[str, torch.Tensor]:
    bank = MemoryBank(width)
    bank.points, bank.penalties = torch.randn(points, width), torch.rand(points)
    return dict(bank.state_dict())


@pytest.mark.parametrize("points", [1, 7])
def test_a_bank_takes_the_size_it_loads(points: int) -> None:
    bank, tensors = MemoryBank(3), stored(points)
    bank.load_state_dict(tensors)
    assert torch.equal(bank.points, tensors["points"])
    assert torch.equal(bank.penalties, tensors["penalties"])


def test_within_another_module_too() -> None:
    outer = torch.nn.ModuleDict({"one": MemoryBank(3), "two": MemoryBank(3)})
    tensors = {f"one.{name}": value for name, value in stored(4).items()}
    outer.load_state_dict({**tensors, **{f"two.{name}": value for name, value in stored(9).items()}})
    assert [len(outer[name].points) for name in ("one", "two")] == [4, 9]


def test_other_dimensions_are_as_built() -> None:
    with pytest.raises(RuntimeError, match="size mismatch for points"):
        MemoryBank(3).load_state_dict(stored(4, width=5))


def test_buffers_of_one_size_must_agree() -> None:
    with pytest.raises(RuntimeError, match="size mismatch for penalties"):
        MemoryBank(3).load_state_dict({**stored(4), "penalties": torch.zeros(5)})


def test_tensors_of_another_kind_are_refused() -> None:
    with pytest.raises(RuntimeError, match="size mismatch for points"):
        MemoryBank(3).load_state_dict({**stored(4), "points": torch.zeros(12)})
