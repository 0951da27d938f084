"""A denoising autoencoder with a memory of normal rows: three views of what is strange."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import Autoencoder, Row
from aedetect.models.tabular.denoising import DenoisingAutoencoder

# More remembered codes go on finding more; of rows as they are, and of wider codes, few do as well.
LATENT_ROWS, INPUT_ROWS = 2048, 512
LATENT_WIDTH = 16
# Exponents of the three parts in a row's error, relative to one another.
_LATENT_WEIGHT, _INPUT_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.75, 0.5
# Added to each part's ratio to a typical row's: below it, closer is not more normal.
_FLOOR = 0.03
# Softmin temperature, as a multiple of the typical squared distance to the nearest row.
_SHARPNESS = 0.25
# A share of exp(-60) is nothing beside 1. Smaller ones would be denormal numbers, over which some processors
# take many times longer.
_FAINTEST = 60.0
# What a suspect point costs, as a share of its distance from the points that are none.
_DOUBT = 0.6
_NEIGHBOURS = 5
_CACHED_ROWS = 64
_DRAWN_AT_ONCE, _COMPARED_ROWS = 32, 1024
# Where all that is left repeats what was chosen, the draw is uniform.
_LEAST_CHANCE = 1e-3
_BENT_RANGE = 10.0
_LARGEST_SINH = 80.0


class Memory(nn.Module):
    """Rebuilds points from the nearest of those it remembers (Gong et al., 2019, by softmin).

    Shape: points [rows, width] → squared deviations from what they are rebuilt as [rows, width].
    """

    points: Tensor
    penalties: Tensor
    temperature: Tensor
    typical: Tensor

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("points", torch.zeros(1, width))
        self.register_buffer("penalties", torch.zeros(1))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("typical", torch.ones(()))

    def forward(self, points: Tensor) -> Tensor:
        dear = bool(self.penalties.any())
        found = []
        for some, weights in self._recalled(points):
            squared = (some - weights @ self.points).square()
            if dear:
                squared += (weights @ self.penalties / points.shape[1])[:, None]
            found.append(squared)
        return torch.cat(found)

    def recall(self, points: Tensor) -> Tensor:
        """What `points` [rows, width] are rebuilt as; [rows, width]."""
        return torch.cat([weights @ self.points for _, weights in self._recalled(points)])

    def _recalled(self, points: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Points, a few at a time, and how much of each remembered one they are; [rows, remembered]."""
        # The squared length of a point is the same for all that is remembered: softmax drops it.
        sharpened = (2 / self.temperature * self.points).T.contiguous()
        offsets = -(self.points.square().sum(dim=1) + self.penalties) / self.temperature
        # A few rows at a time stay in the processor's cache: twice as fast as all at once.
        for some in points.split_with_sizes(_sizes(len(points))):
            yield some, mixture(torch.addmm(offsets, some, sharpened))

    def remember(self, points: Tensor, held_out: Tensor, suspect: Tensor, size: int) -> None:
        """Remember at most `size` of `points` [rows, width]; `held_out` [rows, width] are typical.

        Points marked in `suspect` [rows] may be anomalies. They cost a part of their distance to
        the nearest point that is not: a group of anomalies, far out, cannot vouch for others of
        its kind, while a normal point on the fringe is hardly dearer than before.
        """
        chosen = coreset(points, size)
        self.points, doubted = points[chosen], suspect[chosen]
        self.penalties = torch.zeros_like(self.points[:, 0])
        if doubted.any() and not doubted.all():
            apart = torch.cdist(self.points[doubted], self.points[~doubted]).amin(dim=1)
            self.penalties[doubted] = (_DOUBT * apart).square()
        trusted = ~doubted if not doubted.all() else doubted
        apart = torch.cdist(self.points, self.points).square()
        apart.fill_diagonal_(torch.inf)
        near = apart[trusted].topk(min(_NEIGHBOURS, len(self.points) - 1), dim=1, largest=False).values
        self.temperature = _SHARPNESS * (near[:, 0].median() + 0.01 * near.mean() + 1e-9)
        distances = self(held_out).sum(dim=1)
        # Where most rows repeat, the median is next to nothing: a hundredth of the mean holds it up.
        self.typical = (distances.median() + 0.01 * distances.mean()).clamp_min(1e-9)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # How much is remembered depends on the data: take the file's size before its values.
        points = state_dict.get(prefix + "points")
        if isinstance(points, Tensor) and points.dim() == 2:
            self.points = self.points.new_empty(len(points), self.points.shape[1])
            self.penalties = self.penalties.new_empty(len(points))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def mixture(logits: Tensor) -> Tensor:
    """Softmax of each row of `logits` [rows, choices], without denormal numbers."""
    faintest = logits.amax(dim=1, keepdim=True) - _FAINTEST
    return torch.softmax(torch.maximum(logits, faintest), dim=1)


