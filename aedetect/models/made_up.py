"""Made-up rows: normal ones damaged in several ways, to learn from what strange rows look like."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.features.layout import Layout

_SWAPPED = 0.35
_SHIFT = (0.5, 2.5)
_NOISE, _DILATION, _OUTSIDE = 0.5, 2.0, 0.1
_MIXED = (0.2, 0.8)
_FEW = 2


class MadeUpRows:
    """Draws rows that are not normal, from encoded normal rows [rows, features].

    Each kind breaks something else: which cells go together (swapped, shuffled, few swapped), where rows lie
    (shifted, uniform, dilated), how close they are to one another (noisy, mixed). After Shi & Horvath
    (2006), who tell rows from shuffled ones. Numbers that only take certain values go on taking these.
    Draws from torch's global generator.
    """

    def __init__(self, rows: Tensor, layout: Layout):
        self.rows = rows
        self.layout = layout
        numbers = rows[:, : layout.numeric]
        known = ~numbers.isnan()
        count = known.sum(dim=0).clamp_min(1)
        self.mean = torch.where(known, numbers, 0.0).sum(dim=0) / count
        deviations = torch.where(known, numbers - self.mean, 0.0)
        self.deviation = (deviations.square().sum(dim=0) / count).sqrt()
        self.low = torch.where(known, numbers, torch.inf).amin(dim=0)
        self.high = torch.where(known, numbers, -torch.inf).amax(dim=0)
        self.values = [column[~column.isnan()].unique() for column in numbers.T]

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """`count` rows of each kind [kinds · count, features], and the place of the row that each was.

        The place [kinds · count] is -1 for those that were put together from many.
        """
        kinds: list[Callable[[Tensor], Tensor]] = [
            self._swapped, self._shuffled, self._shifted, self._noisy, self._uniform, self._dilated,
            self._few_swapped, self._mixed,
        ]  # fmt: skip
        drawn, sources = [], []
        for kind in kinds:
            places = torch.randint(len(self.rows), (count,)).to(self.rows.device)
            drawn.append(kind(self.rows[places]))
            sources.append(torch.full_like(places, -1) if kind in (self._shuffled, self._uniform) else places)
        return self._as_values(torch.cat(drawn)), torch.cat(sources)

    def _sample(self, count: int) -> Tensor:
        return self.rows[torch.randint(len(self.rows), (count,)).to(self.rows.device)]

    def _chance(self, rows: Tensor) -> Tensor:
        return torch.rand(rows.shape).to(rows.device)

    def _swapped(self, rows: Tensor) -> Tensor:
        return torch.where(self._chance(rows) < _SWAPPED, self._sample(len(rows)), rows)

    def _shuffled(self, rows: Tensor) -> Tensor:
        places = torch.randint(len(self.rows), rows.shape).to(rows.device)
        return self.rows.gather(0, places)

    def _few_swapped(self, rows: Tensor) -> Tensor:
        order = self._chance(rows).argsort(dim=1).argsort(dim=1)
        few = order < min(_FEW, max(rows.shape[1] - 1, 1))
        return torch.where(few, self._sample(len(rows)), rows)

    def _shifted(self, rows: Tensor) -> Tensor:
        one = self._chance(rows).argsort(dim=1).argsort(dim=1) == 0
        size = _SHIFT[0] + (_SHIFT[1] - _SHIFT[0]) * self._chance(rows)
        sign = torch.where(self._chance(rows) < 0.5, -1.0, 1.0)
        return self._numbers_moved(rows, torch.where(one, sign * size, 0.0), one)

    def _noisy(self, rows: Tensor) -> Tensor:
        return self._numbers_moved(rows, _NOISE * torch.randn(rows.shape).to(rows.device))

    def _uniform(self, rows: Tensor) -> Tensor:
        reach = (1 + 2 * _OUTSIDE) * (self.high - self.low)
        drawn = rows.clone()
        chance = self._chance(rows)
        numeric = self.layout.numeric
        drawn[:, :numeric] = self.low - _OUTSIDE * (self.high - self.low) + reach * chance[:, :numeric]
        for place, size in enumerate(self.layout.cardinalities):
            known = max(size - FIRST_KNOWN, 1)
            first = min(FIRST_KNOWN, size - 1)
            drawn[:, numeric + place] = first + (known * chance[:, numeric + place]).floor()
        return drawn

    def _dilated(self, rows: Tensor) -> Tensor:
        drawn = self._swapped(rows)
        numeric = self.layout.numeric
        drawn[:, :numeric] = self.mean + _DILATION * (rows[:, :numeric] - self.mean)
        return drawn

    def _mixed(self, rows: Tensor) -> Tensor:
        others = self._sample(len(rows))
        share = _MIXED[0] + (_MIXED[1] - _MIXED[0]) * torch.rand(len(rows), 1).to(rows.device)
        drawn = torch.where(self._chance(rows) < 0.5, others, rows)
        numeric = self.layout.numeric
        drawn[:, :numeric] = torch.lerp(rows[:, :numeric], others[:, :numeric], share)
        return drawn

    def _numbers_moved(self, rows: Tensor, moves: Tensor, codes: Tensor | None = None) -> Tensor:
        """Rows with numbers moved by so many standard deviations, and some categories exchanged."""
        exchanged = self._chance(rows) < _SWAPPED if codes is None else codes
        drawn = torch.where(exchanged, self._sample(len(rows)), rows)
        numeric = self.layout.numeric
        drawn[:, :numeric] = rows[:, :numeric] + moves[:, :numeric] * self.deviation
        return drawn

    def _as_values(self, rows: Tensor) -> Tensor:
        """Numbers of columns in which values repeat, as the nearest of these values unless beyond all."""
        for feature, values in enumerate(self.values):
            if not 1 < len(values) < len(self.rows) / 2:
                continue
            column = rows[:, feature].contiguous()
            right = torch.searchsorted(values, column).clamp(1, len(values) - 1)
            low, high = values[right - 1], values[right]
            nearest = torch.where(column - low < high - column, low, high)
            inside = (column > values[0]) & (column < values[-1])
            rows[:, feature] = torch.where(inside, nearest, column)
        return rows
