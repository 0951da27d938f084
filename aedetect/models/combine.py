"""Adding up evidence: each part's log score as a tail probability among held-out normal rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# The tail from which on scores are taken to fall off exponentially, and the quantiles known below it.
_TAIL = 0.1
_KNOTS = 97
_LEAST_TAIL_ROWS = 5
_LEAST_SLOPE, _LEAST_RELATIVE_SLOPE = 1e-6, 1e-3


class TailSurprise(nn.Module):
    """How surprising the log scores of several parts are: minus the logarithm of their tail probability.

    Sums of these are Fisher's way (1932) to combine tests. Up to the tenth strangest held-out row a tail
    probability is read off the held-out rows; beyond, it falls off exponentially with the mean excess.

    Shape: log scores [parts, rows] → surprises [parts, rows], none negative.
    """

    levels: Tensor
    slopes: Tensor
    heights: Tensor

    def __init__(self, parts: int):
        super().__init__()
        # These names stand in model files.
        self.register_buffer("levels", torch.zeros(parts, _KNOTS))
        self.register_buffer("slopes", torch.ones(parts))
        ranks = torch.linspace(0, 1 - _TAIL, _KNOTS, dtype=torch.float64)
        self.register_buffer("heights", -torch.log1p(-ranks).float(), persistent=False)

    def fit(self, held_out: Tensor) -> None:
        """Learn from the log scores of held-out rows [parts, rows], at least two."""
        rows = held_out.shape[1]
        ranked = held_out.double().sort(dim=1).values
        count = min(max(_LEAST_TAIL_ROWS, int(_TAIL * rows)), rows - 1)
        ends = torch.linspace(0, rows - 1 - count, _KNOTS, dtype=torch.float64)
        below = ends.long()
        above = (below + 1).clamp_max(rows - 1)
        self.levels.copy_(torch.lerp(ranked[:, below], ranked[:, above], (ends - below).to(ranked)))
        excess = (ranked[:, -count:] - self.levels[:, -1:]).mean(dim=1)
        least = (_LEAST_RELATIVE_SLOPE * ranked.abs().amax(dim=1)).clamp_min(_LEAST_SLOPE)
        self.slopes.copy_(1 / torch.maximum(excess, least))

    def forward(self, log_scores: Tensor) -> Tensor:
        right = torch.searchsorted(self.levels, log_scores.contiguous()).clamp(1, _KNOTS - 1)
        low, high = self.levels.gather(1, right - 1), self.levels.gather(1, right)
        share = ((log_scores - low) / (high - low).clamp_min(1e-30)).clamp(0, 1)
        inside = torch.lerp(self.heights[right - 1], self.heights[right], share)
        beyond = (log_scores - self.levels[:, -1:]).clamp_min(0) * self.slopes[:, None]
        # A surprise of next to nothing still differs from none: shares are taken of it.
        return (inside + beyond).clamp_min(-math.log1p(-1e-6))
