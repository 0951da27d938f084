"""Learning how the numbers of a table are spread; see `evaluation.views`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from aedetect.data.arrays import Floats
from aedetect.data.features.layout import Layout
from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.evaluation import views as scored
from aedetect.models.evaluation.kernels import namespace
from aedetect.models.evaluation.layers import Row
from aedetect.models.live import as_tensor, live_arrays, settled, settled_arrays

# Values of a column that the rank view knows one by one; of more than these, evenly spread ones.
_MOST_KNOTS = 1024
# Between these quantiles of a normal distribution lie 90% of it.
_NORMAL_WIDTH = 3.29


class RankView(DataSizedBuffers):
    """Learns how numbers are spread, for `evaluation.views.RankView`."""

    knots: Tensor
    heights: Tensor
    unit: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"knots": 1, "heights": 1}

    def __init__(self, layout: Layout):
        super().__init__()
        self.layout = layout
        # These names stand in model files.
        self.register_buffer("knots", torch.zeros(layout.numeric, 1))
        self.register_buffer("heights", torch.zeros(layout.numeric, 1))
        self.register_buffer("unit", torch.ones(layout.numeric))

    def evaluation(self) -> scored.RankView:
        """The view as far as it has learned."""
        return scored.RankView(self.layout, live_arrays(self))

    def forward(self, batch: Tensor) -> Tensor:
        """Points [rows, width] of encoded rows [rows, features]."""
        points: Tensor = self.evaluation()(batch)
        return points

    def settled(self) -> scored.RankView:
        """The view as scoring has it."""
        return scored.RankView(self.layout, settled_arrays(self))

    def fit(self, rows: Tensor) -> None:
        """Learn how numbers are spread from `rows` [rows, features], of which a few thousand will do."""
        numbers = rows[:, : self.layout.numeric].double().cpu().numpy()
        learned = [_quantile_map(column[~np.isnan(column)]) for column in numbers.T]
        most = max((len(knots) for knots, _, _ in learned), default=1)
        like = rows.new_tensor
        self.knots = like(np.array([_padded(knots, most) for knots, _, _ in learned])).reshape(-1, most)
        self.heights = like(np.array([_padded(heights, most) for _, heights, _ in learned])).reshape(-1, most)
        self.unit.copy_(like(np.array([unit for _, _, unit in learned])))
        self._second = like(np.array([_second(numbers[:, index]) for index in range(self.layout.numeric)]))

    def held_out(self, rows: Tensor) -> Tensor:
        """Values [rows, width] of learned rows [rows, features], each as if it alone had not been learned.

        Only a number that is the one at its end moves: it lies beyond all others. Directly after `fit`.
        """
        ranks, row = self.settled(), Row(settled(rows), self.layout)
        values = row.numbers
        if self.layout.numeric:
            xp, low, high = namespace(values), *(settled(end) for end in self._second.unbind(dim=1))
            pulled = xp.minimum(xp.maximum(values, low), high)
            farther = scored.beyond(values, high, ranks.unit) - scored.beyond(-values, -low, ranks.unit)
            values = ranks.numbers(pulled) + farther
        return as_tensor(ranks.joined(values, row))


def _quantile_map(values: Floats) -> tuple[Floats, Floats, float]:
    """Distinct values ascending [knots], the normal quantiles of their ranks [knots], and a unit."""
    if not len(values):
        return np.zeros(1), np.zeros(1), 1.0
    knots, counts = np.unique(values, return_counts=True)
    count = len(values)
    ranks = np.clip((np.cumsum(counts) - counts / 2) / count, 0.5 / count, 1 - 0.5 / count)
    if len(knots) > _MOST_KNOTS:
        spread = np.linspace(1, len(knots) - 2, _MOST_KNOTS - 2).round()
        places = np.unique([0, *spread, len(knots) - 1]).astype(np.int64)
        knots, ranks = knots[places], ranks[places]
    low, high = np.sinh(np.clip(np.quantile(values, [0.05, 0.95]), -80, 80))
    unit = (high - low) / _NORMAL_WIDTH
    if not unit > 0:
        unit = float(np.std(np.sinh(np.clip(values, -80, 80)))) or 1.0
    heights = torch.special.ndtri(torch.from_numpy(ranks)).numpy()
    return knots, heights, float(unit)


def _second(values: Floats) -> tuple[float, float]:
    """The ends of `values` [rows] without any one of them: the second values where an end has only one."""
    ranked = np.sort(values[~np.isnan(values)])
    if len(ranked) < 3:
        return -np.inf, np.inf
    return float(ranked[1]), float(ranked[-2])


def _padded(values: Floats, size: int) -> Floats:
    return np.concatenate([values, np.full(size - len(values), values[-1])])
