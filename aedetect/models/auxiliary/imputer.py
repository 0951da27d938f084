"""Expected values for cells that are missing, noisy or anomalous: the network behind `impute` and `clean`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.layers import ResidualMLP
from aedetect.models.memory_bank import CACHED_ROWS, mixture_weights
from aedetect.models.pca import AUXILIARY_COMPONENTS, principal_components
from aedetect.models.standardize import StandardizedColumns, log_compressed

NEIGHBOURS = 10
MEMORY_ROWS, MEMORY_CELLS = 4096, 1 << 20
# Rows without gaps are compared with so many of them: more make cleaning slower than scoring.
_COMPARED_ROWS = 3072
# Without noise, known cells are taken to be this exact; beyond HIGHEST_NOISE nothing was learned.
LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
_MOST_FACTORS = 64
_LEAST_NOISE = 0.02
# How far noise may have moved a value, as a multiple of its standard deviation.
_FARTHEST = 3.0
_NEAREST_WEIGHT = 0.5
# Width of the kernel around memory rows, as a share of how far they lie from one another.
_SMOOTHING, _SMOOTHED_ROWS = 0.3, 512
# Training pairs come in groups; the rows of one miss the same cells and are equally noisy.
_GROUP_ROWS = 16
_NOISY_SHARE = 0.4
_MOST_HIDDEN = 0.5
_DEPTH = 3
# One row that nothing predicts must not outweigh all others in a step.
_LARGEST_ERROR = 100.0


@dataclass(frozen=True)
class _Estimates:
    """Two estimates of rows [rows, width], what was missing of them, and the noise level [rows, 1]."""

    conditional_mean: Tensor
    neighbour_mean: Tensor
    missing: Tensor
    level: Tensor

    def side_by_side(self) -> Tensor:
        """As `Blend` takes them [rows, 3 · width + 1]."""
        missing = self.missing.to(self.conditional_mean.dtype)
        return torch.cat([self.conditional_mean, self.neighbour_mean, missing, self.level], dim=1)


class Blend(Autoencoder):
    """Blends two estimates of a row, cell by cell, and adds a correction.

    Shape: estimates [rows, 3 · width + 1] (two of them, which cells are missing, the noise level)
    → values [rows, width]; as a model to be trained, batches [rows, 4 · width + 1] hold
    the true values first.
    """

    def __init__(self, layout: Layout, config: ModelConfig, width: int):
        super().__init__(layout, config)
        self.width = width
        # These names stand in model files.
        self.hidden = ResidualMLP(3 * width + 1, config.width, _DEPTH)
        self.change = nn.Linear(config.width, 2 * width)
        with torch.no_grad():
            self.change.weight.zero_()
            self.change.bias.zero_()

    def forward(self, estimates: Tensor) -> Tensor:
        mean, around, missing = estimates[:, :-1].chunk(3, dim=1)
        level = estimates[:, -1:].log() / 3
        inputs = torch.cat([log_compressed(mean), log_compressed(around), missing, level], dim=1)
        blend, added = self.change(self.hidden(inputs)).chunk(2, dim=1)
        # Untrained, it trusts the first estimate more: it is the smoother one.
        return mean + torch.sigmoid(2 * blend - 1) * (around - mean) + added  # type: ignore[no-any-return]

    def errors(self, batch: Tensor) -> Tensor:
        values, estimates = batch[:, : self.width], batch[:, self.width :]
        missing, level = estimates[:, 2 * self.width : 3 * self.width], estimates[:, -1:]
        squared = (self(estimates) - values).square()
        # Where cells are hidden, these alone are asked for; noise bounds the errors of noisy ones.
        whole = (missing.sum(dim=1, keepdim=True) == 0).to(squared.dtype)
        weight = missing + whole / level.square().clamp_min(1e-2)
        return (squared * weight).clamp_max(_LARGEST_ERROR)  # type: ignore[no-any-return]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self(batch[:, self.width :])  # type: ignore[no-any-return]


class Imputer(nn.Module):
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

    basis: Tensor
    variances: Tensor
    noise: Tensor
    center: Tensor
    memory: Tensor
    closeness: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, factors: int, memory_size: int):
        super().__init__()
        # These names stand in model files.
        self.columns = StandardizedColumns(layout)
        width = self.columns.width
        self.blend = Blend(layout, config, width)
        self.register_buffer("basis", torch.zeros(width, factors))
        self.register_buffer("variances", torch.ones(factors))
        self.register_buffer("noise", torch.ones(width))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("memory", torch.zeros(memory_size, width))
        # The squared distance of a memory row to its neighbours.
        self.register_buffer("closeness", torch.zeros(()))

    def fit_memory(self, rows: Tensor) -> None:
        """Set the factor model and the memory from `rows` [rows, features], in random order."""
        self.columns.fit(rows)
        values, missing = self.columns(rows)
        self.center.copy_(values.mean(dim=0))
        centered = torch.where(missing, 0.0, values - self.center)
        factors = self.basis.shape[1]
        directions, variances = principal_components(centered, AUXILIARY_COMPONENTS, factors)
        total = centered.square().mean(dim=0)
        explained = (directions[:, :factors].square() * variances[:factors]).sum(dim=1)
        self.noise.copy_((total - explained).clamp_min(0) + _LEAST_NOISE * total.clamp_min(1e-3))
        self.basis.copy_(directions[:, :factors])
        self.variances.copy_(variances[:factors].clamp_min(1e-6))
        self.memory.copy_(torch.where(missing, self.center, values)[: len(self.memory)])
        apart = torch.cdist(self.memory[:_SMOOTHED_ROWS], self.memory).square()
        apart.fill_diagonal_(math.inf)
        near = apart.topk(min(NEIGHBOURS, len(self.memory) - 1), dim=1, largest=False).values
        self.closeness.copy_(near.mean(dim=1).median())

    def training_pairs(self, rows: Tensor, places: Tensor | None = None) -> Tensor:
        """Batches for `Blend` [rows, 4 · width + 1] from `rows` [rows, features], with noise and gaps.

        `places` [rows] are the positions of the rows among those that `fit_memory` was given: a row is
        left out of its own neighbours, while others that equal it count, as they will for new rows.
        Draws from torch's global generator.
        """
        if places is None:
            places = torch.full((len(rows),), -1, device=rows.device)
        pairs = []
        for block, block_places in zip(torch.split(rows, 1024), torch.split(places, 1024), strict=True):
            values, missing = self.columns(block)
            noisy, hidden, level = self._corrupted(values, missing)
            gaps = hidden.any(dim=1)
            for chosen in (gaps.nonzero()[:, 0], (~gaps).nonzero()[:, 0]):
                if len(chosen):
                    estimates = self._estimates(
                        noisy[chosen], hidden[chosen], level[chosen], block_places[chosen]
                    )
                    true = torch.where(missing[chosen], estimates.conditional_mean, values[chosen])
                    pairs.append(torch.cat([true, estimates.side_by_side()], dim=1))
        return torch.cat(pairs)

    def known_only(self, values: Tensor) -> Tensor:
        """Values [rows, width] that decode to known categories: neither missing nor rare."""
        values = values.clone()
        for first, size in self.columns.code_places():
            if size > FIRST_KNOWN:
                values[:, first : first + FIRST_KNOWN] = -torch.inf
        return values

    def expected(self, values: Tensor, missing: Tensor, level: float) -> Tensor:
        """What is expected of rows [rows, width], given `values` without those `missing`, of that shape.

        `level` is the standard deviation of the noise on known numbers. Rows with gaps and rows
        without are to be given apart.
        """
        levels = torch.full((len(values), 1), min(max(level, LOWEST_NOISE), HIGHEST_NOISE)).to(values)
        expected = self.blend(self._estimates(values, missing, levels, None).side_by_side())
        # Noise takes no value far from where it was: what lies far out is not pulled in for it.
        numeric, reach = self.columns.layout.numeric, _FARTHEST * levels
        known = values[:, :numeric]
        near = expected[:, :numeric].clamp(known - reach, known + reach)
        expected[:, :numeric] = torch.where(missing[:, :numeric], expected[:, :numeric], near)
        return expected  # type: ignore[no-any-return]

    def drawn(self, values: Tensor, missing: Tensor, chances: Tensor) -> Tensor:
        """A plausible row for each [rows, width]: the expected one, off by as much as a neighbour is.

        `chances` [rows], uniform in [0, 1), choose the neighbours.
        """
        around, nearest = self._neighbours(torch.where(missing, self.center, values), missing, None)
        count = nearest.shape[1]
        place = (chances * count).long().clamp_max(count - 1)
        donor = self.memory[nearest.gather(1, place[:, None])[:, 0]]
        numeric = self.columns.layout.numeric
        moved = self.expected(values, missing, LOWEST_NOISE) + donor - around
        return torch.cat([moved[:, :numeric], donor[:, numeric:]], dim=1)

    def _estimates(self, values: Tensor, missing: Tensor, level: Tensor, places: Tensor | None) -> _Estimates:
        known = torch.where(missing, self.center, values)
        if missing.any():
            around, _ = self._neighbours(known, missing, places)
        else:
            around = self._posterior_mean(known, level, places)
        return _Estimates(self._conditional_mean(known, missing, level), around, missing, level)

    def _conditional_mean(self, known: Tensor, missing: Tensor, level: Tensor) -> Tensor:
        """E[row | known cells] under the factor model [rows, width]."""
        noise = self.noise.expand_as(known)
        numeric = torch.arange(known.shape[1], device=known.device) < self.columns.layout.numeric
        seen_noise = noise + numeric * level.square()
        precision = torch.where(missing, 0.0, 1 / seen_noise)
        deviation = known - self.center
        factors = self.basis.shape[1]
        outer = (self.basis[:, :, None] * self.basis[:, None, :]).reshape(-1, factors * factors)
        # Rows that all know all their cells share one system; others have each their own, whatever
        # the rows around them are, so that what a row is imputed as does not depend on these.
        alone = not missing.any() and bool((level == level[0]).all())
        systems = ((precision[:1] if alone else precision) @ outer).reshape(-1, factors, factors)
        factor = torch.linalg.cholesky(systems + torch.diag(1 / self.variances))
        target = (precision * deviation) @ self.basis
        if alone:
            code = torch.cholesky_solve(target.T, factor[0]).T
        else:
            code = torch.cholesky_solve(target[:, :, None], factor)[:, :, 0]
        common = code @ self.basis.T
        # What is a cell's own, beyond the factors: the share of it that is not the noise's.
        specific = torch.where(missing, 0.0, noise / seen_noise) * (deviation - common)
        return self.center + common + specific

    def _posterior_mean(self, known: Tensor, level: Tensor, places: Tensor | None) -> Tensor:
        """The mean of the memory rows, by their likelihood of having become these [rows, width]."""
        spread = 2 * level.square() + _SMOOTHING * self.closeness
        asked = torch.cat([known, torch.ones_like(level)], dim=1) / spread
        memory = self.memory[:_COMPARED_ROWS]
        lengths = memory.square().sum(dim=1)
        mirrored = torch.cat([2 * memory, -lengths[:, None]], dim=1).T.contiguous()
        means = []
        for start in range(0, len(known), CACHED_ROWS):
            block = slice(start, start + CACHED_ROWS)
            logits = _leave_one_out(asked[block] @ mirrored, places, block, -math.inf)
            means.append(mixture_weights(logits) @ memory)
        return torch.cat(means)

    def _neighbours(self, known: Tensor, missing: Tensor, places: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean of the nearest memory rows [rows, width], and their indices [rows, neighbours]."""
        lengths = self.memory.square().T.contiguous()
        mirrored = (-2 * self.memory).T.contiguous()
        both = torch.cat([lengths, mirrored])
        weight = (~missing).to(known.dtype)
        asked = torch.cat([weight, weight * known], dim=1)
        parts = []
        for start in range(0, len(known), CACHED_ROWS):
            block = slice(start, start + CACHED_ROWS)
            distance = _leave_one_out(asked[block] @ both, places, block, math.inf)
            parts.append(distance.topk(min(NEIGHBOURS, len(self.memory)), dim=1, largest=False))
        nearest = torch.cat([part.indices for part in parts])
        near = torch.cat([part.values for part in parts])
        near = (near + (weight * known.square()).sum(dim=1, keepdim=True)).clamp_min(0)
        near = near.clamp_max(1e30)
        width = _NEAREST_WEIGHT * near.mean(dim=1, keepdim=True) + 1e-9
        shares = torch.softmax(-(near - near[:, :1]) / width, dim=1)
        return (shares[:, :, None] * self.memory[nearest]).sum(dim=1), nearest

    def _corrupted(self, values: Tensor, missing: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows with noise added or cells hidden, which cells are missing then, and the noise levels."""
        rows, features = len(values), self.columns.layout.width
        groups = -(-rows // _GROUP_ROWS)
        group = torch.arange(rows, device=values.device) % groups
        uniform = torch.rand(groups, 3, device=values.device)
        noisy = uniform[:, :1] < _NOISY_SHARE
        spans = LOWEST_NOISE * torch.exp(math.log(HIGHEST_NOISE / LOWEST_NOISE) * uniform[:, 1:2])
        level = torch.where(noisy, spans, LOWEST_NOISE)[group]
        drawn = torch.rand(groups, features, device=values.device)
        order = drawn.argsort(dim=1).argsort(dim=1)
        # At least one cell is hidden, and one is not.
        hide = ((drawn < _MOST_HIDDEN * uniform[:, 2:]) | (order == 0)) & (order < max(features - 1, 1))
        hidden = (hide & ~noisy)[group][:, self.columns.owners] | missing
        noise = torch.zeros_like(values)
        numeric = self.columns.layout.numeric
        noise[:, :numeric] = torch.randn(rows, numeric, device=values.device) * level * noisy[group]
        return values + noise, hidden, level


def _leave_one_out(scores: Tensor, places: Tensor | None, block: slice, last: float) -> Tensor:
    """`scores` [rows, memory] of the rows `block`, with `last` where a memory row is the row itself."""
    if places is None:
        return scores
    itself = places[block, None] == torch.arange(scores.shape[1], device=scores.device)
    return scores.masked_fill(itself, last)


def sizes(rows: int, layout: Layout) -> tuple[int, int]:
    """Factors and memory rows of an `Imputer` that is trained on so many rows."""
    width = layout.numeric + sum(layout.cardinalities)
    memory_size = min(rows, MEMORY_ROWS, max(MEMORY_CELLS // max(width, 1), 256))
    return min(width, _MOST_FACTORS, rows), memory_size
