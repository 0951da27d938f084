"""What a part of a model without weights owes: to fitting, to scoring, to explanation."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

# Log scores are rounded to this: what is finer is the rounding of sums, which differs between processors and
# with the rows beside. Equal rows get equal scores, and ties at a threshold stay ties.
GRAIN = 2.0**-12


class Evidence(nn.Module, ABC):
    """One way to tell how strange a point is, with what it learned from normal points in buffers.

    Shape: points [rows, width] of a view → log scores [rows, scores], and shares [rows, width] of the values
    of each point in them, which sum to 1; None where a part cannot tell them.
    """

    # How many scores it gives a row.
    scores = 1

    @abstractmethod
    def fit(self, points: Tensor, held_out: Tensor, places: Tensor) -> Tensor:
        """Learn from `points` [rows, width], which are in random order.

        Returns log scores [held out, scores] of the points `held_out` [held out, width], as if each alone had
        not been learned: it lies where a view that has not learned it puts it, and `places` [held out]
        says which of `points` it is, or -1 where it is none of them.
        """

    @abstractmethod
    def forward(self, points: Tensor, itself: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """`itself` [rows]: the place among the points learned of one that equals a point, or -1.

        That one does not count: a row that was learned is judged as if it had not been.
        """


def rounded(log_scores: Tensor) -> Tensor:
    """Log scores, of any shape, without the digits that rounding decides."""
    return (log_scores / GRAIN).round() * GRAIN


def as_shares(parts: Tensor) -> Tensor:
    """Parts [rows, values], none negative, as shares of each row's sum; all alike where the sum is 0."""
    total = parts.sum(dim=1, keepdim=True)
    even = 1.0 / max(parts.shape[1], 1)
    return (parts / total.clamp_min(1e-30)).where(total > 1e-30, parts.new_tensor(even))
