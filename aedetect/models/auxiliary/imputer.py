"""What rows should have been: expected values for cells that are missing, noisy or to blame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder, HiddenLayers
from aedetect.models.pca import components
from aedetect.models.standardize import StraightColumns
from aedetect.models.tabular.memory import mixture

NEIGHBOURS = 10
REMEMBERED_ROWS, REMEMBERED_CELLS = 4096, 1 << 20
# Rows without gaps are weighed against so many of them: more make cleaning slower than scoring.
_WEIGHED_ROWS = 3072
# Without noise, known cells are taken to be this exact; beyond HIGHEST_NOISE nothing was learned.
LOWEST_NOISE, HIGHEST_NOISE = 0.05, 1.0
_MOST_FACTORS = 64
_LEAST_NOISE = 0.02
# How far noise may have moved a value, as a multiple of its standard deviation.
_FARTHEST = 3.0
_NEAREST_WEIGHT = 0.5
# Width of the kernel around remembered rows, as a share of how far they lie from one another.
_SMOOTHING, _SMOOTHED_ROWS = 0.3, 512
# Rows to learn from are cut into groups; the rows of one miss the same cells and are equally noisy.
_GROUP_ROWS = 16
_NOISY_SHARE = 0.4
_MOST_HIDDEN = 0.5
_DEPTH = 3
# One row that nothing foretells must not outweigh all others in a step.
_LARGEST_ERROR = 100.0
_CACHED_ROWS = 64


@dataclass(frozen=True)
class _Views:
    """Two estimates of rows [rows, width], what was missing of them, and the noise level [rows, 1]."""

    normal: Tensor
    around: Tensor
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
    noise (Tipping & Bishop, 1999). The second is for rows with gaps the mean of the nearest remembered
    rows, by their known cells (Troyanskaya et al., 2001), and for others the mean of all remembered
    ones, each by its chance to have become this row (Miyasawa, 1961). A denoising network (Vincent et
    al., 2008) that learned on rows with noise added or cells hidden (Gondara & Wang, 2018) blends and
    corrects them.

    Works on standardised values; noise is in standard deviations and on numbers alone.
    """

    basis: Tensor
    variances: Tensor
    noise: Tensor
    center: Tensor
    memory: Tensor
    closeness: Tensor

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
        # The squared distance of a remembered row to its neighbours.
        self.register_buffer("closeness", torch.zeros(()))

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
        apart = torch.cdist(self.memory[:_SMOOTHED_ROWS], self.memory).square()
        apart.fill_diagonal_(math.inf)
        near = apart.topk(min(NEIGHBOURS, len(self.memory) - 1), dim=1, largest=False).values
        self.closeness.copy_(near.mean(dim=1).median())

    def lessons(self, rows: Tensor, own: Tensor | None = None) -> Tensor:
        """Batches for `Blend` [rows, 4 · width + 1] from `rows` [rows, features], with noise and gaps.

        `own` [rows] are the numbers of the rows among those that `fit_memory` was given: a row does not
        count among its own neighbours, while others that equal it do, as they will for new rows.
        Draws from torch's global generator.
        """
        own = torch.full((len(rows),), -1, device=rows.device) if own is None else own
        found = []
        for some, places in zip(torch.split(rows, 1024), torch.split(own, 1024), strict=True):
            values, missing = self.columns(some)
            noisy, hidden, level = self._corrupted(values, missing)
            gaps = hidden.any(dim=1)
            for chosen in (gaps.nonzero()[:, 0], (~gaps).nonzero()[:, 0]):
                if len(chosen):
                    views = self._views(noisy[chosen], hidden[chosen], level[chosen], places[chosen])
                    true = torch.where(missing[chosen], views.normal, values[chosen])
                    found.append(torch.cat([true, views.seen()], dim=1))
        return torch.cat(found)

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
        found = self.blend(self._views(values, missing, levels, None).seen())
        # Noise takes no value far from where it was: what lies far out is not pulled in for it.
        numeric, reach = self.columns.layout.numeric, _FARTHEST * levels
        known = values[:, :numeric]
        near = found[:, :numeric].clamp(known - reach, known + reach)
        found[:, :numeric] = torch.where(missing[:, :numeric], found[:, :numeric], near)
        return found  # type: ignore[no-any-return]

    def drawn(self, values: Tensor, missing: Tensor, chances: Tensor) -> Tensor:
        """A plausible row for each [rows, width]: off the expected one as a neighbour is off its kind.

        `chances` [rows], uniform in [0, 1), choose the neighbours.
        """
        around, nearest = self._neighbours(torch.where(missing, self.center, values), missing, None)
        count = nearest.shape[1]
        place = (chances * count).long().clamp_max(count - 1)
        donor = self.memory[nearest.gather(1, place[:, None])[:, 0]]
        numeric = self.columns.layout.numeric
        moved = self.expected(values, missing, LOWEST_NOISE) + donor - around
        return torch.cat([moved[:, :numeric], donor[:, numeric:]], dim=1)

    def _views(self, values: Tensor, missing: Tensor, level: Tensor, own: Tensor | None) -> _Views:
        known = torch.where(missing, self.center, values)
        if missing.any():
            around, _ = self._neighbours(known, missing, own)
        else:
            around = self._likely(known, level, own)
        return _Views(self._conditional_mean(known, missing, level), around, missing, level)

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

    def _likely(self, known: Tensor, level: Tensor, own: Tensor | None) -> Tensor:
        """The mean of the remembered rows, by their chance to have become these [rows, width]."""
        spread = 2 * level.square() + _SMOOTHING * self.closeness
        asked = torch.cat([known, torch.ones_like(level)], dim=1) / spread
        memory = self.memory[:_WEIGHED_ROWS]
        lengths = memory.square().sum(dim=1)
        mirrored = torch.cat([2 * memory, -lengths[:, None]], dim=1).T.contiguous()
        found = []
        for start in range(0, len(known), _CACHED_ROWS):
            some = slice(start, start + _CACHED_ROWS)
            chances = _without(asked[some] @ mirrored, own, some, -math.inf)
            found.append(mixture(chances) @ memory)
        return torch.cat(found)

    def _neighbours(self, known: Tensor, missing: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean of the nearest remembered rows [rows, width], and their numbers [rows, neighbours]."""
        lengths = self.memory.square().T.contiguous()
        mirrored = (-2 * self.memory).T.contiguous()
        both = torch.cat([lengths, mirrored])
        weight = (~missing).to(known.dtype)
        asked = torch.cat([weight, weight * known], dim=1)
        found = []
        # A few rows at a time stay in the processor's cache.
        for start in range(0, len(known), _CACHED_ROWS):
            some = slice(start, start + _CACHED_ROWS)
            distance = _without(asked[some] @ both, own, some, math.inf)
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


def _without(found: Tensor, own: Tensor | None, some: slice, last: float) -> Tensor:
    """`found` [rows, remembered], with `last` where a remembered row is the row itself."""
    if own is not None:
        places = own[some, None]
        mine = places == torch.arange(found.shape[1], device=found.device)
        found = found.masked_fill(mine, last)
    return found


def sizes(rows: int, layout: Layout) -> tuple[int, int]:
    """Factors and remembered rows of a `Repair` that learns from so many rows."""
    width = layout.numeric + sum(layout.cardinalities)
    remembered = min(rows, REMEMBERED_ROWS, max(REMEMBERED_CELLS // max(width, 1), 256))
    return min(width, _MOST_FACTORS, rows), remembered