def coreset(points: Tensor, size: int) -> Tensor:
    """Indices of at most `size` of `points` [rows, width], whose order must be random.

    Half of them are the first; each other one is drawn with a chance that grows with its distance
    from those chosen so far (k-means++; Arthur & Vassilvitskii, 2007), so that thinly populated
    regions are remembered too. The chance follows the distance, not its square: outliers alone
    would be drawn otherwise. Draws from torch's global generator.
    """
    if len(points) <= size:
        return torch.arange(len(points), device=points.device)
    chosen = torch.arange(size // 2, device=points.device)
    apart = torch.cat(
        [torch.cdist(some, points[chosen]).amin(dim=1) for some in torch.split(points, _COMPARED_ROWS)]
    )
    while len(chosen) < size:
        chance = apart + _LEAST_CHANCE * apart.mean() + torch.finfo(apart.dtype).tiny
        drawn = torch.multinomial(chance, _DRAWN_AT_ONCE)
        apart = torch.minimum(apart, torch.cdist(points, points[drawn]).amin(dim=1))
        chosen = torch.cat([chosen, drawn])
    return chosen[:size]


def _sizes(rows: int) -> list[int]:
    whole, rest = divmod(rows, _CACHED_ROWS)
    return [_CACHED_ROWS] * whole + [rest] * (rest > 0 or rows == 0)


class MemoryAutoencoder(Autoencoder):
    """Strange is a row that the denoiser pulls, that lies far from remembered rows, or far in latent space.

    The three parts, each relative to a typical held-out row: the errors of a noise-conditional
    denoiser; the squared distance to what a memory of learned rows rebuilds the row as, in standard
    deviations; and the same in the denoiser's last hidden state, cut to its principal components.
    A row's error is their weighted geometric mean, and is shared among its features as the first
    two parts are. Memories as reconstruction: Gong et al. (2019), Memory-augmented Autoencoder.

    Shape: [rows, features] → errors [rows, features].
    """

    basis: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        self.denoiser = DenoisingAutoencoder(layout, config)
        self.latents = Memory(min(LATENT_WIDTH, config.width))
        self.rows = Memory(layout.numeric)
        self.register_buffer("basis", torch.zeros(config.width, min(LATENT_WIDTH, config.width)))
        self.register_buffer("gain", torch.from_numpy(layout.gain).float(), persistent=False)
        self.register_buffer("shift", torch.from_numpy(layout.shift).float(), persistent=False)

    def errors(self, batch: Tensor) -> Tensor:
        if self.training:
            return self.denoiser.errors(batch)
        pulled, hidden = self.denoiser.clean_pass(batch)
        latent = hidden @ self.basis
        parts = [
            (_LATENT_WEIGHT, self.latents(latent).sum(dim=1) / self.latents.typical),
            (_DENOISER_WEIGHT, pulled.mean(dim=1)),
        ]
        shares = pulled / pulled.sum(dim=1, keepdim=True).clamp_min(1e-12)
        if self.layout.numeric:
            apart = self.rows(self._straight(batch)) / self.rows.typical
            distance = apart.sum(dim=1)
            parts.append((_INPUT_WEIGHT, distance))
            apart = apart / distance.clamp_min(1e-12)[:, None]
            shares[:, : self.layout.numeric] += apart
            shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-12)
        # Half the exponents: the parts are squared distances, a score reads better as a distance.
        half = 0.5 / sum(weight for weight, _ in parts)
        logarithms = torch.stack([half * weight * (part + _FLOOR).log() for weight, part in parts])
        score = logarithms.sum(dim=0).exp()
        return shares * score[:, None] * batch.shape[1]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.denoiser.reconstruct(batch)

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        self.denoiser.fit_reference(held_out, learned, suspect)
        hidden = self.denoiser.clean_pass(learned)[1]
        spread = hidden - hidden.mean(dim=0)
        _, vectors = torch.linalg.eigh(spread.T @ spread)
        self.basis = vectors[:, -self.basis.shape[1] :].contiguous()
        self.latents.remember(
            hidden @ self.basis, self.denoiser.clean_pass(held_out)[1] @ self.basis, suspect, LATENT_ROWS
        )
        if self.layout.numeric:
            self.rows.remember(self._straight(learned), self._straight(held_out), suspect, INPUT_ROWS)

    def _straight(self, batch: Tensor) -> Tensor:
        """Numbers in standard deviations from the mean, logarithmic only far out; gaps at the mean."""
        numbers = Row(batch, self.layout).numbers
        values = self.gain * numbers.clamp(-_LARGEST_SINH, _LARGEST_SINH).sinh() + self.shift  # type: ignore[operator]
        size = values.abs()
        far = values.sign() * _BENT_RANGE * (1 + (size / _BENT_RANGE).clamp_min(1.0).log())
        return torch.where(
            batch[:, : self.layout.numeric].isnan(), 0.0, torch.where(size > _BENT_RANGE, far, values)
        )
