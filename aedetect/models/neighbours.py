"""Evidence from the nearest normal rows: in random halves of the columns, and relative to local density."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evidence import GRAIN, Evidence, as_shares, rounded
from aedetect.models.memory_bank import CACHED_ROWS

# Halves of the columns come in pairs that have each column once. More pairs, and more points, add little.
_PAIRS = 3
# Of these more do go on finding more, as rows often repeat.
_NEAREST_POINTS = 8192
_NEIGHBOURS = 5
# How much of the neighbourhood's own width counts: all of it would find what is odd among dense rows alone.
_DENSITY_POWER = 0.5
# Added to distances: closer than this is the same.
_FLOOR, _LEAST_DISTANCE = 0.03, 1e-3
# The log score, by distance, of a point that equals a learned one.
SAME = round(math.log(_LEAST_DISTANCE) / GRAIN) * GRAIN


class SubspaceNeighbours(DataSizedBuffers, Evidence):
    """The distance to the nearest normal point, over random halves of the features, in the logarithmic mean.

    A row that is strange in a few features lies far off in the halves that have them, and is not hidden by
    all the others, as in feature bagging (Lazarevic & Kumar, 2005). At most `most_points` points are kept.

    Shape: points [rows, width] → log scores [rows, 1], shares [rows, width].
    """

    memory: Tensor
    halves: Tensor
    owners: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"memory": 0}

    def __init__(self, owners: Tensor, most_points: int):
        super().__init__()
        self.most_points = most_points
        features = int(owners.max()) + 1
        # These names stand in model files.
        self.register_buffer("memory", torch.zeros(1, len(owners)))
        self.register_buffer("halves", torch.ones(2 * _PAIRS, features, dtype=torch.bool))
        self.register_buffer("owners", owners, persistent=False)

    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        self.memory = points[: self.most_points].clone()
        features = self.halves.shape[1]
        for pair in range(_PAIRS):
            chosen = torch.randperm(features)[: (features + 1) // 2]
            half = torch.zeros(features, dtype=torch.bool)
            half[chosen] = True
            self.halves[2 * pair] = half
            self.halves[2 * pair + 1] = ~half if features > 1 else half
        return self(held_out, places)[0]  # type: ignore[no-any-return]

    def forward(self, points: Tensor, itself: Tensor | None = None) -> tuple[Tensor, Tensor]:
        excluded = None if itself is None else torch.where(itself < len(self.memory), itself, -1)
        total, parts = points.new_zeros(len(points)), torch.zeros_like(points)
        for features, values in self._subspaces():
            some, memory = points[:, values], self.memory[:, values]
            squared = (some - memory[nearest(some, memory, excluded)]).square() / features
            parts[:, values] += squared
            total += (squared.sum(dim=1).sqrt() + _FLOOR).log()
        return rounded(total / len(self.halves))[:, None], as_shares(parts)

    def _subspaces(self) -> Iterator[tuple[int, Tensor]]:
        """Of each half, how many features it has and the places of their values."""
        for half in self.halves:
            yield int(half.sum()), half[self.owners].nonzero()[:, 0]


class NearestRow(DataSizedBuffers, Evidence):
    """The distance to the nearest normal point, and the same relative to how close points lie around it.

    Relative to the root of the distance to its own fifth neighbour: between the distance itself (Knorr &
    Ng, 1998) and local outlier factors (Breunig et al., 2000).

    Shape: points [rows, width] → log scores [rows, 2], shares [rows, width].
    """

    scores = 2

    memory: Tensor
    widths: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"memory": 0, "widths": 0}

    def __init__(self, width: int):
        super().__init__()
        # These names stand in model files.
        self.register_buffer("memory", torch.zeros(1, width))
        self.register_buffer("widths", torch.ones(1, 2))

    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        self.memory = points[:_NEAREST_POINTS].clone()
        self.widths = _neighbour_distances(self.memory)
        return self(held_out, places)[0]  # type: ignore[no-any-return]

    def forward(self, points: Tensor, itself: Tensor | None = None) -> tuple[Tensor, Tensor]:
        excluded = None if itself is None else torch.where(itself < len(self.memory), itself, -1)
        return self._judged(points, nearest(points, self.memory, excluded), excluded)

    def judged_apart(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """As `forward`, but a learned point that equals one of `points` does not count.

        The place of that one [rows], or -1, comes third; None where no point equals any.
        """
        index = nearest(points, self.memory)
        equal = (points == self.memory[index]).all(dim=1)
        if not equal.any():
            return *self._judged(points, index, None), None
        itself = torch.where(equal, index, -1)
        index[equal] = nearest(points[equal], self.memory, itself[equal])
        return *self._judged(points, index, itself), itself

    def _judged(self, points: Tensor, index: Tensor, itself: Tensor | None) -> tuple[Tensor, Tensor]:
        squared = (points - self.memory[index]).square()
        distances = squared.sum(dim=1).sqrt()
        widths, wider = self.widths[index].unbind(dim=1)
        if itself is not None:
            # It may be among the neighbours of the one it is nearest to: without it, the next one counts.
            widths = torch.where((itself >= 0) & (distances <= widths), wider, widths)
        return _logarithms(distances, widths), as_shares(squared)


def _logarithms(distances: Tensor, widths: Tensor) -> Tensor:
    """Of `distances` [rows], and of these relative to the `widths` [rows] around; [rows, 2]."""
    logarithms = (distances + _LEAST_DISTANCE).log()
    return rounded(torch.stack([logarithms, logarithms - _DENSITY_POWER * (widths + _FLOOR).log()], dim=1))


def _neighbour_distances(points: Tensor) -> Tensor:
    """Of each of `points` [rows, width], the distances to the fifth and sixth of the others; [rows, 2]."""
    count = min(_NEIGHBOURS + 1, len(points) - 1)
    nearby = []
    for start in range(0, len(points), CACHED_ROWS):
        block = points[start : start + CACHED_ROWS]
        # One more, as the nearest of a point is the point itself.
        index = torch.cdist(block, points).topk(count + 1, dim=1, largest=False).indices[:, 1:]
        apart = (block[:, None] - points[index]).square().sum(dim=2).sqrt()
        nearby.append(apart.sort(dim=1).values)
    distances = torch.cat(nearby)
    return distances[:, [min(_NEIGHBOURS, count) - 1, count - 1]]


def nearest(points: Tensor, memory: Tensor, excluded: Tensor | None = None) -> Tensor:
    """Index of the point of `memory` [memory, width] nearest to each of `points` [rows, width]; [rows].

    `excluded` [rows]: for each point one of the memory that does not count, or -1.
    """
    lengths, mirrored = memory.square().sum(dim=1), (-2 * memory).T.contiguous()
    room = points.new_empty(min(CACHED_ROWS, len(points)), len(memory))
    indices = torch.empty(len(points), dtype=torch.long, device=points.device)
    for start in range(0, len(points), CACHED_ROWS):
        block = points[start : start + CACHED_ROWS]
        # The squared length of a point itself is the same for all of the memory.
        distances = torch.addmm(lengths, block, mirrored, out=room[: len(block)])
        if excluded is not None:
            itself = excluded[start : start + CACHED_ROWS]
            rows = (itself >= 0).nonzero()[:, 0]
            distances[rows, itself[rows]] = torch.inf
        indices[start : start + CACHED_ROWS] = _smallest(distances)
    return indices


def _smallest(values: Tensor) -> Tensor:
    # On a CPU, numpy's argmin is ten times faster than torch's.
    if values.device.type == "cpu":
        return torch.from_numpy(values.numpy().argmin(axis=1))
    return values.argmin(dim=1)
