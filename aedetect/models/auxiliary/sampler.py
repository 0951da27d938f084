"""New rows near training rows: how far apart from them is learned."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from aedetect.models.evaluation import sampler as evaluation
from aedetect.models.live import live_arrays

# Columns in which values repeat hold values of their own: a new row takes one that was seen.
_DISTINCT_SHARE = 0.5
# Widths tried for the neighbourhood's normal law; the first that copies no more than fresh rows do.
_WIDTHS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4)
# Samples lie as far from learned rows, in the median, as this share of what validation rows do.
_APART = 0.92
_TRIED_ROWS = 512


class Sampler(nn.Module):
    """Learns how far new rows lie from learned ones; see `evaluation.sampler.Sampler`."""

    reach: Tensor
    repeating: Tensor

    def __init__(self, width: int, numeric: int):
        super().__init__()
        self.width, self.numeric = width, numeric
        # These names stand in model files.
        self.register_buffer("reach", torch.ones(()))
        self.register_buffer("repeating", torch.zeros(width, dtype=torch.bool))

    def fit(self, memory: Tensor, learned: Tensor, validation: Tensor, random: np.random.Generator) -> None:
        """Choose the reach from values [rows, width] of rows in training and of validation rows."""
        distinct = torch.tensor([len(column.unique()) for column in memory.T], device=memory.device)
        self.repeating.copy_(distinct < _DISTINCT_SHARE * len(memory))
        wanted = _APART * _nearest(validation[:_TRIED_ROWS], learned).median()
        everywhere = torch.arange(len(memory), device=memory.device)
        for reach in _WIDTHS:
            self.reach.fill_(reach)
            sampler = evaluation.Sampler(self.width, self.numeric, live_arrays(self))
            drawn = sampler.draw(memory, everywhere, _TRIED_ROWS, random)
            if _nearest(drawn, learned).median() >= wanted:
                break


def _nearest(rows: Tensor, others: Tensor) -> Tensor:
    """Distance of each row to the nearest of the others [rows]."""
    return torch.cat([torch.cdist(block, others).amin(dim=1) for block in torch.split(rows, 256)])
