"""What a part of a model without weights says of points, and how finely."""

from __future__ import annotations

from typing import Protocol

from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.kernels import namespace

# Log scores are rounded to this: what is finer is the rounding of sums, which differs between processors and
# with the rows beside. Equal rows get equal scores, and ties at a threshold stay ties.
GRAIN = 2.0**-12


class EvidencePart(Protocol):
    """One way to tell how strange a point is.

    Shape: points [rows, width] of a view → log scores [rows, scores], and shares [rows, width] of the values
    of each point in them, which sum to 1; None where a part cannot tell them. `itself` [rows]: the place
    among the points learned of one that equals a point, or -1. That one does not count: a row that was
    learned is judged as if it had not been.
    """

    def __call__(self, points: Array, itself: Array | None = None) -> tuple[Array, Array | None]: ...


def rounded(log_scores: Array) -> Array:
    """Log scores, of any shape, without the digits that rounding decides."""
    return namespace(log_scores).round(log_scores / GRAIN) * GRAIN


def as_shares(parts: Array) -> Array:
    """Parts [rows, values], none negative, as shares of each row's sum; all alike where the sum is 0."""
    xp = namespace(parts)
    total = xp.sum(parts, axis=1, keepdims=True)
    even = 1.0 / max(parts.shape[1], 1)
    return xp.where(total > 1e-30, parts / xp.clip(total, 1e-30, None), even)
