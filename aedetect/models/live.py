"""The arrays of a module, for its evaluation pass: as they are in training, and as scoring will have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from aedetect.data.arrays import AnyArray
from aedetect.models.device import ROOM
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import side_by_side


def live_arrays(module: nn.Module) -> Arrays:
    """The weights and buffers of `module` themselves, through which gradients flow."""
    values: dict[str, Array] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    device = next(iter(values.values())).device if values else torch.device("cpu")
    # What follows from the layout is computed once for a module, not for each step of its training.
    remembered: dict[str, dict[str, Array]] = module.__dict__.setdefault("_layout_constants", {})
    return Arrays(
        values, lambda array: torch.from_numpy(array).to(device), remembered.setdefault(str(device), {})
    )


def settled_arrays(module: nn.Module) -> Arrays:
    """The weights and buffers of `module` as scoring has them: in numpy, unless they are on a GPU."""
    values = {name: settled(tensor) for name, tensor in module.state_dict().items()}
    device = next(iter(module.state_dict().values())).device
    return Arrays(values) if device.type == "cpu" else placed_arrays(values, device)


def placed_arrays(values: dict[str, Array], device: torch.device) -> Arrays:
    """`values`, tensors or numpy arrays, as tensors on `device`."""
    tensors = {name: torch.as_tensor(value).to(device) for name, value in values.items()}
    return Arrays(tensors, lambda array: torch.from_numpy(array).to(device))


def settled(tensor: Tensor) -> Array:
    """A tensor as scoring has it: one of a CPU as a numpy array, which shares its memory."""
    return tensor.detach().numpy() if tensor.device.type == "cpu" else tensor.detach()


def as_tensor(array: Array) -> Tensor:
    """What scoring has, as a tensor again; of a CPU, it shares the memory."""
    return array if isinstance(array, Tensor) else torch.from_numpy(array)


def settled_by_blocks(work: Callable[..., Array], *rows: Tensor) -> Tensor:
    """`work` on what `rows` [rows, ...] are in scoring, in blocks as scoring has them; [rows, ...].

    Products round differently for other numbers of rows: a row that calibrates is scored as new ones are.
    """
    size = ROOM.block(rows[0].shape[1], rows[0].device.type)
    return as_tensor(side_by_side(work, *(settled(values) for values in rows), size=size))


def no_arrays(like: Tensor) -> Arrays:
    """For what is computed from a layout alone: constants where `like` is."""

    def place(array: AnyArray) -> Any:
        return torch.from_numpy(array).to(like.device)

    return Arrays({}, place)


def settled_constants(like: Tensor) -> Arrays:
    """For what is computed from a layout alone: constants as scoring has them, where `like` is."""
    return Arrays({}) if like.device.type == "cpu" else no_arrays(like)
