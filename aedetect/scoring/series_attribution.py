"""What each column contributed to the errors of steps of a series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.series.channels import Channels
from aedetect.models.ensemble import window_errors
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.scoring.fitted import FittedModel, SeriesParts

# Windows that a flagged row's errors are taken from.
_ATTRIBUTED_WINDOWS = 16
# What the errors of whole windows add to those of their steps: enough where a step has none of its own.
_OF_WINDOW = 1e-6


@dataclass(frozen=True)
class SeriesAttribution:
    """Attributes the errors of steps to columns, from some of the windows that contain them."""

    fitted: FittedModel
    series: SeriesParts

    def shares_at(self, segment: Matrix, places: Integers, start: float) -> Matrix:
        """What each column contributed [places, columns] to the errors of steps of a segment.

        The segment [steps, channels] is as the model is given it and begins `start` seconds after 1970.
        Call it within `single_threaded`.
        """
        count, owners = self._owners
        errors = self._channel_errors(segment, places, round(start / self.series.state.step))
        shares = np.zeros((len(places), count), dtype=np.float32)
        for channel, column in enumerate(owners):
            shares[:, column] += errors[:, channel]
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), np.float32(1e-30)))

    def of_gross(self, gross: Mask) -> Matrix:
        """Shares [rows, columns] of rows that are anomalous for their gross cells [rows, channels]."""
        count, owners = self._owners
        shares = np.zeros((len(gross), count), dtype=np.float32)
        for channel, column in enumerate(owners):
            shares[:, column] += gross[:, channel]
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1))

    @cached_property
    def _owners(self) -> tuple[int, list[int]]:
        columns = self.fitted.columns
        places = {name: index for index, name in enumerate(columns)}
        return len(columns), [places[name] for name in Channels.of(self.fitted.encoder).owners]

    def _channel_errors(self, segment: Matrix, places: Integers, tick: int) -> Matrix:
        """Errors [places, channels] of steps in some of the windows that contain them, on average.

        Those of the steps themselves, not of whole windows: in these, a short anomaly of one channel is
        less than the noise that a channel of nothing else has at all times.
        Which windows these are follows from the number of steps since 1970 at the start of the
        segment, `tick`, and not from where a file begins.
        """
        window = self.series.state.window
        count = len(segment) - window + 1
        low = np.clip(places - window + 1, 0, count - 1)
        if self.fitted.config.series.causal:
            # Of the window that ends with the step, where there is one: later steps are not known yet.
            return self._errors_within(segment, low, places)
        wanted = np.zeros(count + 1, dtype=np.int64)
        np.add.at(wanted, low, 1)
        np.add.at(wanted, np.minimum(places, count - 1) + 1, -1)
        taken = (np.arange(count) + tick) % max(1, window // _ATTRIBUTED_WINDOWS) == 0
        # Near the ends a step is in few windows.
        taken[[0, -1]] = True
        starts = np.flatnonzero(taken & (np.cumsum(wanted)[:-1] > 0))
        sums, counts = np.zeros(segment.shape), np.zeros((len(segment), 1))
        for begin in range(0, len(starts), BLOCK_ROWS):
            steps = starts[begin : begin + BLOCK_ROWS, None] + np.arange(window)
            np.add.at(sums, steps, self._errors_in(segment[steps]))
            np.add.at(counts, steps, 1)
        return np.asarray(sums[places] / counts[places], dtype=np.float32)

    def _errors_within(self, segment: Matrix, starts: Integers, places: Integers) -> Matrix:
        """Errors [places, channels] of steps, each in one window, which begins at `starts` [places]."""
        errors = np.zeros((len(places), segment.shape[1]), dtype=np.float32)
        inside = np.arange(self.series.state.window)
        for begin in range(0, len(places), BLOCK_ROWS):
            block = slice(begin, begin + BLOCK_ROWS)
            windows = segment[starts[block, None] + inside]
            each = self._errors_in(windows)
            errors[block] = each[np.arange(len(windows)), places[block] - starts[block]]
        return errors

    def _errors_in(self, windows: Matrix) -> Matrix:
        """Errors [windows, steps, channels] of steps; of steps of which nothing is known, of their window."""
        errors = window_errors(self.fitted.members, windows, self.fitted.device)
        return np.asarray(errors + _OF_WINDOW * errors.mean(axis=1, keepdims=True))
