"""A masked autoencoder, several at once: small networks that learn side by side in one batched product."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.models.batched import BatchedLinear, BatchedNetworks
from aedetect.models.evidence import as_shares, rounded

_MOST_CODES = 32
# Of the features of a row, up to this share is hidden from the network, another share for each row.
_MOST_HIDDEN = 0.6
# A hidden value counts more in training than one that was seen.
_HIDDEN_WEIGHT = 2.0
_LIMIT = 6.0
_LEAST_ERROR = 1e-3


class MaskedAutoencoder(BatchedNetworks):
    """Reconstructs points from some of their features (He et al., 2022), through a narrow middle.

    What is hidden differs from row to row; the network is told the mask. A point is scored by the error of
    its reconstruction when nothing is hidden. Several networks, each learning from its own rows, are one.
    Before the codes in the middle, and after them, are `hidden` layers of `width` units.

    Shape: points [rows, width] → reconstructions [networks, rows, width].
    """

    first_layer = "layers.0"

    owners: Tensor

    def __init__(self, owners: Tensor, width: int, hidden: int, networks: int = 1):
        super().__init__()
        self.register_buffer("owners", owners, persistent=False)
        self.features = int(owners.max()) + 1
        self._inner = [width] * hidden
        self.resize(networks)

    def resize(self, networks: int) -> None:
        size, codes = len(self.owners), min(_MOST_CODES, max(2, 2 * self.features))
        sizes = [2 * size, *self._inner, codes, *self._inner, size]
        # This name stands in model files.
        self.layers = nn.ModuleList(BatchedLinear(networks, start, end) for start, end in pairwise(sizes))

    def forward(self, points: Tensor, seen: Tensor) -> Tensor:
        """Reconstructions of points [networks, rows, width], 1 in `seen` [same shape] where known."""
        values = torch.cat([points * seen, seen], dim=2)
        for index, layer in enumerate(self.layers):
            values = layer(values)
            # The codes in the middle, and what comes out, are not bent.
            if (index + 1) % (len(self._inner) + 1):
                values = functional.gelu(values, approximate="tanh")
        return values

    def objective(self, points: Tensor, learners: Tensor) -> Tensor:
        """Squared errors [rows, width] under random masks, summed over the networks.

        `learners` [rows, networks] is 1 where a network is to learn from a row.
        """
        batch = self._limited(points)
        chance = torch.rand(self.networks, len(points), self.features, device=points.device)
        most = _MOST_HIDDEN * torch.rand(self.networks, len(points), 1, device=points.device)
        seen = (chance >= most).to(points.dtype)[:, :, self.owners]
        weight = _HIDDEN_WEIGHT - (_HIDDEN_WEIGHT - 1) * seen
        squared = (self(batch, seen).float() - batch).square() * weight
        return (squared * learners.T[:, :, None]).sum(dim=0)  # type: ignore[no-any-return]

    def errors(self, points: Tensor) -> Tensor:
        """Squared errors [networks, rows, width] with nothing hidden."""
        batch = self._limited(points)
        # What lies beyond the limit, a network cannot see and so cannot reconstruct.
        return (self(batch, torch.ones_like(batch)) - points).square()  # type: ignore[no-any-return]

    def evidence(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Log scores [rows], in the mean over the networks, and shares [rows, width]."""
        squared = self.errors(points)
        return rounded(_log_scores(squared).mean(dim=0)), as_shares(squared.mean(dim=0))

    def held_out(self, points: Tensor, folds: Tensor) -> Tensor:
        """Log scores [rows] of points by the network of their fold [rows], which has not learned them."""
        return rounded(_log_scores(self.errors(points)).gather(0, folds[None])[0])

    def reconstruct(self, points: Tensor) -> Tensor:
        """Reconstructions [rows, width] with nothing hidden, in the mean over the networks."""
        batch = self._limited(points)
        return self(batch, torch.ones_like(batch)).mean(dim=0)  # type: ignore[no-any-return]

    def _limited(self, points: Tensor) -> Tensor:
        return points.clamp(-_LIMIT, _LIMIT).expand(self.networks, *points.shape)


def _log_scores(squared: Tensor) -> Tensor:
    """Half the logarithm of the mean error [networks, rows] of squared ones [networks, rows, width]."""
    return 0.5 * (squared.mean(dim=2) + _LEAST_ERROR).log()
