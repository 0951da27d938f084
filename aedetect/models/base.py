"""What a model owes: to the training loop, to scoring, to explanation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.base import RowEvaluation, WindowEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.layers import standardised
from aedetect.models.live import live_arrays, settled_arrays

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
    """Learns to reconstruct rows; what its evaluation pass cannot reconstruct is unlike its training data.

    What it computes once it has learned is written in `evaluation_class`, for any array library; here is
    how it learns. Randomness (noise, masks) is drawn from torch's global generator and in training mode only.

    Shape: batches are float32 [rows, features] as described by `Layout`; NaN is a missing number.
    """

    step_range: ClassVar[tuple[int, int]] = USUAL_STEPS
    evaluation_class: ClassVar[type[RowEvaluation]]

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__()
        self.layout = layout
        self.config = config

    @abstractmethod
    def objective(self, batch: Tensor) -> Tensor:
        """What training lessens: errors [rows, features], to be averaged over features, then rows."""

    def errors(self, batch: Tensor) -> Tensor:
        """In training mode the objective; in evaluation mode what scoring combines, [rows, features]."""
        return self.objective(batch) if self.training else self.evaluation().errors(batch)

    def evaluation(self) -> RowEvaluation:
        """The evaluation pass with the weights and buffers as they are."""
        return type(self).evaluation_class(self.layout, self.config, live_arrays(self))

    def settled(self) -> RowEvaluation:
        """The evaluation pass as scoring runs it: in numpy on a CPU, in torch on a GPU."""
        return type(self).evaluation_class(self.layout, self.config, settled_arrays(self))

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

    def take_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with the weights of an older model of this kind, of as many networks or of another number."""
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(weights[name][torch.arange(len(parameter)) % len(weights[name])])


class WindowAutoencoder(nn.Module, ABC):
    """Learns to reconstruct windows of a time series; see `Autoencoder`.

    Shape: batches are float32 [windows, steps, channels], standardised. Nothing is missing in training.
    """

    step_range: ClassVar[tuple[int, int]] = USUAL_STEPS
    evaluation_class: ClassVar[type[WindowEvaluation]]

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__()
        self.layout = layout
        self.config = config

    @abstractmethod
    def objective(self, batch: Tensor) -> Tensor:
        """What training lessens: errors [windows, steps, channels], to be averaged."""

    def errors(self, batch: Tensor) -> Tensor:
        """In training mode the objective; in evaluation mode what scoring combines; the same shape."""
        return self.objective(batch) if self.training else self.evaluation().errors(batch)

    def evaluation(self) -> WindowEvaluation:
        """The evaluation pass with the weights and buffers as they are."""
        return type(self).evaluation_class(self.layout, self.config, live_arrays(self))

    def settled(self) -> WindowEvaluation:
        """The evaluation pass as scoring runs it: in numpy on a CPU, in torch on a GPU."""
        return type(self).evaluation_class(self.layout, self.config, settled_arrays(self))

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
