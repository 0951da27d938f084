"""What each column contributed to the errors of steps of a series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.series.channels import Channels
from aedetect.models.ensemble import BLOCK_ROWS, window_errors
from aedetect.scoring.fitted import FittedModel, SeriesParts

# Windows that a flagged row's errors are taken from.
_ATTRIBUTED_WINDOWS = 16


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
        """Errors [places, channels] of steps, averaged over some of the windows that contain them.

        Which windows these are follows from the number of steps since 1970 at the start of the
        segment, `tick`, and not from where a file begins.
        """
        window = self.series.state.window
        count = len(segment) - window + 1
        causal = self.fitted.config.series.causal
        low = np.clip(places - window + 1, 0, count - 1)
        high = np.minimum(low if causal else places, count - 1) + 1
        wanted = np.zeros(count + 1, dtype=np.int64)
        np.add.at(wanted, low, 1)
        np.add.at(wanted, high, -1)
        every = 1 if causal else max(1, window // _ATTRIBUTED_WINDOWS)
        taken = (np.arange(count) + tick) % every == 0
        # Near the ends a step is in few windows.
        taken[[0, -1]] = True
        taken &= np.cumsum(wanted)[:-1] > 0
        starts = np.flatnonzero(taken)
        inside = np.arange(window)
        each = np.zeros((count, segment.shape[1]))
        for begin in range(0, len(starts), BLOCK_ROWS):
            block = starts[begin : begin + BLOCK_ROWS]
            windows = segment[block[:, None] + inside]
            each[block] = window_errors(self.fitted.members, windows, self.fitted.device).mean(axis=1)
        sums = np.concatenate([np.zeros((1, each.shape[1])), np.cumsum(each, axis=0)])
        counts = np.concatenate([[0], np.cumsum(taken)])
        return np.asarray((sums[high] - sums[low]) / (counts[high] - counts[low])[:, None], dtype=np.float32)
