"""What rows should have been: expected values for cells that are missing, noisy or to blame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.features.categorical import FIRST_KNOWN
from aedetect.features.layout import Layout
from aedetect.models.base import Autoencoder, HiddenLayers
from aedetect.models.codes import components
from aedetect.models.straight import StraightColumns

NEIGHBOURS = 10
REMEMBERED_ROWS, REMEMBERED_CELLS = 4096, 1 << 20
# Without noise, known cells are taken to be this exact; beyond HIGHEST_NOISE nothing was learned.
LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
_MOST_FACTORS = 64
_LEAST_NOISE = 0.02
# How far noise may have moved a value, as a multiple of its standard deviation.
_FARTHEST = 3.0
_NEAREST_WEIGHT = 0.5
# Rows to learn from are cut into groups; the rows of one miss the same cells and are equally noisy.
_GROUP_ROWS = 16
_NOISY_SHARE = 0.4
_MOST_HIDDEN = 0.5
_DEPTH = 3
# One row that nothing foretells must not outweigh all others in a step.
_LARGEST_ERROR = 100.0
_CACHED_ROWS = 64


@dataclass(frozen=True)
class Expected:
    """What is expected in place of rows. Shapes: `values` [rows, width].

    `nearest` [rows, neighbours]: numbers of the remembered rows that are most like each one in its
    known cells; `around` [rows, width]: their weighted mean.
    """

    values: Tensor
    nearest: Tensor
    around: Tensor


@dataclass(frozen=True)
class _Views:
    """Two estimates of rows [rows, width], the neighbours behind the second, and what was known."""

    normal: Tensor
    around: Tensor
    nearest: Tensor
    missing: Tensor
    level: Tensor

    def seen(self) -> Tensor:
        missing = self.missing.to(self.normal.dtype)
        return torch.cat([self.normal, self.around, missing, self.level], dim=1)


class Blend(Autoencoder):
    """Blends two estimates of a row, cell by cell, and adds a correction.

    Shape: views [rows, 3 · width + 1] (two estimates, which cells are missing, the noise level)
    → values [rows, width]; as a model to be trained, batches [rows, 4 · width + 1] hold
    the true values first.
    """

    def __init__(self, layout: Layout, config: ModelConfig, width: int):
        super().__init__(layout, config)
        self.width = width
        self.hidden = HiddenLayers(3 * width + 1, config.width, _DEPTH)
        self.change = nn.Linear(config.width, 2 * width)
        with torch.no_grad():
            self.change.weight.zero_()
            self.change.bias.zero_()

    def forward(self, views: Tensor) -> Tensor:
        normal, around, missing = views[:, :-1].chunk(3, dim=1)
        seen = torch.cat([normal.asinh(), around.asinh(), missing, views[:, -1:].log() / 3], dim=1)
        blend, added = self.change(self.hidden(seen)).chunk(2, dim=1)
        # Untrained, it trusts the first estimate more: it is the smoother one.
        return normal + torch.sigmoid(2 * blend - 1) * (around - normal) + added  # type: ignore[no-any-return]

    def errors(self, batch: Tensor) -> Tensor:
        values, views = batch[:, : self.width], batch[:, self.width :]
        missing, level = views[:, 2 * self.width : 3 * self.width], views[:, -1:]
        squared = (self(views) - values).square()
        # Where cells are hidden, these alone are asked for; noise bounds the errors of noisy ones.
        whole = (missing.sum(dim=1, keepdim=True) == 0).to(squared.dtype)
        weight = missing + whole / level.square().clamp_min(1e-2)
        return (squared * weight).clamp_max(_LARGEST_ERROR)  # type: ignore[no-any-return]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self(batch[:, self.width :])  # type: ignore[no-any-return]


class Repair(nn.Module):
    """Expected rows, given some of their cells: a normal law, remembered neighbours, a network.

    The first estimate is the conditional mean under a factor model, principal components with
    noise (Tipping & Bishop, 1999); the second the mean of the nearest remembered rows, by their known
    cells (Troyanskaya et al., 2001). A denoising network (Vincent et al., 2008) that learned on
    rows with noise added or cells hidden (Gondara & Wang, 2018) blends and corrects them.

    Works on standardised values; noise is in standard deviations and on numbers alone.
    """

    basis: Tensor
    variances: Tensor
    noise: Tensor
    center: Tensor
    memory: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, factors: int, remembered: int):
        super().__init__()
        self.columns = StraightColumns(layout)
        width = self.columns.width
        self.blend = Blend(layout, config, width)
        self.register_buffer("basis", torch.zeros(width, factors))
        self.register_buffer("variances", torch.ones(factors))
        self.register_buffer("noise", torch.ones(width))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("memory", torch.zeros(remembered, width))

    def fit_memory(self, rows: Tensor) -> None:
        """Set the factor model and the remembered rows from `rows` [rows, features], in random order."""
        self.columns.fit(rows)
        values, missing = self.columns(rows)
        self.center.copy_(values.mean(dim=0))
        centered = torch.where(missing, 0.0, values - self.center)
        factors = self.basis.shape[1]
        vectors, variances = components(centered, factors)
        total = centered.square().mean(dim=0)
        explained = (vectors[:, :factors].square() * variances[:factors]).sum(dim=1)
        self.noise.copy_((total - explained).clamp_min(0) + _LEAST_NOISE * total.clamp_min(1e-3))
        self.basis.copy_(vectors[:, :factors])
        self.variances.copy_(variances[:factors].clamp_min(1e-6))
        self.memory.copy_(torch.where(missing, self.center, values)[: len(self.memory)])

    def lessons(self, rows: Tensor) -> Tensor:
        """Batches for `Blend` [rows, 4 · width + 1] from `rows` [rows, features], with noise and gaps.

        Draws from torch's global generator.
        """
        found = []
        for some in torch.split(rows, 1024):
            values, missing = self.columns(some)
            noisy, hidden, level = self._corrupted(values, missing)
            views = self._views(noisy, hidden, level, values)
            found.append(torch.cat([torch.where(missing, views.normal, values), views.seen()], dim=1))
        return torch.cat(found)

    def known_only(self, values: Tensor) -> Tensor:
        """Values [rows, width] that decode to known categories: neither missing nor rare."""
        values = values.clone()
        for first, size in self.columns.code_places():
            if size > FIRST_KNOWN:
                values[:, first : first + FIRST_KNOWN] = -torch.inf
        return values

    def expected(self, values: Tensor, missing: Tensor, level: float) -> Expected:
        """What is expected of rows, given `values` [rows, width] without those `missing` [rows, width].

        `level` is the standard deviation of the noise on known numbers.
        """
        levels = torch.full((len(values), 1), min(max(level, LOWEST_NOISE), HIGHEST_NOISE))
        views = self._views(values, missing, levels.to(values), None)
        found = self.blend(views.seen())
        # Noise takes no value far from where it was: what lies far out is not pulled in for it.
        numeric, reach = self.columns.layout.numeric, _FARTHEST * levels.to(values)
        known = values[:, :numeric]
        near = found[:, :numeric].clamp(known - reach, known + reach)
        found[:, :numeric] = torch.where(missing[:, :numeric], found[:, :numeric], near)
        return Expected(found, views.nearest, views.around)

    def _views(self, values: Tensor, missing: Tensor, level: Tensor, itself: Tensor | None) -> _Views:
        known = torch.where(missing, self.center, values)
        around, nearest = self._neighbours(known, missing, itself)
        return _Views(self._conditional_mean(known, missing, level), around, nearest, missing, level)

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
        # the rows around them are, so that a row's repair does not depend on these.
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
        own = torch.where(missing, 0.0, noise / seen_noise) * (deviation - common)
        return self.center + common + own

    def _neighbours(self, known: Tensor, missing: Tensor, itself: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean of the nearest remembered rows [rows, width], and their numbers [rows, neighbours].

        Remembered rows equal to `itself` [rows, width] do not count: a row being learned from.
        """
        lengths = self.memory.square()
        mirrored = (-2 * self.memory).T.contiguous()
        weight = (~missing).to(known.dtype)
        gaps = bool(missing.any())
        found = []
        # A few rows at a time stay in the processor's cache.
        for start in range(0, len(known), _CACHED_ROWS):
            some = slice(start, start + _CACHED_ROWS)
            if gaps:
                distance = weight[some] @ lengths.T + (weight[some] * known[some]) @ mirrored
            else:
                distance = torch.addmm(lengths.sum(dim=1), known[some], mirrored)
            if itself is not None:
                size = itself[some].square().sum(dim=1, keepdim=True) + lengths.sum(dim=1)
                same = size + itself[some] @ mirrored < 1e-5 * size + 1e-9
                distance = distance.masked_fill(same, math.inf)
            found.append(distance.topk(min(NEIGHBOURS, len(self.memory)), dim=1, largest=False))
        nearest = torch.cat([part.indices for part in found])
        near = torch.cat([part.values for part in found])
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


def sizes(rows: int, layout: Layout) -> tuple[int, int]:
    """Factors and remembered rows of a `Repair` that learns from so many rows."""
    width = layout.numeric + sum(layout.cardinalities)
    remembered = min(rows, REMEMBERED_ROWS, max(REMEMBERED_CELLS // max(width, 1), 256))
    return min(width, _MOST_FACTORS, rows), remembered
