"""A small network that tells normal rows from made-up ones by the evidence on them."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.models.batched import BatchedLinear, BatchedNetworks
from aedetect.models.evidence import rounded

_WIDTH = 32
# Evidence beyond is not told apart: made-up rows are strange, others may be stranger.
_HIGHEST = 30.0


class Discriminator(BatchedNetworks):
    """Weighs log scores against one another, as they tell a table's normal rows from made-up ones.

    What is evidence differs between tables: in one the distances by rank tell, in another the density. After
    LUNAR (Goodge et al., 2022), which learns to weigh distances to neighbours. Several networks, each
    learning from its own rows, are one.

    Shape: log scores [rows, parts] → log odds [networks, rows]. Batches in training are [rows, parts + 1 +
    networks]: after the parts, 1 for a made-up row, and the weight of the row for each network.
    """

    first_layer = "first"
    step_range: ClassVar[tuple[int, int]] = (300, 300)

    center: Tensor
    spread: Tensor
    lowest: Tensor

    def __init__(self, parts: int, networks: int = 1):
        super().__init__()
        self.parts = parts
        # These names stand in model files.
        self.register_buffer("center", torch.zeros(parts))
        self.register_buffer("spread", torch.ones(parts))
        self.register_buffer("lowest", torch.full((parts,), -1e9))
        self.resize(networks)

    def resize(self, networks: int) -> None:
        self.first = BatchedLinear(networks, self.parts, _WIDTH)
        self.second = BatchedLinear(networks, _WIDTH, _WIDTH)
        self.last = BatchedLinear(networks, _WIDTH, 1)

    def prepare(self, normal: Tensor, networks: int) -> None:
        """Begin anew, with log scores of normal rows [rows, parts] as what is usual."""
        self.center.copy_(normal.mean(dim=0))
        self.spread.copy_(normal.std(dim=0).clamp_min(1e-6))
        self.lowest.copy_(normal.amin(dim=0))
        self.resize(networks)
        self.to(normal.device)

    def forward(self, log_scores: Tensor) -> Tensor:
        # What is less strange than all normal rows is no stranger: there was nothing to learn that from.
        least = torch.maximum(log_scores, self.lowest)
        usual = ((least - self.center) / self.spread).clamp_max(_HIGHEST)
        hidden = functional.silu(self.first(usual.expand(self.networks, *usual.shape)))
        hidden = hidden + functional.silu(self.second(hidden))
        return self.last(hidden)[:, :, 0]  # type: ignore[no-any-return]

    def evidence(self, log_scores: Tensor) -> Tensor:
        """Log odds [rows] that rows are made up, in the mean over the networks."""
        return rounded(self(log_scores).mean(dim=0))

    def held_out(self, log_scores: Tensor, folds: Tensor) -> Tensor:
        """Log odds [rows] by the network of a row's number in `folds` [rows], which has not learned it."""
        return rounded(self(log_scores).gather(0, folds[None])[0])

    def errors(self, batch: Tensor) -> Tensor:
        """The losses of a batch [rows, 1]: cross-entropy, weighted and summed over the networks."""
        log_scores, made_up, weights = batch.split_with_sizes([self.parts, 1, self.networks], dim=1)
        losses = functional.binary_cross_entropy_with_logits(
            self(log_scores).float(), made_up.T.expand(self.networks, -1), reduction="none"
        )
        return (losses * weights.T).sum(dim=0)[:, None]

    def penalty(self, batch: Tensor) -> Tensor | None:
        return None

    def vectors(self, batch: Tensor) -> Tensor:
        return batch[:, : self.parts]

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        return
