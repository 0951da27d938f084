"""A masked autoencoder, several at once: small networks that learn side by side in one batched product."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from aedetect.data.arrays import AnyArray
from aedetect.models.batched import BatchedLinear, BatchedNetworks
from aedetect.models.evaluation import masked as scored
from aedetect.models.evaluation.kernels import index_on
from aedetect.models.live import live_arrays, settled_arrays, settled_by_blocks

# Of the features of a row, up to this share is hidden from the network, another share for each row.
_MOST_HIDDEN = 0.6
# A hidden value counts more in training than one that was seen.
_HIDDEN_WEIGHT = 2.0


class MaskedAutoencoder(BatchedNetworks):
    """Reconstructs points from some of their features (He et al., 2022), through a narrow middle.

    What is hidden differs from row to row; the network is told the mask. Several networks, each learning from
    its own rows, are one. `owners` [width] are the features of a point's values; for `sizes` and `hidden` see
    `evaluation.masked.MaskedAutoencoder`.
    """

    first_layer = "layers.0"

    def __init__(self, owners: AnyArray, sizes: list[int], hidden: int, networks: int = 1):
        super().__init__()
        self.owners, self.features = owners, int(owners.max()) + 1
        self._sizes, self._hidden = sizes, hidden
        self.resize(networks)

    def resize(self, networks: int) -> None:
        # This name stands in model files.
        self.layers = nn.ModuleList(
            BatchedLinear(networks, start, end) for start, end in pairwise(self._sizes)
        )

    def objective(self, points: Tensor, learners: Tensor) -> Tensor:
        """Squared errors [rows, width] under random masks, summed over the networks.

        `learners` [rows, networks] is 1 where a network is to learn from a row.
        """
        network = self.evaluation()
        batch = network.limited(points)
        chance = torch.rand(self.networks, len(points), self.features, device=points.device)
        most = _MOST_HIDDEN * torch.rand(self.networks, len(points), 1, device=points.device)
        seen = (chance >= most).to(points.dtype)[:, :, index_on(points, self.owners)]
        weight = _HIDDEN_WEIGHT - (_HIDDEN_WEIGHT - 1) * seen
        squared = (network(batch, seen).float() - batch).square() * weight
        return (squared * learners.T[:, :, None]).sum(dim=0)  # type: ignore[no-any-return]

    def evaluation(self) -> scored.MaskedAutoencoder:
        """The evaluation pass with the weights as they are."""
        return scored.MaskedAutoencoder(self._sizes, self._hidden, live_arrays(self))

    def held_out(self, points: Tensor, folds: Tensor) -> Tensor:
        """Log scores [rows] of points by the network of their fold [rows], which has not learned them."""
        judge = scored.MaskedAutoencoder(self._sizes, self._hidden, settled_arrays(self))
        return settled_by_blocks(judge.held_out, points, folds)
