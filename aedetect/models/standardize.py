"""Rows as standardised values in the user's own proportions: what the auxiliary heads work on.

The encoder log-compresses numbers (an inverse hyperbolic sine: linear near the middle, logarithmic
far out). This module has the models' only pair of functions for that and for its inverse.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.data.features.layout import Layout
from aedetect.models.layers import Columns, Row

# Beyond this the hyperbolic sine would leave float32, and no measurement lies there.
_LARGEST_COMPRESSED = 80.0
# What a value may be at most, in standard deviations: sums of squares must stay finite.
_LARGEST_VALUE = 1e6


def log_compressed(values: Tensor) -> Tensor:
    """Values about as they are near 0, as their logarithm far from it; the same shape.

    >>> log_compressed(torch.tensor([0.1, -1000.0]))
    tensor([ 0.0998, -7.6009])
    """
    return values.asinh()


def inverse_log_compressed(values: Tensor) -> Tensor:
    """The inverse of `log_compressed`, always finite where `values` are numbers; the same shape.

    >>> inverse_log_compressed(log_compressed(torch.tensor([0.5, -20.0])))
    tensor([  0.5000, -20.0000])
    """
    return values.clamp(-_LARGEST_COMPRESSED, _LARGEST_COMPRESSED).sinh()


class StandardizedColumns(nn.Module):
    """Encoded rows as standardised values, and back.

    Scoring works on log-compressed numbers; here they are inverted, each in standard deviations
    from the mean, so that a reconstruction's squared error is the user's. Categories are the
    standardised codes of `Columns`.

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
        # These names stand in model files.
        self.register_buffer("gain", torch.ones(layout.numeric))
        self.register_buffer("shift", torch.zeros(layout.numeric))
        # The feature each value belongs to.
        sizes = torch.tensor([1] * layout.numeric + list(layout.cardinalities), dtype=torch.long)
        owners = torch.repeat_interleave(torch.arange(layout.width), sizes)
        self.register_buffer("owners", owners, persistent=False)

    def fit(self, rows: Tensor) -> None:
        """Take mean and standard deviation of each number from `rows` [rows, features]."""
        numbers = rows[:, : self.layout.numeric].double()
        values = inverse_log_compressed(numbers)
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
        standardised = self.gain * inverse_log_compressed(numbers) + self.shift
        standardised = standardised.clamp(-_LARGEST_VALUE, _LARGEST_VALUE)
        row = Row(torch.cat([standardised, batch[:, self.layout.numeric :]], dim=1), self.layout)
        missing = torch.zeros((len(batch), self.width), dtype=torch.bool, device=batch.device)
        missing[:, : self.layout.numeric] = row.missing
        return self.columns(row), missing

    def rows(self, values: Tensor) -> Tensor:
        """Encoded rows [rows, features] from values: numbers log-compressed, the likeliest categories."""
        rows = self.columns.rows(values)
        numbers = log_compressed((rows[:, : self.layout.numeric] - self.shift) / self.gain)
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
        observed = torch.where(missing, 0.0, squared)
        errors = observed.new_zeros((len(observed), self.layout.width))
        return errors.index_add_(1, self.owners, observed)
