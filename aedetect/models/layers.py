"""The layers that models of rows share: from an encoded row to what a network sees, and back.

A row takes this way: `Row` takes the encoded batch apart, `Columns` makes one standardised value of
each number and of each category code, `MaskedInput` adds marks of what is missing, `ResidualMLP`
follows; `Columns` turns what comes out into errors or into encoded rows.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout

# Inputs are clipped here: a network extrapolates wildly beyond what it was trained on, and a
# value it cannot see in full it cannot reconstruct, which is what an outlier deserves.
INPUT_LIMIT = 10.0
# The same for standardised categories, of which the rarest lie far out and all are bounded.
CATEGORY_LIMIT = 30.0


class Row:
    """A batch [rows, features] taken apart.

    `numbers` [rows, numeric] with 0, the centre, where one is missing; `missing` [rows, numeric]
    says where; `codes` [rows, categorical] are category codes.
    """

    def __init__(self, batch: Tensor, layout: Layout):
        numbers = batch[:, : layout.numeric]
        self.missing = numbers.isnan()
        self.numbers = torch.where(self.missing, 0.0, numbers)
        self.codes = batch[:, layout.numeric :].long()


class Columns(nn.Module):
    """All columns side by side as standardised values, and back.

    A category becomes one value per known code, 1 for the row's and 0 for the others, less its
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
        self._constant("background", torch.cat([torch.zeros(layout.numeric), background]))
        self._constant("peak", torch.from_numpy(((1 - shares) / deviation).clip(*limits)).float())
        categories = torch.full((sum(layout.cardinalities),), CATEGORY_LIMIT)
        self._constant("limits", torch.cat([torch.full((layout.numeric,), INPUT_LIMIT), categories]))
        self._constant("first", torch.from_numpy(np.cumsum([0, *layout.cardinalities[:-1]])).long())
        owners = np.repeat(np.arange(len(layout.cardinalities)), np.array(layout.cardinalities, dtype=int))
        self._constant("owners", torch.from_numpy(owners).long())
        rates = torch.from_numpy(layout.missing_rates).float()
        entropy = -(torch.xlogy(rates, rates) + torch.xlogy(1 - rates, 1 - rates))
        self._constant("missing_error", (2 * (-rates.log() - entropy)).clamp_min(0))

    def _constant(self, name: str, values: Tensor) -> None:
        # Computed from the layout again when a model is loaded: no part of the model file.
        self.register_buffer(name, values, persistent=False)

    def forward(self, row: Row) -> Tensor:
        """Values [rows, width]; missing numbers at their centre."""
        if not self.cardinalities:
            return row.numbers
        values = self.background.repeat(len(row.codes), 1)
        values[:, : self.numeric] = row.numbers
        places = row.codes + self.first
        return values.scatter_(1, places + self.numeric, self.peak[places])

    def clipped(self, values: Tensor) -> Tensor:
        """The values [rows, width] as a network may see them."""
        return values.clamp(-self.limits, self.limits)

    def without_gaps(self, values: Tensor, row: Row) -> Tensor:
        """The values [rows, width], missing numbers at their centre again after noise was added to all."""
        filled = torch.where(row.missing, 0.0, values[:, : self.numeric])
        return torch.cat([filled, values[:, self.numeric :]], dim=1) if self.cardinalities else filled

    def errors(self, squared: Tensor, row: Row) -> Tensor:
        """Errors [rows, features] from squared deviations [rows, width].

        Those of a category's codes are summed; a missing number's error grows with how rare it is
        that the column is empty.
        """
        numbers = torch.where(row.missing, self.missing_error, squared[:, : self.numeric])
        if not self.cardinalities:
            return numbers
        codes = squared.new_zeros(len(squared), len(self.cardinalities))
        return torch.cat([numbers, codes.index_add(1, self.owners, squared[:, self.numeric :])], dim=1)

    def rows(self, values: Tensor) -> Tensor:
        """Encoded rows [rows, features] from values [rows, width], with the likeliest categories."""
        if not self.cardinalities:
            return values
        background = self.background[self.numeric :]
        shares = (values[:, self.numeric :] - background) / (self.peak - background)
        parts = torch.split(shares, list(self.cardinalities), dim=1)
        codes = [part.argmax(dim=1, keepdim=True).to(values.dtype) for part in parts]
        return torch.cat([values[:, : self.numeric], *codes], dim=1)


def standardised(rows: Tensor, layout: Layout) -> Tensor:
    """Encoded rows [rows, features] as clipped standardised values [rows, width]."""
    columns = Columns(layout).to(rows.device)
    return columns.clipped(columns(Row(rows, layout)))


class MaskedInput(nn.Module):
    """A network's input: the values, and a missing mask beside them.

    The mask has only numeric features that had gaps in training; the gaps of others, which tell a
    network nothing it could have learned, are filled in silently.

    Shape: values [rows, width of the columns], missing [rows, numeric] → [rows, width] with `width`
    as attribute.
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


class ResidualMLP(nn.Module):
    """A linear map and SiLU, then `depth - 1` more, each added to its input (He et al., 2016).

    Shape: [rows, start] → [rows, width].

    >>> ResidualMLP(start=5, width=8, depth=3)(torch.zeros(2, 5)).shape
    torch.Size([2, 8])
    """

    def __init__(self, start: int, width: int, depth: int):
        super().__init__()
        # Both names stand in model files.
        self.first = nn.Linear(start, width)
        self.others = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.silu(self.first(inputs))
        for layer in self.others:
            hidden = hidden + functional.silu(layer(hidden))
        return hidden


def latent_width(width: int, config: ModelConfig) -> int:
    """Numbers in the latent code of a row of `width` values: half as many, at most a quarter of a layer's.

    >>> latent_width(9, ModelConfig(width=256)), latent_width(1000, ModelConfig(width=256))
    (4, 64)
    """
    return max(1, min(width // 2, config.width // 4))


def typical(values: Tensor, least: float | Tensor) -> Tensor:
    """What scores are relative to: the median over the rows of `values` [rows, ...], at least `least`.

    Where most rows repeat, the median is next to nothing: a hundredth of the mean holds it up.

    >>> typical(torch.tensor([0.0, 0.0, 30.0]), least=0.01)
    tensor(0.1000)
    """
    return (values.median(dim=0).values + 0.01 * values.mean(dim=0)).clamp_min(least)
