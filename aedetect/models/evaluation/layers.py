"""The layers that models of rows share: from an encoded row to what a network sees, and back.

A row takes this way: `Row` takes the encoded batch apart, `Columns` makes one standardised value of
each number and of each category code, `MaskedInput` adds marks of what is missing, `ResidualMLP`
follows; `Columns` turns what comes out into errors or into encoded rows.
"""

from __future__ import annotations

import numpy as np

from aedetect.config import ModelConfig
from aedetect.data.arrays import AnyArray
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays, float32
from aedetect.models.evaluation.kernels import affine, look_up, namespace, silu, sums_of, with_codes

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

    def __init__(self, batch: Array, layout: Layout):
        xp = namespace(batch)
        numbers = batch[:, : layout.numeric]
        self.missing = xp.isnan(numbers)
        self.numbers = xp.where(self.missing, 0.0, numbers)
        self.codes = xp.astype(batch[:, layout.numeric :], xp.int64)


class Columns:
    """All columns side by side as standardised values, and back.

    A category becomes one value per known code, 1 for the row's and 0 for the others, less its
    mean and in its standard deviations: a rare category lies far out, as an outlier does, and an
    unseen one farthest. A denoiser's errors on them, summed over the codes, found more anomalies
    than cross-entropy over embeddings did.

    Shape: encoded rows [rows, features] ↔ values [rows, width] with `width` as attribute.
    """

    def __init__(self, layout: Layout, arrays: Arrays):
        self.numeric = layout.numeric
        self.cardinalities = layout.cardinalities
        self.width = columns_width(layout)
        self.background = arrays.constant("background", lambda: _background(layout))
        self.peak = arrays.constant("peak", lambda: _peak(layout))
        self.limits = arrays.constant("limits", lambda: _limits(layout))
        self.first = arrays.constant("first", lambda: _first(layout))
        self.owners = arrays.constant("owners", lambda: _owners(layout))
        self.missing_error = arrays.constant("missing_error", lambda: _missing_error(layout))

    def __call__(self, row: Row) -> Array:
        """Values [rows, width]; missing numbers at their centre."""
        if not self.cardinalities:
            return row.numbers
        xp = namespace(row.numbers)
        places = row.codes + self.first
        peaks = look_up(self.peak, places)
        coded = with_codes(self.background[self.numeric :], peaks, places)
        return xp.concat([row.numbers, coded], axis=1)

    def clipped(self, values: Array) -> Array:
        """The values [rows, width] as a network may see them."""
        xp = namespace(values)
        return xp.minimum(xp.maximum(values, -self.limits), self.limits)

    def without_gaps(self, values: Array, row: Row) -> Array:
        """The values [rows, width], missing numbers at their centre again after noise was added to all."""
        xp = namespace(values)
        filled = xp.where(row.missing, 0.0, values[:, : self.numeric])
        return xp.concat([filled, values[:, self.numeric :]], axis=1) if self.cardinalities else filled

    def errors(self, squared: Array, row: Row) -> Array:
        """Errors [rows, features] from squared deviations [rows, width].

        Those of a category's codes are summed; a missing number's error grows with how rare it is
        that the column is empty.
        """
        xp = namespace(squared)
        numbers = xp.where(row.missing, self.missing_error, squared[:, : self.numeric])
        if not self.cardinalities:
            return numbers
        codes = sums_of(squared[:, self.numeric :], self.owners, len(self.cardinalities))
        return xp.concat([numbers, codes], axis=1)

    def rows(self, values: Array) -> Array:
        """Encoded rows [rows, features] from values [rows, width], with the likeliest categories."""
        if not self.cardinalities:
            return values
        xp = namespace(values)
        background = self.background[self.numeric :]
        shares = (values[:, self.numeric :] - background) / (self.peak - background)
        codes, start = [], 0
        for size in self.cardinalities:
            likeliest = xp.argmax(shares[:, start : start + size], axis=1)
            codes.append(xp.astype(likeliest[:, None], values.dtype))
            start += size
        return xp.concat([values[:, : self.numeric], *codes], axis=1)


def columns_width(layout: Layout) -> int:
    """How many values `Columns` makes of a row."""
    return layout.numeric + sum(layout.cardinalities)


