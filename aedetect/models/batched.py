"""Several networks of one shape as one: a leading dimension of every weight."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class BatchedLinear(nn.Module):
    """The weights of a linear layer of several networks; see `evaluation.batched.BatchedLinear`."""

    def __init__(self, networks: int, inputs: int, outputs: int):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        # These names stand in model files.
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs).uniform_(-bound, bound))


class BatchedNetworks(nn.Module, ABC):
    """Several networks as one; how many there are follows from the tensors that are loaded.

    All layers are of as many networks: other tensors are refused.
    """

    # The name of the first layer, which is a `BatchedLinear`.
    first_layer: ClassVar[str]

    @abstractmethod
    def resize(self, networks: int) -> None:
        """So many freshly initialised networks; draws from torch's global generator."""

    @property
    def networks(self) -> int:
        return len(self.get_parameter(f"{self.first_layer}.weight"))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        stored = state_dict.get(f"{prefix}{self.first_layer}.weight")
        if isinstance(stored, Tensor) and stored.dim() == 3 and len(stored) != self.networks:
            self.resize(max(len(stored), 1))
        super()._load_from_state_dict(state_dict, prefix, *rest)
