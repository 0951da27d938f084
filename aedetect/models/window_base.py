"""The contract of models of time series, which rebuild windows instead of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from aedetect.config import ModelConfig


@dataclass(frozen=True)
class WindowLayout:
    """What a window is: so many steps of so many channels, without gaps."""

    steps: int
    channels: int

    @property
    def width(self) -> int:
        return self.steps * self.channels


class SeriesAutoencoder(nn.Module, ABC):
    """Rebuilds windows; what it cannot rebuild is unlike what it was trained on.

    Shape: batches are float32 [windows, steps, channels], in standard deviations, nothing missing.
    Randomness is drawn from torch's global generator and in training mode only.
    """

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__()
        self.layout = layout
        self.config = config

    @abstractmethod
    def errors(self, batch: Tensor) -> Tensor:
        """Reconstruction errors [windows, steps, channels], unreduced, finite and not negative."""

    @abstractmethod
    def reconstruct(self, batch: Tensor) -> Tensor:
        """Expected values [windows, steps, channels]."""

    # How many steps around a window its score may depend on.
    margin = 0

    def along(self, stretch: Tensor, left: int, right: int) -> Tensor:
        """The mean error of each window of a stretch [steps, channels]; [windows].

        The first `left` and last `right` steps, at most `margin` each, are context and part of no
        window. What windows share need not be computed for each.
        """
        inner = stretch[left : len(stretch) - right]
        return self.errors(inner.unfold(0, self.layout.steps, 1).transpose(1, 2)).mean(dim=(1, 2))

    def vectors(self, batch: Tensor) -> Tensor:
        """Windows as points [windows, width]."""
        return batch.flatten(1)

    def settle(self, others: Sequence[SeriesAutoencoder]) -> None:
        """Take over what others, of folds of the same windows, know of windows held out from them."""
        return

    def penalty(self, batch: Tensor) -> Tensor | None:
        """A further loss per window [windows] in training, or None."""
        return None

    def fit_reference(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        """Set buffers of the evaluation mode after training; see `Autoencoder.fit_reference`."""
        return
