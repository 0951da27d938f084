"""Expected values for cells that are missing, noisy or anomalous: what `impute` and `clean` compute."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from array_api_compat import device

from aedetect.config import ModelConfig
from aedetect.data.arrays import Mask
from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.alike import distinct, few_smallest
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import (
    any_of,
    by_blocks,
    contiguous,
    excluding,
    matmul,
    namespace,
    sigmoid,
    softmax,
)
from aedetect.models.evaluation.layers import Linear, ResidualMLP
from aedetect.models.evaluation.standardize import StandardizedColumns, log_compressed

NEIGHBOURS = 10
# Without noise, known cells are taken to be this exact; beyond HIGHEST_NOISE nothing was learned.
LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
# Layers of the network.
DEPTH = 3
# Rows without gaps are compared with so many of the memory: more make cleaning slower than scoring.
_COMPARED_ROWS = 3072
# How far noise may have moved a value, as a multiple of its standard deviation.
_FARTHEST = 3.0
_NEAREST_WEIGHT = 0.5
_FARTHEST_SQUARED = 1e30
# Width of the kernel around memory rows, as a share of how far they lie from one another.
_SMOOTHING = 0.3
# A likelihood of exp(-60) is nothing beside 1. Smaller ones would be denormal numbers, which are slow.
_FAINTEST = -60.0
# Cells of the systems that are solved at a time.
_SYSTEM_CELLS = 1 << 20


@dataclass(frozen=True)
class Estimates:
    """Two estimates of rows [rows, width], what was missing of them, and the noise level [rows, 1]."""

    conditional_mean: Array
    neighbour_mean: Array
    missing: Array
    level: Array

    def side_by_side(self) -> Array:
        """As `Blend` takes them [rows, 3 · width + 1]."""
        xp = namespace(self.level)
        missing = xp.astype(self.missing, self.level.dtype)
        return xp.concat([self.conditional_mean, self.neighbour_mean, missing, self.level], axis=1)


class Blend:
    """Blends two estimates of a row, cell by cell, and adds a correction.

    Shape: estimates [rows, 3 · width + 1] (two of them, which cells are missing, the noise level)
    → values [rows, width].
    """

    def __init__(self, width: int, config: ModelConfig, arrays: Arrays):
        self.width = width
        self._hidden = ResidualMLP(arrays.under("hidden"), 3 * width + 1, config.width, DEPTH)
        self._change = Linear(arrays.under("change"), config.width, 2 * width)

    def __call__(self, estimates: Array) -> Array:
        xp, width = namespace(estimates), self.width
        mean, around = estimates[:, :width], estimates[:, width : 2 * width]
        missing, level = estimates[:, 2 * width : 3 * width], xp.log(estimates[:, -1:]) / 3
        inputs = xp.concat([log_compressed(mean), log_compressed(around), missing, level], axis=1)
        change = self._change(self._hidden(inputs))
        # Untrained, it trusts the first estimate more: it is the smoother one.
        return mean + sigmoid(2 * change[:, :width] - 1) * (around - mean) + change[:, width:]


class Imputer:
    """Expected rows, given some of their cells: a factor model, neighbours in a memory, a network.

    The first estimate is the conditional mean under a factor model, principal components with
    noise (Tipping & Bishop, 1999). The second is for rows with gaps the mean of the nearest memory
    rows, by their known cells (Troyanskaya et al., 2001), and for others the posterior mean over all
    of them, each by its likelihood of having become this row (Miyasawa, 1961). A denoising network
    (Vincent et al., 2008), trained on rows with noise added or cells hidden (Gondara & Wang, 2018),
    blends and corrects them.

    Works on standardised values; noise is in standard deviations and on numbers alone.

    Shape: values [rows, width], missing [rows, width] → values [rows, width].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        self.layout = layout
        self.columns = StandardizedColumns(layout, arrays.under("columns"))
        width, factors, rows = self.columns.width, arrays.size("basis", -1), arrays.size("memory", 0)
        self.blend = Blend(width, config, arrays.under("blend"))
        self.basis = arrays.take("basis", width, factors)
        self.variances = arrays.take("variances", factors)
        self.noise = arrays.take("noise", width)
        self.center = arrays.take("center", width)
        self.memory = arrays.take("memory", rows, width)
        # The squared distance of a memory row to its neighbours.
        self.closeness = arrays.take("closeness")
        self._numeric = arrays.constant("numeric", lambda: np.arange(width) < layout.numeric)
        self._unknown = arrays.constant("unknown", lambda: _unknown_codes(self.columns))

    def values(self, batch: Array) -> tuple[Array, Array]:
        """Values and gaps [rows, width] of encoded rows [rows, features]; a category that is NaN is one."""
        xp, numeric = namespace(batch), self.layout.numeric
        codes = batch[:, numeric:]
        unknown = xp.concat([xp.zeros_like(batch[:, :numeric], dtype=xp.bool), xp.isnan(codes)], axis=1)
        values, missing = self.columns(xp.where(unknown, 0.0, batch))
        return values, missing | xp.take(unknown, self.columns.owners, axis=1)

    def known_only(self, values: Array) -> Array:
        """Values [rows, width] that decode to known categories: neither missing nor rare."""
        return namespace(values).where(self._unknown, -float("inf"), values)

    def expected(self, values: Array, missing: Array, level: float) -> Array:
        """What is expected of rows [rows, width], given `values` without those `missing`, of that shape.

        `level` is the standard deviation of the noise on known numbers. Rows with gaps and rows
        without are to be given apart.
        """
        xp, numeric = namespace(values), self.layout.numeric
        levels = xp.full_like(values[:, :1], min(max(level, LOWEST_NOISE), HIGHEST_NOISE))
        expected = self.blend(self.estimates(values, missing, levels).side_by_side())
        # Noise takes no value far from where it was: what lies far out is not pulled in for it.
        numbers, known, reach = expected[:, :numeric], values[:, :numeric], _FARTHEST * levels
        near = xp.minimum(xp.maximum(numbers, known - reach), known + reach)
        numbers = xp.where(missing[:, :numeric], numbers, near)
        return xp.concat([numbers, expected[:, numeric:]], axis=1)

    def drawn(self, values: Array, missing: Array, chances: Array) -> Array:
        """A plausible row for each [rows, width]: the expected one, off by as much as a neighbour is.

        `chances` [rows], uniform in [0, 1), choose the neighbours.
        """
        xp, numeric, width = namespace(values), self.layout.numeric, values.shape[1]
        known = xp.where(missing, self.center, values)

        def draw(block: Array) -> Array:
            around, nearest = self._around(block)
            count = nearest.shape[1]
            place = xp.clip(xp.astype(block[:, -1:] * count, xp.int64), None, count - 1)
            donor = xp.take(self.memory, xp.take_along_axis(nearest, place, axis=1)[:, 0], axis=0)
            return xp.concat([donor[:, :numeric] - around[:, :numeric], donor[:, numeric:]], axis=1)

        asked = self._asked(known, missing)
        moved = by_blocks(draw, xp.concat([asked, chances[:, None]], axis=1))
        numbers = self.expected(values, missing, LOWEST_NOISE)[:, :numeric] + moved[:, :numeric]
        return xp.concat([numbers, moved[:, numeric:width]], axis=1)

    def estimates(
        self, values: Array, missing: Array, level: Array, places: Array | None = None
    ) -> Estimates:
        """Estimates of rows [rows, width] from `values` without those `missing`, of that shape.

        `level` [rows, 1]: the noise on known numbers. `places` [rows]: which row of the memory each is, if
        any; that one does not count.
        """
        known = namespace(values).where(missing, self.center, values)
        if any_of(missing):
            around = self._neighbour_mean(known, missing, places)
        else:
            around = self._posterior_mean(known, level, places)
        return Estimates(self._conditional_mean(known, missing, level), around, missing, level)

    def _conditional_mean(self, known: Array, missing: Array, level: Array) -> Array:
        """E[row | known cells] under the factor model [rows, width]."""
        xp = namespace(known)
        seen_noise = self._seen_noise(level)
        precision = xp.where(missing, 0.0, 1 / seen_noise)
        deviation = known - self.center
        target = matmul(precision * deviation, self.basis)
        # Rows that know the same cells share one system: what a row is imputed as does not depend on how
        # many they are.
        kinds, which = distinct(xp.concat([xp.astype(missing, level.dtype), level], axis=1))
        inverses = self._inverses(kinds)
        if kinds.shape[0] == 1 and not any_of(missing):
            code = matmul(target, inverses[0])
        else:
            code = xp.matmul(target[:, None, :], xp.take(inverses, which, axis=0))[:, 0]
        common = matmul(code, self.basis.T)
        # What is a cell's own, beyond the factors: the share of it that is not the noise's.
        specific = xp.where(missing, 0.0, self.noise / seen_noise) * (deviation - common)
        return self.center + common + specific

    def _inverses(self, kinds: Array) -> Array:
        """The covariance of the factors [kinds, factors, factors], given the cells that kinds of rows have.

        `kinds` [kinds, width + 1]: 1 where a cell is missing, and the noise level.
        """
        xp, (width, factors) = namespace(kinds), self.basis.shape
        basis = xp.astype(self.basis, xp.float64)
        at_once = max(1, _SYSTEM_CELLS // (width * factors))
        parts = []
        for start in range(0, kinds.shape[0], at_once):
            some = xp.astype(kinds[start : start + at_once], xp.float64)
            precision = xp.where(some[:, :-1] > 0, 0.0, 1 / self._seen_noise(some[:, -1:]))
            systems = xp.matmul(basis.T[None] * precision[:, None, :], basis)
            parts.append(xp.linalg.inv(systems + self._prior))
        return xp.astype(xp.concat(parts, axis=0), self.basis.dtype)

    @cached_property
    def _prior(self) -> Array:
        """The precision of the factors before anything is known of a row [factors, factors], float64."""
        xp, factors = namespace(self.variances), self.variances.shape[0]
        unit = xp.eye(factors, dtype=xp.float64, device=device(self.variances))
        return unit / xp.astype(self.variances, xp.float64)

    def _seen_noise(self, level: Array) -> Array:
        """The variance of known cells [rows, width] beyond the factors; `level` [rows, 1] is of numbers."""
        xp = namespace(level)
        return xp.astype(self.noise, level.dtype) + xp.astype(self._numeric, level.dtype) * xp.square(level)

    def _posterior_mean(self, known: Array, level: Array, places: Array | None) -> Array:
        """The mean of the memory rows, by their likelihood of having become these [rows, width]."""
        xp, width = namespace(known), known.shape[1]
        spread = 2 * xp.square(level) + _SMOOTHING * self.closeness
        mirrored, memory = self._compared

        def mean(block: Array) -> Array:
            logits = matmul(block[:, : width + 1], mirrored)
            if places is not None:
                logits = -excluding(-logits, xp.astype(block[:, -1], xp.int64))
            # The likelihoods' sum comes out of the product with the memory, whose last column is 1.
            both = matmul(_likelihoods(logits), memory)
            return both[:, :width] / both[:, width:]

        asked = [known / spread, xp.ones_like(level) / spread, *self._excluded(places, _COMPARED_ROWS)]
        return by_blocks(mean, xp.concat(asked, axis=1))

    @cached_property
    def _compared(self) -> tuple[Array, Array]:
        """What rows without gaps are multiplied with [width + 1, memory]; the memory [memory, width + 1]."""
        memory = self.memory[:_COMPARED_ROWS]
        xp = namespace(memory)
        lengths = xp.sum(xp.square(memory), axis=1)
        mirrored = xp.concat([2 * memory, -lengths[:, None]], axis=1)
        return contiguous(mirrored.T), xp.concat([memory, xp.ones_like(memory[:, :1])], axis=1)

    def _neighbour_mean(self, known: Array, missing: Array, places: Array | None) -> Array:
        """Mean of the nearest memory rows, by their likeness in the known cells [rows, width]."""
        asked = [self._asked(known, missing), *self._excluded(places, self.memory.shape[0])]
        return by_blocks(
            lambda block: self._around(block, places is not None)[0], namespace(known).concat(asked, axis=1)
        )

    def _asked(self, known: Array, missing: Array) -> Array:
        """Rows as they are compared with the memory [rows, 2 · width]: what is known, and the known cells."""
        xp = namespace(known)
        weight = xp.astype(~missing, known.dtype)
        return xp.concat([weight, weight * known], axis=1)

    def _excluded(self, places: Array | None, remembered: int) -> list[Array]:
        """A column [rows, 1] that tells which of so many remembered rows each one is, -1 for none."""
        if places is None:
            return []
        xp = namespace(places)
        return [xp.astype(xp.where(places < remembered, places, -1), self.memory.dtype)[:, None]]

    def _around(self, block: Array, leave_one_out: bool = False) -> tuple[Array, Array]:
        """Mean of the nearest memory rows [rows, width], and their places [rows, neighbours].

        `block` [rows, ...]: rows as `_asked` gives them; to leave one out, its place is the last value.
        """
        xp, width = namespace(block), self.memory.shape[1]
        asked = block[:, : 2 * width]
        distances = matmul(asked, self._weighed)
        if leave_one_out:
            distances = excluding(distances, xp.astype(block[:, -1], xp.int64))
        nearest = few_smallest(distances, min(NEIGHBOURS, self.memory.shape[0]))
        rows = xp.reshape(xp.take(self.memory, xp.reshape(nearest, (-1,)), axis=0), (*nearest.shape, width))
        # Of rows so near, the distances as they were compared are hardly more than rounding.
        weight, known = asked[:, None, :width], asked[:, None, width:]
        near = xp.clip(xp.sum(xp.square(weight * rows - known), axis=2), None, _FARTHEST_SQUARED)
        apart = _NEAREST_WEIGHT * xp.mean(near, axis=1)[:, None] + 1e-9
        shares = softmax(-near / apart)
        return xp.sum(shares[:, :, None] * rows, axis=1), nearest

    @cached_property
    def _weighed(self) -> Array:
        """What rows with gaps are multiplied with [2 · width, memory].

        It gives squared distances, but for a constant of each row's own.
        """
        xp = namespace(self.memory)
        return xp.concat([contiguous(xp.square(self.memory).T), contiguous((-2 * self.memory).T)], axis=0)


def _likelihoods(logits: Array) -> Array:
    """Up to a factor, exp of each row of `logits` [rows, choices], without denormal numbers; overwritten."""
    xp = namespace(logits)
    logits -= xp.max(logits, axis=1)[:, None]
    return xp.exp(xp.clip(logits, _FAINTEST, None))


def _unknown_codes(columns: StandardizedColumns) -> Mask:
    """Which values are those of categories that are missing or rare [width]."""
    unknown = np.zeros(columns.width, np.bool_)
    for first, size in columns.code_places():
        if size > FIRST_KNOWN:
            unknown[first : first + FIRST_KNOWN] = True
    return unknown
