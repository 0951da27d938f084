"""Where training batches come from: rows or windows held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from aedetect.data.arrays import Integers, Matrix
from aedetect.models.device import sent

_LEAST_WINDOWS, _STEPS_PER_ROW = 8, 16


class Feed(Protocol):
    """Training rows, in an order that depends on the seed and the epoch's number alone."""

    @property
    def rows(self) -> int: ...

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Batches [batch, features] of one pass, on the training device; none is empty."""
        ...


class MemoryFeed:
    """Rows held on the device, where they fit, else in main memory.

    `places` [rows]: those of `matrix` that are meant, which saves a copy of them; all, where None.
    """

    def __init__(
        self,
        matrix: Matrix,
        batch_size: int,
        seed: int,
        device: torch.device,
        places: Integers | None = None,
    ):
        self.rows = len(matrix) if places is None else len(places)
        self._places = places
        self._matrix = to_device(matrix, device)
        self.resident = self._matrix.device.type == device.type
        self._batch_size = batch_size
        self._seed = seed
        self._device = device

    def epoch(self, number: int) -> Iterator[Tensor]:
        random = np.random.default_rng((self._seed, number)).permutation(self.rows)
        order = torch.from_numpy(random if self._places is None else self._places[random])
        if self.resident:
            order = sent(order, self._device)
        for start in range(0, self.rows, self._batch_size):
            chosen = self._matrix[order[start : start + self._batch_size]]
            yield sent(chosen, self._device)


class WindowFeed:
    """Windows of time series, cut from their stretches as they are needed.

    `starts` [windows] are places in `steps` [all steps, channels], the stretches end to end.
    Batches are [batch, window, channels], with as many steps as `batch_size` rows of a wide table
    have cells.
    """

    def __init__(
        self, steps: Matrix, starts: Integers, window: int, batch_size: int, seed: int, device: torch.device
    ):
        self.rows = len(starts)
        self._steps = to_device(steps, device)
        self.resident = self._steps.device.type == device.type
        self._starts = torch.from_numpy(starts)
        self._inside = torch.arange(window, device=self._steps.device)
        self._batch_size = max(_LEAST_WINDOWS, _STEPS_PER_ROW * batch_size // window)
        self._seed = seed
        self._device = device

    def epoch(self, number: int) -> Iterator[Tensor]:
        order = torch.from_numpy(np.random.default_rng((self._seed, number)).permutation(self.rows))
        starts = self._starts[order]
        if self.resident:
            starts = sent(starts, self._device)
        for start in range(0, self.rows, self._batch_size):
            yield self.windows(starts[start : start + self._batch_size])

    def windows(self, starts: Tensor) -> Tensor:
        """Windows [windows, steps, channels] that begin at `starts` [windows]."""
        places = starts.to(self._steps.device)[:, None] + self._inside
        return sent(self._steps[places], self._device)


def to_device(matrix: Matrix, device: torch.device) -> Tensor:
    """The matrix as a tensor on `device`, or in main memory if it would fill more than half of a GPU."""
    tensor = torch.from_numpy(np.ascontiguousarray(matrix))
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if tensor.nbytes > free // 2:
            return tensor
    return tensor.to(device)
