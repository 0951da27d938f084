"""Expected values for cells that are missing, noisy or anomalous: how what is behind `impute` learns."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder
from aedetect.models.evaluation import imputer as evaluation
from aedetect.models.evaluation.imputer import DEPTH, HIGHEST_NOISE, LOWEST_NOISE, NEIGHBOURS
from aedetect.models.evaluation.layers import columns_width
from aedetect.models.evaluation.standardize import value_owners
from aedetect.models.layers import ResidualMLP
from aedetect.models.live import live_arrays
from aedetect.models.pca import AUXILIARY_COMPONENTS, principal_components
from aedetect.models.standardize import StandardizedColumns

MEMORY_ROWS, MEMORY_CELLS = 4096, 1 << 20
_MOST_FACTORS = 64
_LEAST_NOISE = 0.02
# Memory rows of which it is measured how far they lie from one another.
_SMOOTHED_ROWS = 512
# Training pairs come in groups; the rows of one miss the same cells and are equally noisy.
_GROUP_ROWS = 16
_NOISY_SHARE = 0.4
_MOST_HIDDEN = 0.5
# One row that nothing predicts must not outweigh all others in a step.
_LARGEST_ERROR = 100.0


class Blend(Autoencoder):
    """Learns to blend and correct two estimates of a row; see `evaluation.imputer.Blend`.

    Shape: batches [rows, 4 · width + 1] hold the true values, and then the estimates.
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.width = columns_width(layout)
        # These names stand in model files.
        self.hidden = ResidualMLP(3 * self.width + 1, config.width, DEPTH)
        self.change = nn.Linear(config.width, 2 * self.width)
        with torch.no_grad():
            self.change.weight.zero_()
            self.change.bias.zero_()

    def errors(self, batch: Tensor) -> Tensor:
        return self.objective(batch)

    def objective(self, batch: Tensor) -> Tensor:
        values, estimates = batch[:, : self.width], batch[:, self.width :]
        missing, level = estimates[:, 2 * self.width : 3 * self.width], estimates[:, -1:]
        blend = evaluation.Blend(self.width, self.config, live_arrays(self))
        squared = (blend(estimates) - values).square()
        # Where cells are hidden, these alone are asked for; noise bounds the errors of noisy ones.
        whole = (missing.sum(dim=1, keepdim=True) == 0).to(squared.dtype)
        weight = missing + whole / level.square().clamp_min(1e-2)
        return (squared * weight).clamp_max(_LARGEST_ERROR)  # type: ignore[no-any-return]


class Imputer(nn.Module):
    """Learns what is expected of rows, given some of their cells; see `evaluation.imputer.Imputer`."""

    basis: Tensor
    variances: Tensor
    noise: Tensor
    center: Tensor
    memory: Tensor
    closeness: Tensor

    def __init__(self, layout: Layout, config: ModelConfig, factors: int, memory_size: int):
        super().__init__()
        self.layout, self.config = layout, config
        width = columns_width(layout)
        # These names stand in model files.
        self.columns = StandardizedColumns(layout)
        self.blend = Blend(layout, config)
        self.register_buffer("basis", torch.zeros(width, factors))
        self.register_buffer("variances", torch.ones(factors))
        self.register_buffer("noise", torch.ones(width))
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("memory", torch.zeros(memory_size, width))
        self.register_buffer("closeness", torch.zeros(()))

    def evaluation(self) -> evaluation.Imputer:
        """What it computes, with the weights and buffers as they are."""
        return evaluation.Imputer(self.layout, self.config, live_arrays(self))

    def fit_memory(self, rows: Tensor) -> None:
        """Set the factor model and the memory from `rows` [rows, features], in random order."""
        self.columns.fit(rows)
        values, missing = self.columns.evaluation()(rows)
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
        pairs, judge = [], self.evaluation()
        for block, block_places in zip(torch.split(rows, 1024), torch.split(places, 1024), strict=True):
            values, missing = judge.columns(block)
            noisy, hidden, level = self._corrupted(values, missing)
            gaps = hidden.any(dim=1)
            for chosen in (gaps.nonzero()[:, 0], (~gaps).nonzero()[:, 0]):
                if len(chosen):
                    estimates = judge.estimates(
                        noisy[chosen], hidden[chosen], level[chosen], block_places[chosen]
                    )
                    true = torch.where(missing[chosen], estimates.conditional_mean, values[chosen])
                    pairs.append(torch.cat([true, estimates.side_by_side()], dim=1))
        return torch.cat(pairs)

    def _corrupted(self, values: Tensor, missing: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows with noise added or cells hidden, which cells are missing then, and the noise levels."""
        rows, features = len(values), self.layout.width
        owners = torch.from_numpy(value_owners(self.layout)).to(values.device)
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
        hidden = (hide & ~noisy)[group][:, owners] | missing
        noise = torch.zeros_like(values)
        numeric = self.layout.numeric
        noise[:, :numeric] = torch.randn(rows, numeric, device=values.device) * level * noisy[group]
        return values + noise, hidden, level


def sizes(rows: int, layout: Layout) -> tuple[int, int]:
    """Factors and memory rows of an `Imputer` that is trained on so many rows."""
    width = columns_width(layout)
    memory_size = min(rows, MEMORY_ROWS, max(MEMORY_CELLS // max(width, 1), 256))
    return min(width, _MOST_FACTORS, rows), memory_size
