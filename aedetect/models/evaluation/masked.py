"""A masked autoencoder, several at once: small networks side by side in one batched product."""

from __future__ import annotations

from itertools import pairwise

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.batched import BatchedLinear
from aedetect.models.evaluation.evidence_part import as_shares, rounded
from aedetect.models.evaluation.kernels import gelu, namespace, repeated

_LIMIT = 6.0
_LEAST_ERROR = 1e-3


class MaskedAutoencoder:
    """Reconstructs points from some of their features (He et al., 2022), through a narrow middle.

    A point is scored by the error of its reconstruction when nothing is hidden. `sizes`: how many values go
    in, are in each layer, and come out; the layers of odd number are the codes and what comes out.

    Shape: points [rows, width] → reconstructions [networks, rows, width].
    """

    def __init__(self, sizes: list[int], hidden: int, arrays: Arrays):
        self.networks = arrays.size("layers.0.weight", 0)
        self.hidden = hidden
        self.layers = [
            BatchedLinear(arrays.under(f"layers.{index}"), self.networks, start, end)
            for index, (start, end) in enumerate(pairwise(sizes))
        ]

    def __call__(self, points: Array, seen: Array) -> Array:
        """Reconstructions of points [networks, rows, width], 1 in `seen` [same shape] where known."""
        values = namespace(points).concat([points * seen, seen], axis=2)
        for index, layer in enumerate(self.layers):
            values = layer(values)
            # The codes in the middle, and what comes out, are not bent.
            if (index + 1) % (self.hidden + 1):
                values = gelu(values)
        return values

    def errors(self, points: Array) -> Array:
        """Squared errors [networks, rows, width] with nothing hidden."""
        # What lies beyond the limit, a network cannot see and so cannot reconstruct.
        return namespace(points).square(self._unmasked(points) - points)

    def evidence(self, points: Array) -> tuple[Array, Array]:
        """Log scores [rows], in the mean over the networks, and shares [rows, width]."""
        xp, squared = namespace(points), self.errors(points)
        return rounded(xp.mean(_log_scores(squared), axis=0)), as_shares(xp.mean(squared, axis=0))

    def held_out(self, points: Array, folds: Array) -> Array:
        """Log scores [rows] of points by the network of their fold [rows], which has not learned them."""
        xp = namespace(points)
        each = _log_scores(self.errors(points))
        return rounded(xp.take_along_axis(each, folds[None], axis=0)[0])

    def reconstruct(self, points: Array) -> Array:
        """Reconstructions [rows, width] with nothing hidden, in the mean over the networks."""
        return namespace(points).mean(self._unmasked(points), axis=0)

    def limited(self, points: Array) -> Array:
        """Points as each network may see them; [networks, rows, width]."""
        return repeated(namespace(points).clip(points, -_LIMIT, _LIMIT), self.networks)

    def _unmasked(self, points: Array) -> Array:
        batch = self.limited(points)
        return self(batch, namespace(points).ones_like(batch))


def _log_scores(squared: Array) -> Array:
    """Half the logarithm of the mean error [networks, rows] of squared ones [networks, rows, width]."""
    xp = namespace(squared)
    return 0.5 * xp.log(xp.mean(squared, axis=2) + _LEAST_ERROR)
