"""A small network that tells normal rows from made-up ones by the evidence on them."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from aedetect.models.batched import BatchedLinear, BatchedNetworks
from aedetect.models.evaluation import discriminator as scored
from aedetect.models.evaluation.discriminator import WIDTH
from aedetect.models.live import live_arrays, settled_arrays, settled_by_blocks


class Discriminator(BatchedNetworks):
    """Learns to weigh log scores as they tell normal rows from made-up ones; see `evaluation.discriminator`.

    Several networks, each learning from its own rows, are one.

    Shape: batches in training are [rows, parts + 1 +
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
        self.first = BatchedLinear(networks, self.parts, WIDTH)
        self.second = BatchedLinear(networks, WIDTH, WIDTH)
        self.last = BatchedLinear(networks, WIDTH, 1)

    def prepare(self, normal: Tensor, networks: int) -> None:
        """Begin anew, with log scores of normal rows [rows, parts] as what is usual."""
        self.center.copy_(normal.mean(dim=0))
        self.spread.copy_(normal.std(dim=0).clamp_min(1e-6))
        self.lowest.copy_(normal.amin(dim=0))
        self.resize(networks)
        self.to(normal.device)

    def evaluation(self) -> scored.Discriminator:
        """The evaluation pass with the weights as they are."""
        return scored.Discriminator(self.parts, live_arrays(self))

    def held_out(self, log_scores: Tensor, folds: Tensor) -> Tensor:
        """Log odds [rows] by the network of a row's number in `folds` [rows], which has not learned it."""
        judge = scored.Discriminator(self.parts, settled_arrays(self))
        return settled_by_blocks(judge.held_out, log_scores, folds)

    def errors(self, batch: Tensor) -> Tensor:
        """The losses of a batch [rows, 1]: cross-entropy, weighted and summed over the networks."""
        log_scores, made_up, weights = batch.split_with_sizes([self.parts, 1, self.networks], dim=1)
        odds = self.evaluation()(log_scores)
        losses = functional.binary_cross_entropy_with_logits(
            odds.float(), made_up.T.expand(self.networks, -1), reduction="none"
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