def standardised(rows: Array, layout: Layout, arrays: Arrays) -> Array:
    """Encoded rows [rows, features] as clipped standardised values [rows, width]."""
    columns = Columns(layout, arrays)
    return columns.clipped(columns(Row(rows, layout)))


class MaskedInput:
    """A network's input: the values, and a missing mask beside them.

    The mask has only numeric features that had gaps in training; the gaps of others, which tell a
    network nothing it could have learned, are filled in silently.

    Shape: values [rows, width of the columns], missing [rows, numeric] → [rows, width] with `width`
    as attribute.
    """

    def __init__(self, layout: Layout, width: int, arrays: Arrays):
        self.gaps = arrays.constant("gaps", lambda: np.flatnonzero(layout.gaps))
        self.width = masked_width(layout, width)

    def __call__(self, values: Array, missing: Array) -> Array:
        if not self.gaps.shape[0]:
            return values
        xp = namespace(values)
        return xp.concat([values, xp.astype(xp.take(missing, self.gaps, axis=1), values.dtype)], axis=1)


def masked_width(layout: Layout, width: int) -> int:
    """How wide the input of a network is that sees so many values of columns, and marks of gaps."""
    return width + int(np.count_nonzero(layout.gaps))


class Linear:
    """A linear layer. Shape: [rows, inputs] → [rows, outputs]."""

    def __init__(self, arrays: Arrays, inputs: int, outputs: int):
        self.weight = arrays.take("weight", outputs, inputs)
        self.bias = arrays.take("bias", outputs)

    def __call__(self, values: Array) -> Array:
        return affine(values, self.weight.T, self.bias)


class ResidualMLP:
    """A linear map and SiLU, then `depth - 1` more, each added to its input (He et al., 2016).

    Shape: [rows, start] → [rows, width].
    """

    def __init__(self, arrays: Arrays, start: int, width: int, depth: int):
        self.first = Linear(arrays.under("first"), start, width)
        self.others = [Linear(arrays.under(f"others.{index}"), width, width) for index in range(depth - 1)]

    def __call__(self, inputs: Array) -> Array:
        hidden = silu(self.first(inputs))
        for layer in self.others:
            hidden = hidden + silu(layer(hidden))
        return hidden


def latent_width(width: int, config: ModelConfig) -> int:
    """Numbers in the latent code of a row of `width` values: half as many, at most a quarter of a layer's.

    >>> latent_width(9, ModelConfig(width=256)), latent_width(1000, ModelConfig(width=256))
    (4, 64)
    """
    return max(1, min(width // 2, config.width // 4))


def _shares(layout: Layout) -> tuple[AnyArray, AnyArray]:
    """The share of each code [codes] in training, and its standard deviation [codes]."""
    shares = np.concatenate([np.empty(0), *layout.priors]).clip(1e-9, 1 - 1e-9)
    return shares, np.sqrt(shares * (1 - shares))


def _background(layout: Layout) -> AnyArray:
    shares, deviation = _shares(layout)
    coded = (-shares / deviation).clip(-CATEGORY_LIMIT, CATEGORY_LIMIT)
    return float32(np.concatenate([np.zeros(layout.numeric), coded]))


def _peak(layout: Layout) -> AnyArray:
    shares, deviation = _shares(layout)
    return float32(((1 - shares) / deviation).clip(-CATEGORY_LIMIT, CATEGORY_LIMIT))


def _limits(layout: Layout) -> AnyArray:
    sizes = [layout.numeric, sum(layout.cardinalities)]
    return float32(np.repeat([INPUT_LIMIT, CATEGORY_LIMIT], sizes))


def _first(layout: Layout) -> AnyArray:
    if not layout.cardinalities:
        return np.empty(0, np.int64)
    return np.cumsum([0, *layout.cardinalities[:-1]]).astype(np.int64)


def _owners(layout: Layout) -> AnyArray:
    sizes = np.array(layout.cardinalities, dtype=np.int64)
    return np.repeat(np.arange(len(sizes)), sizes)


def _missing_error(layout: Layout) -> AnyArray:
    rates = float32(np.asarray(layout.missing_rates))
    others = 1 - rates
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -(
            np.where(rates > 0, rates * np.log(rates), 0) + np.where(others > 0, others * np.log(others), 0)
        )
        return float32(np.maximum(2 * (-np.log(rates) - entropy), 0))
