"""The contract of a model, and the layers all models share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout

# Inputs are clipped here: a network extrapolates wildly beyond what it was trained on, and a
# value it cannot see in full it cannot rebuild, which is what an outlier deserves.
INPUT_LIMIT = 10.0
# The same for standardised categories, of which the rarest lie far out and all are bounded.
CATEGORY_LIMIT = 30.0
# Learned rows that a model is given to choose from for its memory, or to compare with.
REFERENCE_ROWS = 8192


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

    def vectors(self, batch: Tensor) -> Tensor:
        """Rows as points [rows, width], categories taken apart."""
        return standardised(batch, self.layout)

    def penalty(self, batch: Tensor) -> Tensor | None:
        """A further loss per row [rows] in training (a divergence, say), or None."""
        return None

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        """Set buffers of the evaluation mode after training, from rows [rows, features].

        `held_out` are normal rows that were not learned from, `learned` a sample of those that
        were, at most `REFERENCE_ROWS`, and `suspect` [learned rows] marks those of them that may
        be anomalies.
        """
        return


class Model(Protocol):
    """What the training loop asks of a model of rows or of windows."""

    training: bool

    def errors(self, batch: Tensor) -> Tensor: ...

    def penalty(self, batch: Tensor) -> Tensor | None: ...

    def vectors(self, batch: Tensor) -> Tensor: ...

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None: ...

    def train(self, mode: bool = True) -> Any: ...

    def eval(self) -> Any: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...


class Row:
    """A batch taken apart: numbers with gaps filled, where the gaps were, category codes."""

    def __init__(self, batch: Tensor, layout: Layout):
        numbers = batch[:, : layout.numeric]
        self.missing = numbers.isnan()
        self.numbers = torch.where(self.missing, 0.0, numbers)
        self.codes = batch[:, layout.numeric :].long()


class Columns(nn.Module):
    """All columns side by side as standardised numbers, and back.

    A category becomes one number per known code, 1 for the row's and 0 for the others, less its
    mean and in its standard deviations: a rare category lies far out, as an outlier does, and an
    unseen one farthest. A denoiser's errors on them, summed over the codes, found more anomalies
    than cross-entropy over embeddings did.

    Shape: encoded rows [rows, features] ↔ values [rows, width] with `width` as attribute.
    """

    background: Tensor
    peak: Tensor
    first: Tensor
    owners: Tensor
    limits: Tensor
    missing_error: Tensor

    def __init__(self, layout: Layout):
        super().__init__()
        self.numeric = layout.numeric
        self.cardinalities = layout.cardinalities
        self.width = layout.numeric + sum(layout.cardinalities)
        shares = np.concatenate([np.empty(0), *layout.priors]).clip(1e-9, 1 - 1e-9)
        deviation = np.sqrt(shares * (1 - shares))
        limits = (-CATEGORY_LIMIT, CATEGORY_LIMIT)
        background = torch.from_numpy((-shares / deviation).clip(*limits)).float()
        self._buffer("background", torch.cat([torch.zeros(layout.numeric), background]))
        self._buffer("peak", torch.from_numpy(((1 - shares) / deviation).clip(*limits)).float())
        categories = torch.full((sum(layout.cardinalities),), CATEGORY_LIMIT)
        self._buffer("limits", torch.cat([torch.full((layout.numeric,), INPUT_LIMIT), categories]))
        self._buffer("first", torch.from_numpy(np.cumsum([0, *layout.cardinalities[:-1]])).long())
        owners = np.repeat(np.arange(len(layout.cardinalities)), np.array(layout.cardinalities, dtype=int))
        self._buffer("owners", torch.from_numpy(owners).long())
        rates = torch.from_numpy(layout.missing_rates).float()
        entropy = -(torch.xlogy(rates, rates) + torch.xlogy(1 - rates, 1 - rates))
        self._buffer("missing_error", (2 * (-rates.log() - entropy)).clamp_min(0))

    def _buffer(self, name: str, values: Tensor) -> None:
        self.register_buffer(name, values, persistent=False)

    def forward(self, row: Row) -> Tensor:
        """Values of the rows; missing numbers at their centre."""
        if not self.cardinalities:
            return row.numbers
        values = self.background.repeat(len(row.codes), 1)
        values[:, : self.numeric] = row.numbers
        places = row.codes + self.first
        return values.scatter_(1, places + self.numeric, self.peak[places])

    def clipped(self, values: Tensor) -> Tensor:
        """The values as a network may see them."""
        return values.clamp(-self.limits, self.limits)

    def without_gaps(self, values: Tensor, row: Row) -> Tensor:
        """The values with missing numbers at their centre again, after noise was added to all."""
        filled = torch.where(row.missing, 0.0, values[:, : self.numeric])
        return torch.cat([filled, values[:, self.numeric :]], dim=1) if self.cardinalities else filled

    def errors(self, squared: Tensor, row: Row) -> Tensor:
        """Errors [rows, features] from squared deviations [rows, width]."""
        numbers = torch.where(row.missing, self.missing_error, squared[:, : self.numeric])
        if not self.cardinalities:
            return numbers
        codes = squared.new_zeros(len(squared), len(self.cardinalities))
        return torch.cat([numbers, codes.index_add(1, self.owners, squared[:, self.numeric :])], dim=1)

    def rows(self, values: Tensor) -> Tensor:
        """Encoded rows from predicted values: numbers as they are, the likeliest category of each."""
        if not self.cardinalities:
            return values
        background = self.background[self.numeric :]
        shares = (values[:, self.numeric :] - background) / (self.peak - background)
        parts = torch.split(shares, list(self.cardinalities), dim=1)
        codes = [part.argmax(dim=1, keepdim=True).to(values.dtype) for part in parts]
        return torch.cat([values[:, : self.numeric], *codes], dim=1)


def standardised(rows: Tensor, layout: Layout) -> Tensor:
    """Encoded rows [rows, features] as numbers [rows, width], categories taken apart."""
    columns = Columns(layout).to(rows.device)
    return columns.clipped(columns(Row(rows, layout)))


class Entrance(nn.Module):
    """What a network sees of a row: its values, clipped, and marks where numbers are missing.

    Shape: values [rows, width of the columns], missing [rows, numeric] → [rows, width]. Only
    numeric features that had gaps in training have a mark; others are imputed silently.
    """

    gaps: Tensor

    def __init__(self, layout: Layout, width: int):
        super().__init__()
        gaps = np.flatnonzero(layout.gaps)
        self.numeric = layout.numeric
        self.register_buffer("gaps", torch.from_numpy(gaps).long(), persistent=False)
        self.width = width + len(gaps)

    def forward(self, values: Tensor, missing: Tensor) -> Tensor:
        if not len(self.gaps):
            return values
        return torch.cat([values, missing[:, self.gaps].to(values.dtype)], dim=1)


def latent_width(width: int, config: ModelConfig) -> int:
    """Numbers in the code of a row of `width` values: half of them, at most a quarter of a hidden layer's."""
    return max(1, min(width // 2, config.width // 4))


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
