"""What a part of a model without weights owes to fitting."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from aedetect.models.evaluation.evidence_part import EvidencePart
from aedetect.models.live import as_tensor, settled


class Evidence(nn.Module, ABC):
    """One way to tell how strange a point is, with what it learned from normal points in buffers.

    What it says of points stands in its evaluation pass; see `evaluation.evidence_part.EvidencePart`.
    """

    @abstractmethod
    def settled(self) -> EvidencePart:
        """The evaluation pass as scoring runs it."""

    @abstractmethod
    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        """Learn from `points` [rows, width], which are in random order.

        Returns log scores [held out, scores] of the points `held_out` [held out, width], as if each alone had
        not been learned: it lies where a view that has not learned it puts it, and `places` [held out]
        says which of `points` it is, or -1 where it is none of them.
        """

    def forward(self, points: Tensor, itself: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Log scores [rows, scores] and shares [rows, width] of `points` as scoring computes them."""
        log_scores, shares = self.settled()(settled(points), None if itself is None else settled(itself))
        return as_tensor(log_scores), None if shares is None else as_tensor(shares)
