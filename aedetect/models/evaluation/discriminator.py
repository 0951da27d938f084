"""A small network that tells normal rows from made-up ones by the evidence on them."""

from __future__ import annotations

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.batched import BatchedLinear
from aedetect.models.evaluation.evidence_part import rounded
from aedetect.models.evaluation.kernels import namespace, repeated, silu

WIDTH = 32
# Evidence beyond is not told apart: made-up rows are strange, others may be stranger.
_HIGHEST = 30.0


class Discriminator:
    """Weighs log scores against one another, as they tell a table's normal rows from made-up ones.

    What is evidence differs between tables: in one the distances by rank tell, in another the density. After
    LUNAR (Goodge et al., 2022), which learns to weigh distances to neighbours.

    Shape: log scores [rows, parts] → log odds [networks, rows].
    """

    def __init__(self, parts: int, arrays: Arrays):
        self.networks = arrays.size("first.weight", 0)
        self.center = arrays.take("center", parts)
        self.spread = arrays.take("spread", parts)
        self.lowest = arrays.take("lowest", parts)
        self.first = BatchedLinear(arrays.under("first"), self.networks, parts, WIDTH)
        self.second = BatchedLinear(arrays.under("second"), self.networks, WIDTH, WIDTH)
        self.last = BatchedLinear(arrays.under("last"), self.networks, WIDTH, 1)

    def __call__(self, log_scores: Array) -> Array:
        xp = namespace(log_scores)
        # What is less strange than all normal rows is no stranger: there was nothing to learn that from.
        least = xp.maximum(log_scores, self.lowest)
        usual = xp.clip((least - self.center) / self.spread, None, _HIGHEST)
        hidden = silu(self.first(repeated(usual, self.networks)))
        hidden = hidden + silu(self.second(hidden))
        return self.last(hidden)[:, :, 0]

    def evidence(self, log_scores: Array) -> Array:
        """Log odds [rows] that rows are made up, in the mean over the networks."""
        return rounded(namespace(log_scores).mean(self(log_scores), axis=0))

    def held_out(self, log_scores: Array, folds: Array) -> Array:
        """Log odds [rows] by the network of a row's number in `folds` [rows], which has not learned it."""
        xp = namespace(log_scores)
        return rounded(xp.take_along_axis(self(log_scores), folds[None], axis=0)[0])
