"""Learning how surprising each log score is; see `evaluation.surprise`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aedetect.models.evaluation import surprise
from aedetect.models.evaluation.surprise import KNOTS, TAIL
from aedetect.models.live import as_tensor, settled, settled_arrays

_LEAST_TAIL_ROWS = 5
_LEAST_SLOPE, _LEAST_RELATIVE_SLOPE = 1e-6, 1e-3


class TailSurprise(nn.Module):
    """How surprising the log scores of several parts are, learned from those of held-out rows.

    Shape: log scores [parts, rows] → surprises [parts, rows], none negative.
    """

    levels: Tensor
    slopes: Tensor

    def __init__(self, parts: int):
        super().__init__()
        self.parts = parts
        # These names stand in model files.
        self.register_buffer("levels", torch.zeros(parts, KNOTS))
        self.register_buffer("slopes", torch.ones(parts))

    def fit(self, held_out: Tensor) -> None:
        """Learn from the log scores of held-out rows [parts, rows], at least two."""
        rows = held_out.shape[1]
        ranked = held_out.double().sort(dim=1).values
        count = min(max(_LEAST_TAIL_ROWS, int(TAIL * rows)), rows - 1)
        ends = torch.linspace(0, rows - 1 - count, KNOTS, dtype=torch.float64)
        below = ends.long()
        above = (below + 1).clamp_max(rows - 1)
        self.levels.copy_(torch.lerp(ranked[:, below], ranked[:, above], (ends - below).to(ranked)))
        excess = (ranked[:, -count:] - self.levels[:, -1:]).mean(dim=1)
        least = (_LEAST_RELATIVE_SLOPE * ranked.abs().amax(dim=1)).clamp_min(_LEAST_SLOPE)
        self.slopes.copy_(1 / torch.maximum(excess, least))

    def forward(self, log_scores: Tensor) -> Tensor:
        """Surprises as scoring computes them."""
        judge = surprise.TailSurprise(self.parts, settled_arrays(self))
        return as_tensor(judge(settled(log_scores)))
