"""Evidence from the nearest normal rows: in random halves of the columns, and relative to local density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from aedetect.data.arrays import AnyArray
from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evaluation import neighbours as scored
from aedetect.models.evaluation.neighbours import PAIRS
from aedetect.models.evidence import Evidence
from aedetect.models.live import settled_arrays

# More points go on finding more, as rows often repeat.
_NEAREST_POINTS = 8192
_NEIGHBOURS = 5
_AT_ONCE = 64


class SubspaceNeighbours(DataSizedBuffers, Evidence):
    """Learns the distances to normal points over random halves of the features; see `evaluation.neighbours`.

    At most `most_points` points are kept. `owners` [width]: the feature of each value.
    """

    memory: Tensor
    halves: Tensor
    data_sized: ClassVar[Mapping[str, int]] = {"memory": 0}

    def __init__(self, owners: AnyArray, most_points: int):
        super().__init__()
        self.owners = owners
        self.most_points = most_points
        features = int(owners.max()) + 1
        # These names stand in model files.
        self.register_buffer("memory", torch.zeros(1, len(owners)))
        self.register_buffer("halves", torch.ones(2 * PAIRS, features, dtype=torch.bool))

    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        self.memory = points[: self.most_points].clone()
        features = self.halves.shape[1]
        for pair in range(PAIRS):
            chosen = torch.randperm(features)[: (features + 1) // 2]
            half = torch.zeros(features, dtype=torch.bool)
            half[chosen] = True
            self.halves[2 * pair] = half
            self.halves[2 * pair + 1] = ~half if features > 1 else half
        return self(held_out, places)[0]  # type: ignore[no-any-return]

    def settled(self) -> scored.SubspaceNeighbours:
        return scored.SubspaceNeighbours(self.owners, settled_arrays(self))


class NearestRow(DataSizedBuffers, Evidence):
    """Learns the distances to normal points, and how close these lie; see `evaluation.neighbours`."""

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

    def settled(self) -> scored.NearestRow:
        return scored.NearestRow(self.memory.shape[1], settled_arrays(self))


def _neighbour_distances(points: Tensor) -> Tensor:
    """Of each of `points` [rows, width], the distances to the fifth and sixth of the others; [rows, 2]."""
    count = min(_NEIGHBOURS + 1, len(points) - 1)
    nearby = []
    for start in range(0, len(points), _AT_ONCE):
        block = points[start : start + _AT_ONCE]
        # One more, as the nearest of a point is the point itself.
        index = torch.cdist(block, points).topk(count + 1, dim=1, largest=False).indices[:, 1:]
        apart = (block[:, None] - points[index]).square().sum(dim=2).sqrt()
        nearby.append(apart.sort(dim=1).values)
    distances = torch.cat(nearby)
    return distances[:, [min(_NEIGHBOURS, count) - 1, count - 1]]
