"""What the evaluation pass of a model owes to scoring and to explanation."""

from __future__ import annotations

from abc import ABC, abstractmethod

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.window_layout import WindowLayout


class RowEvaluation(ABC):
    """Judges rows, once a model has learned; of an `Autoencoder`, or of the arrays in a model file.

    Nothing is random, nothing changes, and a row's results depend on that row alone.

    Shape: batches are float32 [rows, features] as described by `Layout`; NaN is a missing number.
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        self.layout = layout
        self.arrays = arrays

    @abstractmethod
    def errors(self, batch: Array) -> Array:
        """Reconstruction errors [rows, features], unreduced, finite and not negative."""

    def errors_as_unlearned(self, batch: Array) -> Array:
        """As `errors`, but a row that was learned does not vouch for itself."""
        return self.errors(batch)

    @abstractmethod
    def reconstruct(self, batch: Array) -> Array:
        """Expected values [rows, features] in the encoded space: numbers, and category codes."""


class WindowEvaluation(ABC):
    """Judges windows of a time series, once a model has learned.

    Shape: batches are float32 [windows, steps, channels], standardised; cells may be NaN where
    `takes_missing`.
    """

    # Whether windows are judged by the cells they have; others are given something in their place.
    takes_missing = False
    # How many steps around a window its score may depend on.
    margin = 0
    # Whether in numpy the score of a window is rounded alike however many are asked for at once.
    rounds_alike = False

    def __init__(self, layout: WindowLayout, config: ModelConfig, arrays: Arrays):
        self.layout = layout
        self.arrays = arrays

    @abstractmethod
    def errors(self, batch: Array) -> Array:
        """Reconstruction errors [windows, steps, channels], unreduced, finite and not negative."""

    @abstractmethod
    def reconstruct(self, batch: Array) -> Array:
        """Expected values [windows, steps, channels]."""

    @abstractmethod
    def sliding_scores(self, segment: Array, left: int, right: int) -> Array:
        """The score of the window at each step of a segment [steps, channels]; [windows].

        The first `left` and last `right` steps, at most `margin` each, are context and part of no window.
        """
