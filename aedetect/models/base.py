"""What a model owes: to the training loop, to scoring, to explanation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.layers import standardised

# Training rows that a model is given to fill its memory bank from, or to compare with.
REFERENCE_ROWS = 8192


class Model(Protocol):
    """What the training loop asks of a model, of rows or of windows."""

    training: bool

    def errors(self, batch: Tensor) -> Tensor: ...

    def penalty(self, batch: Tensor) -> Tensor | None: ...

    def vectors(self, batch: Tensor) -> Tensor: ...

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None: ...

    def train(self, mode: bool = True) -> Any: ...

    def eval(self) -> Any: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...


class Autoencoder(nn.Module, ABC):
    """Reconstructs rows; what it cannot reconstruct is unlike its training data.

    Randomness (noise, masks) is drawn from torch's global generator and in training mode only.

    Shape: batches are float32 [rows, features] as described by `Layout`; NaN is a missing number.
    """

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__()
        self.layout = layout
        self.config = config

    @abstractmethod
    def errors(self, batch: Tensor) -> Tensor:
        """Reconstruction errors [rows, features], unreduced, finite and not negative.

        In training mode this is the objective (averaged over features, then rows); in evaluation
        mode it is what scoring combines and explanation ranks.
        """

    @abstractmethod
    def reconstruct(self, batch: Tensor) -> Tensor:
        """Expected values [rows, features] in the encoded space: numbers, and category codes."""

    def vectors(self, batch: Tensor) -> Tensor:
        """Rows as points [rows, width] to measure distances between, categories standardised."""
        return standardised(batch, self.layout)

    def penalty(self, batch: Tensor) -> Tensor | None:
        """A further loss per row [rows] in training (a divergence, say), or None."""
        return None

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        """Set the buffers of the evaluation mode, once the weights are trained.

        `validation` [rows, features] are normal rows the weights were not trained on: their errors
        say what is typical. `learned` [rows, features] is a random sample, at most `REFERENCE_ROWS`,
        of those they were trained on, in random order; `outlier_candidates` [learned rows] marks
        those of them that may be anomalies.
        """
        return


@dataclass(frozen=True)
class WindowLayout:
    """What a window is: so many steps of so many channels.

    >>> WindowLayout(steps=24, channels=3).width
    72
    """

    steps: int
    channels: int

    @property
    def width(self) -> int:
        return self.steps * self.channels


class WindowAutoencoder(nn.Module, ABC):
    """Reconstructs windows of a time series; what it cannot reconstruct is unlike its training data.

    Randomness is drawn from torch's global generator and in training mode only.

    Shape: batches are float32 [windows, steps, channels], standardised. Nothing is missing in training;
    in scoring, cells may be NaN where `takes_missing`.
    """

    # Whether windows are judged by the cells they have; others are given something in their place.
    takes_missing = False
    # How many steps around a window its score may depend on.
    margin = 0

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

    def sliding_scores(self, segment: Tensor, left: int, right: int) -> Tensor:
        """The score of the window at each step of a segment [steps, channels]; [windows].

        The first `left` and last `right` steps, at most `margin` each, are context and part of no
        window. Overridden where what neighbouring windows share need not be computed for each.
        """
        inner = segment[left : len(segment) - right]
        return self.errors(inner.unfold(0, self.layout.steps, 1).transpose(1, 2)).mean(dim=(1, 2))

    def vectors(self, batch: Tensor) -> Tensor:
        """Windows as points [windows, width] to measure distances between."""
        return batch.flatten(1)

    def merge_folds(self, folds: Sequence[WindowAutoencoder]) -> None:
        """Take over what only models of cross-validation folds know: errors of windows they did not see."""
        return

    def penalty(self, batch: Tensor) -> Tensor | None:
        """A further loss per window [windows] in training, or None."""
        return None

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        """Set the buffers of the evaluation mode; see `Autoencoder.fit_score_normalisation`."""
        return
