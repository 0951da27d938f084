"""Several networks of one shape as one: a leading dimension of every weight."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class BatchedLinear(nn.Module):
    """A linear layer of several networks at once, each with weights of its own.

    How many there are follows from the tensors that are loaded.

    Shape: [networks, rows, inputs] → [networks, rows, outputs].

    >>> BatchedLinear(networks=3, inputs=5, outputs=2)(torch.zeros(3, 7, 5)).shape
    torch.Size([3, 7, 2])
    """

    def __init__(self, networks: int, inputs: int, outputs: int):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        # These names stand in model files.
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs).uniform_(-bound, bound))

    @property
    def networks(self) -> int:
        return len(self.weight)

    def forward(self, values: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, values, self.weight)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        for name in ("weight", "bias"):
            stored, parameter = state_dict.get(prefix + name), getattr(self, name)
            if isinstance(stored, Tensor) and stored.dim() == 3 and len(stored) != len(parameter):
                sized = parameter.new_empty(len(stored), *parameter.shape[1:])
                setattr(self, name, nn.Parameter(sized))
        super()._load_from_state_dict(state_dict, prefix, *rest)
