"""Rows as standardised values in the user's own proportions: how their means and deviations are learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.data.features.layout import Layout
from aedetect.models.evaluation import standardize as evaluation
from aedetect.models.live import live_arrays


class StandardizedColumns(nn.Module):
    """Mean and standard deviation of each number; see `evaluation.standardize.StandardizedColumns`."""

    gain: Tensor
    shift: Tensor

    def __init__(self, layout: Layout):
        super().__init__()
        self.layout = layout
        # These names stand in model files.
        self.register_buffer("gain", torch.ones(layout.numeric))
        self.register_buffer("shift", torch.zeros(layout.numeric))

    def evaluation(self) -> evaluation.StandardizedColumns:
        """The way from encoded rows to standardised values and back, as they are now."""
        return evaluation.StandardizedColumns(self.layout, live_arrays(self))

    def fit(self, rows: Tensor) -> None:
        """Take mean and standard deviation of each number from `rows` [rows, features]."""
        numbers = rows[:, : self.layout.numeric].double()
        values = evaluation.inverse_log_compressed(numbers)
        known = ~values.isnan()
        count = known.sum(dim=0).clamp_min(1)
        mean = torch.where(known, values, 0.0).sum(dim=0) / count
        deviation = (torch.where(known, values - mean, 0.0).square().sum(dim=0) / count).sqrt()
        # A number that hardly varies keeps the scale it was encoded with.
        deviation = torch.where(deviation > 1e-9 * (1 + mean.abs()), deviation, 1.0)
        self.gain.copy_(1 / deviation)
        self.shift.copy_(-mean / deviation)
