"""New rows near training rows, along the directions in which neighbours vary: the head behind `sample`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.models.auxiliary.imputer import NEIGHBOURS

# Columns in which values repeat hold values of their own: a new row takes one that was seen.
_DISTINCT_SHARE = 0.5
# Widths tried for the neighbourhood's normal law; the first that copies no more than fresh rows do.
_WIDTHS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4)
# Samples lie as far from learned rows, in the median, as this share of what validation rows do.
_APART = 0.92
_TRIED_ROWS = 512


class Sampler(nn.Module):
    """Draws rows from a manifold Parzen density over memory rows (Vincent & Bengio, 2003).

    A memory row is drawn, pulled towards the mean of its neighbours, and moved by a random
    combination of their deviations from it: a normal law of the local covariance. The pull makes up for
    the spread that the move adds (West, 1993). How far is learned: so that new rows are not nearer to
    learned ones than validation rows are. Its categories are those of one neighbour.

    Shape: memory [memory rows, width] → values [rows, width].
    """

    reach: Tensor
    repeating: Tensor

    def __init__(self, width: int, numeric: int):
        super().__init__()
        self.numeric = numeric
        # These names stand in model files.
        self.register_buffer("reach", torch.ones(()))
        self.register_buffer("repeating", torch.zeros(width, dtype=torch.bool))

    def fit(self, memory: Tensor, learned: Tensor, validation: Tensor, random: torch.Generator) -> None:
        """Choose the reach from values [rows, width] of rows in training and of validation rows."""
        distinct = torch.tensor([len(column.unique()) for column in memory.T], device=memory.device)
        self.repeating.copy_(distinct < _DISTINCT_SHARE * len(memory))
        wanted = _APART * _nearest(validation[:_TRIED_ROWS], learned).median()
        for reach in _WIDTHS:
            self.reach.fill_(reach)
            drawn = self.draw(memory, torch.arange(len(memory), device=memory.device), _TRIED_ROWS, random)
            if _nearest(drawn, learned).median() >= wanted:
                break

    def draw(self, memory: Tensor, among: Tensor, count: int, random: torch.Generator) -> Tensor:
        """`count` new rows of values, near the memory rows with the indices `among`."""
        chosen = among[torch.randint(len(among), (count,), generator=random).to(among.device)]
        near = min(NEIGHBOURS + 1, len(among))
        pool = memory[among]
        neighbours = torch.cdist(memory[chosen], pool).topk(near, dim=1, largest=False).indices
        around = pool[neighbours]
        middle = around.mean(dim=1)
        weights = torch.randn(count, near, 1, generator=random).to(memory) * self.reach
        moves = (weights * (around - middle[:, None])).sum(dim=1) / max(near - 1, 1) ** 0.5
        shrinkage = (1 - self.reach.square()).clamp_min(0).sqrt()
        moved = middle + shrinkage * (memory[chosen] - middle) + moves
        nearest = (around - moved[:, None, :]).abs().argmin(dim=1, keepdim=True)
        seen = around.gather(1, nearest)[:, 0]
        drawn = torch.where(self.repeating, seen, moved)
        donor = torch.randint(near, (count,), generator=random).to(memory.device)
        categories = around[torch.arange(count, device=memory.device), donor, self.numeric :]
        return torch.cat([drawn[:, : self.numeric], categories], dim=1)


def _nearest(rows: Tensor, others: Tensor) -> Tensor:
    """Distance of each row to the nearest of the others [rows]."""
    return torch.cat([torch.cdist(block, others).amin(dim=1) for block in torch.split(rows, 256)])
