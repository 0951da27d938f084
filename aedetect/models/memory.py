"""A denoising autoencoder with a memory of normal rows: three views of what is strange."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.features.layout import Layout
from aedetect.models.base import REFERENCE_ROWS, Autoencoder, Row
from aedetect.models.denoising import DenoisingAutoencoder

LATENT_WIDTH = 32
# Exponents of the three parts in a row's error, relative to one another.
_LATENT_WEIGHT, _INPUT_WEIGHT, _DENOISER_WEIGHT = 1.0, 0.5, 0.5
# Added to each part's ratio to a typical row's: below it, closer is not more normal.
_FLOOR = 0.03
# Softmin temperature, as a multiple of the typical squared distance to the nearest row.
_SHARPNESS = 0.25
_NEIGHBOURS = 5
_CACHED_ROWS = 128
_BENT_RANGE = 10.0
_LARGEST_SINH = 80.0


class Memory(nn.Module):
    """Rebuilds points from the nearest of those it remembers (Gong et al., 2019, by softmin).

    Shape: points [rows, width] → what it rebuilds them as [rows, width].
    """

    points: Tensor
    temperature: Tensor
    typical: Tensor

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("points", torch.zeros(1, width))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("typical", torch.ones(()))

    def forward(self, points: Tensor) -> Tensor:
        # The squared length of a point is the same for all that is remembered: softmax drops it.
        sharpened = (2 / self.temperature * self.points).T.contiguous()
        offsets = -self.points.square().sum(dim=1) / self.temperature
        # A few rows at a time stay in the processor's cache: twice as fast as all at once.
        return torch.cat(
            [
                torch.softmax(torch.addmm(offsets, some, sharpened), dim=1) @ self.points
                for some in points.split_with_sizes(_sizes(len(points)))
            ]
        )

    def remember(self, points: Tensor, held_out: Tensor) -> None:
        """Take `points` [remembered, width] as the memory, `held_out` [rows, width] as typical rows."""
        self.points = points[:REFERENCE_ROWS].clone()
        apart = torch.cdist(self.points, self.points).square()
        apart.fill_diagonal_(torch.inf)
        near = apart.topk(min(_NEIGHBOURS, len(points) - 1), dim=1, largest=False).values
        self.temperature = _SHARPNESS * (near[:, 0].median() + 0.01 * near.mean() + 1e-9)
        distances = (held_out - self(held_out)).square().sum(dim=1)
        # Where most rows repeat, the median is next to nothing: a hundredth of the mean holds it up.
        self.typical = (distances.median() + 0.01 * distances.mean()).clamp_min(1e-9)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # How much is remembered depends on the data: take the file's size before its values.
        points = state_dict.get(prefix + "points")
        if isinstance(points, Tensor) and points.dim() == 2:
            self.points = self.points.new_empty(len(points), self.points.shape[1])
        super()._load_from_state_dict(state_dict, prefix, *rest)


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
            (_LATENT_WEIGHT, (latent - self.latents(latent)).square().sum(dim=1) / self.latents.typical),
            (_DENOISER_WEIGHT, pulled.mean(dim=1)),
        ]
        shares = pulled / pulled.sum(dim=1, keepdim=True).clamp_min(1e-12)
        if self.layout.numeric:
            straight = self._straight(batch)
            apart = (straight - self.rows(straight)).square() / self.rows.typical
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

    def fit_reference(self, held_out: Tensor, learned: Tensor) -> None:
        self.denoiser.fit_reference(held_out, learned)
        hidden = self.denoiser.clean_pass(learned)[1]
        spread = hidden - hidden.mean(dim=0)
        _, vectors = torch.linalg.eigh(spread.T @ spread)
        self.basis = vectors[:, -self.basis.shape[1] :].contiguous()
        self.latents.remember(hidden @ self.basis, self.denoiser.clean_pass(held_out)[1] @ self.basis)
        if self.layout.numeric:
            self.rows.remember(self._straight(learned), self._straight(held_out))

    def _straight(self, batch: Tensor) -> Tensor:
        """Numbers in standard deviations from the mean, logarithmic only far out; gaps at the mean."""
        numbers = Row(batch, self.layout).numbers
        values = self.gain * numbers.clamp(-_LARGEST_SINH, _LARGEST_SINH).sinh() + self.shift  # type: ignore[operator]
        size = values.abs()
        far = values.sign() * _BENT_RANGE * (1 + (size / _BENT_RANGE).clamp_min(1.0).log())
        return torch.where(
            batch[:, : self.layout.numeric].isnan(), 0.0, torch.where(size > _BENT_RANGE, far, values)
        )
