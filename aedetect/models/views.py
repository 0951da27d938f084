"""Rows as points between which distances are taken: standardised, or each number by its rank.

A number becomes one value. A category becomes a fixed direction, the longer the rarer it is, so that rows
of different categories are apart by what the categories are worth, whichever they are. Directions come
from numpy's frozen legacy generator: a model file need not hold them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from aedetect.data.arrays import Floats
from aedetect.data.features.layout import Layout
from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.layers import Row
from aedetect.models.standardize import inverse_log_compressed, log_compressed

# Categories beyond so many share their dimensions: random directions are nearly at right angles.
_MOST_DIRECTIONS = 32
# Of a category with the usual share, the length of its direction; how short and how long others may be.
_LENGTH, _USUAL_SHARE, _SHORTEST, _LONGEST = 0.9, 0.25, 0.5, 3.0
_LEAST_SHARE = 1e-4
# The distance between a missing number and one that is there, in standard deviations.
_MISSING = 2.0
# Numbers are linear up to so many standard deviations, logarithmic beyond.
_LINEAR_RANGE = 10.0
# Values of a column that the rank view knows one by one; of more than these, evenly spread ones.
_MOST_KNOTS = 1024
# Beyond all values learned, a number is so much farther out than its distance alone makes it.
_BEYOND = 0.3
# Between these quantiles of a normal distribution lie 90% of it.
_NORMAL_WIDTH = 3.29


class View(nn.Module, ABC):
    """Points of rows. `owners` [width] are the features that the values belong to.

    Shape: encoded rows [rows, features] → values [rows, width] with `width` as attribute.
    """

    owners: Tensor
    gaps: Tensor

    def __init__(self, layout: Layout):
        super().__init__()
        self.layout = layout
        sizes = [min(size, _MOST_DIRECTIONS) for size in layout.cardinalities]
        gaps = np.flatnonzero(layout.gaps)
        categories = np.repeat(np.arange(len(sizes)) + layout.numeric, np.array(sizes, dtype=np.int64))
        owners = np.concatenate([np.arange(layout.numeric), gaps, categories])
        self.width = len(owners)
        # Computed from the layout again when a model is loaded: no part of the model file.
        self.register_buffer("owners", torch.from_numpy(owners).long(), persistent=False)
        self.register_buffer("gaps", torch.from_numpy(gaps).long(), persistent=False)
        for place, prior in enumerate(layout.priors):
            directions = torch.from_numpy(_directions(prior, place)).float()
            self.register_buffer(f"directions{place}", directions, persistent=False)

    @abstractmethod
    def numbers(self, scaled: Tensor) -> Tensor:
        """Values of encoded numbers [rows, numeric], of which none is missing; the same shape."""

    def forward(self, batch: Tensor) -> Tensor:
        row = Row(batch, self.layout)
        return self._joined(self.numbers(row.numbers), row)

    @abstractmethod
    def inverse_numbers(self, values: Tensor) -> Tensor:
        """Encoded numbers [rows, numeric] of their values [rows, numeric]."""

    def inverse(self, points: Tensor) -> Tensor:
        """Encoded rows [rows, features] near points [rows, width]: numbers, and the likeliest categories."""
        parts = [self.inverse_numbers(points[:, : self.layout.numeric])]
        for place in range(len(self.layout.priors)):
            directions = self.get_buffer(f"directions{place}")
            part = points[:, self.owners == self.layout.numeric + place]
            parts.append(torch.cdist(part, directions).argmin(dim=1, keepdim=True).to(points.dtype))
        return torch.cat(parts, dim=1)

    def _joined(self, numbers: Tensor, row: Row) -> Tensor:
        """Values [rows, width] of numbers [rows, numeric], marks of gaps and directions of categories."""
        parts = [torch.where(row.missing, 0.0, numbers)]
        if len(self.gaps):
            parts.append(_MISSING * row.missing[:, self.gaps].to(numbers.dtype))
        for place in range(len(self.layout.priors)):
            parts.append(self.get_buffer(f"directions{place}")[row.codes[:, place]])
        return torch.cat(parts, dim=1)


class StandardView(View):
    """Numbers in standard deviations from the mean, logarithmic far out."""

    gain: Tensor
    shift: Tensor

    def __init__(self, layout: Layout):
        super().__init__(layout)
        self.register_buffer("gain", torch.from_numpy(layout.gain).float(), persistent=False)
        self.register_buffer("shift", torch.from_numpy(layout.shift).float(), persistent=False)

    def numbers(self, scaled: Tensor) -> Tensor:
        values = self.gain * inverse_log_compressed(scaled) + self.shift
        size = values.abs()
        far = values.sign() * _LINEAR_RANGE * (1 + (size / _LINEAR_RANGE).clamp_min(1.0).log())
        return torch.where(size > _LINEAR_RANGE, far, values)

    def inverse_numbers(self, values: Tensor) -> Tensor:
        size = values.abs()
        far = values.sign() * _LINEAR_RANGE * (size / _LINEAR_RANGE - 1).exp()
        straight = torch.where(size > _LINEAR_RANGE, far, values)
        return log_compressed((straight - self.shift) / self.gain)


class RankView(DataSizedBuffers, View):
    """Each number through its own training distribution to a normal one, logarithmic beyond its ends.

    What is learned of a number is where it lies among others: heavy tails, steps and scales drop out.

    Shape: as of `View`. `knots` [numeric, knots] are values of a feature, ascending, `heights` [numeric,
    knots] what they become, and `unit` [numeric] is what distances beyond the ends are measured in.
    """

    knots: Tensor
    heights: Tensor
    unit: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"knots": 1, "heights": 1}

    def __init__(self, layout: Layout):
        super().__init__(layout)
        # These names stand in model files.
        self.register_buffer("knots", torch.zeros(layout.numeric, 1))
        self.register_buffer("heights", torch.zeros(layout.numeric, 1))
        self.register_buffer("unit", torch.ones(layout.numeric))

    def numbers(self, scaled: Tensor) -> Tensor:
        low, high = self.knots[:, 0], self.knots[:, -1]
        inside = _between(scaled, self.knots, self.heights)
        return inside + _beyond(scaled, high, self.unit) - _beyond(-scaled, -low, self.unit)

    def inverse_numbers(self, values: Tensor) -> Tensor:
        return _between(values, self.heights, self.knots)

    def fit(self, rows: Tensor) -> None:
        """Learn how numbers are spread from `rows` [rows, features], of which a few thousand will do."""
        row = Row(rows, self.layout)
        numbers = row.numbers.double().masked_fill(row.missing, torch.nan).cpu().numpy()
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
        row = Row(rows, self.layout)
        numbers = row.numbers.clone()
        if self.layout.numeric:
            low, high = self._second.unbind(dim=1)
            pulled = numbers.clamp(low, high)
            values = self.numbers(pulled)
            values += _beyond(numbers, high, self.unit) - _beyond(-numbers, -low, self.unit)
        else:
            values = numbers
        return self._joined(values, row)


def _between(values: Tensor, knots: Tensor, heights: Tensor) -> Tensor:
    """Values [rows, numeric] interpolated from `knots` to `heights` [numeric, knots]; the same shape."""
    columns = values.T.contiguous()
    right = torch.searchsorted(knots, columns).clamp_max(knots.shape[1] - 1)
    left = (right - 1).clamp_min(0)
    low, high = knots.gather(1, left), knots.gather(1, right)
    share = ((columns - low) / (high - low).clamp_min(1e-30)).clamp(0, 1)
    return torch.lerp(heights.gather(1, left), heights.gather(1, right), share).T


def _beyond(scaled: Tensor, end: Tensor, unit: Tensor) -> Tensor:
    """How much farther out than their column's `end` [numeric] numbers [rows, numeric] lie; 0 within."""
    apart = (inverse_log_compressed(scaled) - inverse_log_compressed(end)) / unit
    return torch.where(scaled > end, _BEYOND + apart.clamp_min(0).log1p(), 0.0)


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


def _directions(prior: Floats, place: int) -> Floats:
    """A vector for each code of a categorical feature [codes, dimensions]; the rarer, the longer."""
    codes = len(prior)
    if codes <= _MOST_DIRECTIONS:
        directions = np.eye(codes)
    else:
        directions = np.random.RandomState(place).standard_normal((codes, _MOST_DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shares = np.clip(prior, _LEAST_SHARE, 1 - _LEAST_SHARE)
    rarity = np.sqrt(np.log(shares) / np.log(_USUAL_SHARE))
    return np.asarray(_LENGTH * np.clip(rarity, _SHORTEST, _LONGEST)[:, None] * directions)
