"""What a model owes: to the training loop, to scoring, to explanation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.layers import standardised

# Training rows that a model is given to fill its memory bank from, or to compare with.
REFERENCE_ROWS = 8192
# Steps of a training at least and at most, where epochs are not set.
USUAL_STEPS = (1000, 2000)


class Model(Protocol):
    """What the training loop asks of a model, of rows or of windows."""

    training: bool
    step_range: ClassVar[tuple[int, int]]

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

    step_range: ClassVar[tuple[int, int]] = USUAL_STEPS

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

    def errors_as_unlearned(self, batch: Tensor) -> Tensor:
        """As `errors` in evaluation mode, but a row that was learned does not vouch for itself."""
        return self.errors(batch)

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
class HeldOut:
    """What the parts of a model say of rows, as if these had not been learned: log scores [rows, parts].

    `folds` [rows] is the number of the network that has not learned a row, or -1: such rows do not calibrate.
    `points` [rows, width] are the rows in the view of the network.
    """

    log_scores: Tensor
    folds: Tensor
    points: Tensor


class CrossFitted(Autoencoder):
    """An autoencoder that says of training rows how it would judge them, had it not learned them.

    So all rows of a table can be learned from, and calibrate the threshold as well. What is trained step by
    step are several networks as one, of which each leaves out a fold of the rows; what needs no steps
    is fitted on all rows, and leaves out a row at a time.
    """

    @abstractmethod
    def prepare(self, learned: Tensor, networks: int) -> None:
        """Set up, before training, what follows from rows [rows, features], and so many networks.

        Batches in training then have a column more for each network, if there are several: 1 in the rows that
        it learns from, else 0.
        """

    @abstractmethod
    def fit_parts(self, rows: Tensor, folds: Tensor, outlier_candidates: Tensor) -> HeldOut:
        """Fit what needs no steps, once the weights are trained, on `rows` [rows, features] in random order.

        `folds` [rows] is the number of the network that has not learned a row, or -1 where all have. Rows
        marked in `outlier_candidates` [rows] may be anomalies. Returns what the parts say of rows as if they
        had not been learned.
        """

    @property
    @abstractmethod
    def judge(self) -> Model:
        """What is trained last, by the loop as all is, on the batches that `judge_rows` gives."""

    @abstractmethod
    def judge_rows(self, rows: Tensor, held_out: HeldOut) -> Tensor:
        """What the judge learns from [rows, columns], in random order, of normal `rows` [rows, features]."""

    @abstractmethod
    def fit_scores(self, held_out: HeldOut, anomalies: Tensor) -> Tensor:
        """Set what makes one score of all parts, with the known `anomalies` [anomalies, features], if any.

        Returns the scores of held-out rows with a fold [those], in order.
        """

    def vectors(self, batch: Tensor) -> Tensor:
        return standardised(batch[:, : self.layout.width], self.layout)

    def take_weights(self, older: Autoencoder) -> None:
        """Begin with the weights of an older model of this kind, of as many networks or of another number."""
        weights = dict(older.named_parameters())
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(weights[name][torch.arange(len(parameter)) % len(weights[name])])


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

    step_range: ClassVar[tuple[int, int]] = USUAL_STEPS
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
