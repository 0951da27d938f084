"""The contract of a model, and the layers all models share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.features.categorical import MISSING, OTHER
from aedetect.features.layout import Layout

# Inputs are clipped here: a network extrapolates wildly beyond what it was trained on, and a
# value it cannot see in full it cannot rebuild, which is what an outlier deserves.
INPUT_LIMIT = 10.0
# Share of the smoothed training frequencies mixed into predicted category probabilities: bounds
# the surprise of a category never seen, for which the network alone has no evidence.
PRIOR_SHARE = 0.02
# Learned rows that a model is given to remember, or to compare with.
REFERENCE_ROWS = 512


class Autoencoder(nn.Module, ABC):
    """Rebuilds rows; what it cannot rebuild is unlike what it was trained on.

    Shape: batches are float32 [rows, features] as described by `Layout`; NaN is a missing number.
    Randomness (noise, masks) is drawn from torch's global generator and in training mode only.
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__()
        self.layout = layout
        self.config = config

    @abstractmethod
    def errors(self, batch: Tensor) -> Tensor:
        """Reconstruction errors [rows, features], unreduced, finite and not negative.

        In training mode this is the objective (averaged over features, then rows); in evaluation
        mode it is what scoring combines and explanation ranks.
        """

    @abstractmethod
    def reconstruct(self, batch: Tensor) -> Tensor:
        """Expected values [rows, features] in the encoded space: numbers, and category codes."""

    def penalty(self, batch: Tensor) -> Tensor | None:
        """A further loss per row [rows] in training (a divergence, say), or None."""
        return None

    def fit_reference(self, held_out: Tensor, learned: Tensor) -> None:
        """Set buffers of the evaluation mode after training, from rows [rows, features].

        `held_out` are normal rows that were not learned from, `learned` a sample of those that
        were, at most `REFERENCE_ROWS`.
        """
        return


class RowInput(nn.Module):
    """Numbers, missing marks and category embeddings side by side.

    Shape: [rows, features] → [rows, width] with `width` as attribute. Numeric features that had
    gaps in training also enter as a mark; others are imputed with their centre, silently.
    """

    def __init__(self, layout: Layout):
        super().__init__()
        self.numeric = layout.numeric
        gaps = np.flatnonzero(layout.gaps)
        self.register_buffer("gaps", torch.from_numpy(gaps).long(), persistent=False)
        self.embeddings = nn.ModuleList(
            nn.Embedding(size, embedding_width(size)) for size in layout.cardinalities
        )
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, std=0.5)  # type: ignore[arg-type]
        self.width = layout.numeric + len(gaps) + sum(embedding_width(size) for size in layout.cardinalities)

    def forward(self, numbers: Tensor, missing: Tensor, codes: Tensor) -> Tensor:
        parts = [numbers.clamp(-INPUT_LIMIT, INPUT_LIMIT)]
        if len(self.gaps):  # type: ignore[arg-type]
            parts.append(missing[:, self.gaps].to(numbers.dtype))  # type: ignore[index]
        parts += [embedding(codes[:, index]) for index, embedding in enumerate(self.embeddings)]
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]


class RowOutput(nn.Module):
    """From a hidden state to numbers and category logits, and to errors against a target row.

    Shape: hidden [rows, hidden] → numbers [rows, numeric] and a list of logits [rows, cardinality].
    A number's error is its squared deviation; a category's is twice its negative log likelihood,
    the same unit for a normal variable (deviance), less nothing; so neither kind drowns the other.
    """

    def __init__(self, layout: Layout, hidden: int):
        super().__init__()
        self.numbers = nn.Linear(hidden, layout.numeric) if layout.numeric else None
        self.logits = nn.ModuleList(nn.Linear(hidden, size) for size in layout.cardinalities)
        rates = torch.from_numpy(layout.missing_rates).float()
        entropy = -(torch.xlogy(rates, rates) + torch.xlogy(1 - rates, 1 - rates))
        self.register_buffer("missing_error", (2 * (-rates.log() - entropy)).clamp_min(0), persistent=False)
        for index, prior in enumerate(layout.priors):
            self.register_buffer(f"prior_{index}", torch.from_numpy(prior).float(), persistent=False)

    def forward(self, hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
        numbers = hidden[:, :0] if self.numbers is None else self.numbers(hidden)
        return numbers, [head(hidden) for head in self.logits]

    def errors(self, numbers: Tensor, logits: list[Tensor], row: Row) -> Tensor:
        squared = (numbers.float() - row.numbers) ** 2
        parts = [torch.where(row.missing, self.missing_error.expand_as(squared), squared)]  # type: ignore[operator]
        for index, logit in enumerate(logits):
            prior: Tensor = getattr(self, f"prior_{index}")
            likely = (1 - PRIOR_SHARE) * functional.softmax(logit.float(), dim=1) + PRIOR_SHARE * prior
            chosen = likely.gather(1, row.codes[:, index : index + 1])
            parts.append(-2 * chosen.log())
        return torch.cat(parts, dim=1)

    def values(self, numbers: Tensor, logits: list[Tensor]) -> Tensor:
        """The prediction as an encoded row: numbers as they are, the likeliest category of each."""
        codes = [logit.argmax(dim=1, keepdim=True).to(numbers.dtype) for logit in logits]
        return torch.cat([numbers, *codes], dim=1)


class Row:
    """A batch taken apart: numbers with gaps filled, where the gaps were, category codes."""

    def __init__(self, batch: Tensor, layout: Layout):
        numbers = batch[:, : layout.numeric]
        self.missing = numbers.isnan()
        self.numbers = torch.where(self.missing, 0.0, numbers)
        self.codes = batch[:, layout.numeric :].long()


def corrupt_codes(codes: Tensor, layout: Layout, swap: Tensor, mask: float) -> Tensor:
    """Swap codes for random draws from the column's frequencies, or hide them as 'other'.

    `swap` is the probability per row [rows, 1]; `mask` applies to all. Hiding trains the bucket
    that categories never seen fall into.
    """
    if not layout.priors:
        return codes
    drawn = torch.stack(
        [
            torch.multinomial(torch.from_numpy(prior).float().to(codes.device), len(codes), replacement=True)
            for prior in layout.priors
        ],
        dim=1,
    )
    chance = torch.rand(codes.shape, device=codes.device)
    codes = torch.where(chance < swap, drawn, codes)
    return torch.where(
        (torch.rand(chance.shape, device=codes.device) < mask) & (codes != MISSING), OTHER, codes
    )


def embedding_width(cardinality: int) -> int:
    return min(16, (cardinality + 1) // 2 + 1)


class HiddenLayers(nn.Module):
    """A linear map and SiLU, then `depth - 1` more, each added to what enters it (He et al., 2016).

    Shape: [rows, start] → [rows, width].
    """

    def __init__(self, start: int, width: int, depth: int):
        super().__init__()
        self.first = nn.Linear(start, width)
        self.others = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))

    def forward(self, entering: Tensor) -> Tensor:
        hidden = functional.silu(self.first(entering))
        for layer in self.others:
            hidden = hidden + functional.silu(layer(hidden))
        return hidden
