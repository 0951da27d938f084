"""Rows as standardised values in the user's own proportions: what codes and repairs work on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.data.features.layout import Layout
from aedetect.models.base import Columns, Row

# Beyond this the hyperbolic sine would leave float32, and no measurement lies there.
_LARGEST_SINH = 80.0
# What a value may be at most, in standard deviations: sums of squares must stay finite.
_LARGEST_VALUE = 1e6


class StraightColumns(nn.Module):
    """Encoded rows as standardised values, and back.

    Scoring bends numbers by an inverse hyperbolic sine; here they are straight again, each in
    standard deviations from the mean, so that a reconstruction's squared error is the user's.
    Categories are the standardised codes of `Columns`.

    Shape: encoded rows [rows, features] ↔ values [rows, width] with `width` as attribute.
    """

    gain: Tensor
    shift: Tensor
    owners: Tensor

    def __init__(self, layout: Layout):
        super().__init__()
        self.layout = layout
        self.columns = Columns(layout)
        self.width = self.columns.width
        self.register_buffer("gain", torch.ones(layout.numeric))
        self.register_buffer("shift", torch.zeros(layout.numeric))
        # The feature each value belongs to.
        sizes = torch.tensor([1] * layout.numeric + list(layout.cardinalities), dtype=torch.long)
        owners = torch.repeat_interleave(torch.arange(layout.width), sizes)
        self.register_buffer("owners", owners, persistent=False)

    def fit(self, rows: Tensor) -> None:
        """Take mean and standard deviation of each number from `rows` [rows, features]."""
        numbers = rows[:, : self.layout.numeric].double()
        values = numbers.clamp(-_LARGEST_SINH, _LARGEST_SINH).sinh()
        known = ~values.isnan()
        count = known.sum(dim=0).clamp_min(1)
        mean = torch.where(known, values, 0.0).sum(dim=0) / count
        deviation = (torch.where(known, values - mean, 0.0).square().sum(dim=0) / count).sqrt()
        # A number that hardly varies keeps the scale it was encoded with.
        deviation = torch.where(deviation > 1e-9 * (1 + mean.abs()), deviation, 1.0)
        self.gain.copy_(1 / deviation)
        self.shift.copy_(-mean / deviation)

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Values [rows, width], and which of them are missing [rows, width]; those are 0."""
        numbers = batch[:, : self.layout.numeric]
        straight = self.gain * numbers.clamp(-_LARGEST_SINH, _LARGEST_SINH).sinh() + self.shift
        straight = straight.clamp(-_LARGEST_VALUE, _LARGEST_VALUE)
        row = Row(torch.cat([straight, batch[:, self.layout.numeric :]], dim=1), self.layout)
        missing = torch.zeros((len(batch), self.width), dtype=torch.bool, device=batch.device)
        missing[:, : self.layout.numeric] = row.missing
        return self.columns(row), missing

    def rows(self, values: Tensor) -> Tensor:
        """Encoded rows [rows, features] from values: numbers bent again, the likeliest categories."""
        rows = self.columns.rows(values)
        numbers = ((rows[:, : self.layout.numeric] - self.shift) / self.gain).asinh()
        return torch.cat([numbers, rows[:, self.layout.numeric :]], dim=1)

    def code_places(self) -> list[tuple[int, int]]:
        """Of each categorical feature, the first of its values and how many there are."""
        places, first = [], self.layout.numeric
        for size in self.layout.cardinalities:
            places.append((first, size))
            first += size
        return places

    def errors(self, squared: Tensor, missing: Tensor) -> Tensor:
        """Errors [rows, features] from squared deviations [rows, width]; none where missing."""
        kept = torch.where(missing, 0.0, squared)
        errors = kept.new_zeros((len(kept), self.layout.width))
        return errors.index_add_(1, self.owners, kept)
