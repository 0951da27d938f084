"""Encoded rows as channels, the numbers of which windows of a series are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features.categorical import MISSING
from aedetect.data.features.encoder import Encoded, FeatureEncoder
from aedetect.data.series.counted import Counted

# Beyond so many standard deviations a value counts by its logarithm.
LINEAR = 5.0
_LARGEST_SINH, _LARGEST = 80.0, 1e6
# What all binary and categorical channels of a series weigh together, in numeric channels.
_DISCRETE_WEIGHT = 0.3
_LARGEST_DISCRETE = 5.0
# A category that was missing in fewer rows than that has none to compare with: it is not known.
_RARE = 0.01
# A constant that changed is so many standard deviations away.
_CHANGED = 5.0


@dataclass(frozen=True)
class Channels:
    """From encoded rows [rows, features] to channels [rows, channels], float32, NaN where missing.

    A number is given in standard deviations from the mean; a boolean too; a category becomes one
    channel for each of its codes, a constant one that says whether it changed. Binary and categorical
    channels change all at once and by much where numbers drift: together they weigh less than one
    number.

    `numeric`: how many features are numeric. `gain`, `shift` [numeric], `priors`: see `Layout`.
    `weights` [channels]. `owners` [channels]: the column of each. `measured` [channels]: whether it
    is a number.
    """

    numeric: int
    gain: Floats
    shift: Floats
    weights: Floats
    priors: tuple[Floats, ...]
    owners: tuple[str, ...]
    measured: Mask

    @classmethod
    def of(cls, encoder: FeatureEncoder) -> Channels:
        """The channels of rows that `encoder` encodes."""
        layout = encoder.layout
        columns = [column for column in encoder.state.numeric for _ in range(column.width)]
        words = [(vocabulary.column, vocabulary.cardinality) for vocabulary in encoder.state.categorical]
        constants = encoder.state.constant
        discrete = [column.column for column in columns if column.role == "boolean"]
        discrete += [name for name, _ in words]
        discrete += [name for name, value in constants.items() if _is_discrete(value)]
        # Where there is nothing else, they are all that counts.
        only = len(discrete) == len(columns) + len(words) + len(constants)
        share = 1.0 if only else np.sqrt(_DISCRETE_WEIGHT / max(len(discrete), 1))
        weights = [share if column.role == "boolean" else 1.0 for column in columns]
        owners = [column.column for column in columns]
        for name, cardinality in words:
            weights += [share] * cardinality
            owners += [name] * cardinality
        weights += [share if name in discrete else 1.0 for name in constants]
        owners += list(constants)
        measured = np.zeros(len(owners), dtype=np.bool_)
        measured[: len(columns)] = [column.role != "boolean" for column in columns]
        return cls(
            layout.numeric,
            layout.gain,
            layout.shift,
            np.array(weights),
            layout.priors,
            tuple(owners),
            measured,
        )

    @property
    def width(self) -> int:
        """How many channels there are."""
        return len(self.owners)

    def exact(self, encoded: Encoded, center: Floats, deviation: Floats) -> Floats:
        """Channels [rows, channels] of an encoded batch, float64: as precise as the numbers were read.

        Of sensors of other units in one column the smallest would else be lost in the rounding.
        `center`, `deviation` [numeric]: what numbers are standardised by.
        """
        channels = self.of_rows(encoded).astype(np.float64)
        standardised = np.clip((encoded.numbers - center) / deviation, -_LARGEST, _LARGEST)
        standardised[np.isnan(encoded.matrix[:, : self.numeric])] = np.nan
        chosen = self.measured[: self.numeric]
        channels[:, : self.numeric][:, chosen] = standardised[:, chosen]
        return channels

    def of_rows(self, encoded: Encoded) -> Matrix:
        """Channels [rows, channels] of an encoded batch, float32."""
        numbers = encoded.matrix[:, : self.numeric].astype(np.float64)
        numbers = np.sinh(np.clip(numbers, -_LARGEST_SINH, _LARGEST_SINH)) * self.gain + self.shift
        parts: list[np.ndarray[Any, Any]] = [np.clip(numbers, -_LARGEST, _LARGEST)]
        for index, prior in enumerate(self.priors):
            codes = encoded.matrix[:, self.numeric + index].astype(np.int64)
            chosen = np.eye(len(prior))[codes]
            spread = np.sqrt(prior * (1 - prior))
            channels = np.clip((chosen - prior) / spread, -_LARGEST_DISCRETE, _LARGEST_DISCRETE)
            if prior[MISSING] < _RARE:
                channels[codes == MISSING] = np.nan
            parts.append(channels)
        parts.append(np.where(encoded.missing_constants, np.nan, encoded.changed_constants * _CHANGED))
        return np.asarray(np.concatenate(parts, axis=1) * self.weights, dtype=np.float32)


def _is_discrete(constant: str) -> bool:
    try:
        return float(constant) in (0.0, 1.0)
    except ValueError:
        return True


def log_compressed(values: Matrix) -> Matrix:
    """`values` (any shape), those far out by their logarithm: one does not drown a window's others."""
    outer = np.abs(values) > LINEAR
    if not outer.any():
        return values
    size = np.maximum(np.abs(values) / np.float32(LINEAR), np.float32(1))
    return np.where(outer, np.sign(values) * np.float32(LINEAR) * (1 + np.log(size)), values)


def inverse_log_compressed(values: Matrix) -> Matrix:
    """The inverse of `log_compressed`."""
    size = np.abs(values)
    outer = np.float32(LINEAR) * np.exp(np.clip(size / np.float32(LINEAR) - 1, 0, np.float32(50)))
    return np.where(size > LINEAR, np.sign(values) * outer, values)


def filled_forward(values: Matrix, steps: Integers | None = None) -> Matrix:
    """Missing values [steps, channels] of one segment as the last known ones; at its start as 0.

    With `steps` [channels], only those up to so many steps after a known one; the others stay missing.
    """
    missing = np.isnan(values)
    if not missing.any() or (steps is not None and not (steps > 0).any()):
        return values
    places = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(missing, -1, places), axis=0)
    filled = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    if steps is None:
        return np.where(last < 0, np.float32(0), filled)
    return np.where((last < 0) | (places - last > steps), np.float32(np.nan), filled)


def interpolated(values: Matrix) -> Matrix:
    """Missing values [steps, channels] of one segment as a line between known ones; 0 where there is none."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    filled, steps = values.copy(), np.arange(len(values))
    for channel in np.flatnonzero(missing.any(axis=0)):
        gaps = missing[:, channel]
        known = steps[~gaps]
        filled[gaps, channel] = np.interp(steps[gaps], known, values[known, channel]) if len(known) else 0.0
    return filled


def steps_apart(segments: Iterable[Matrix], width: int) -> Integers:
    """How many steps usually lie between known cells of each channel of segments [steps, channels].

    That of a sensor that is read every fifth step is 4. `width`: how many channels there are.
    """
    pauses = [Counted() for _ in range(width)]
    for segment in segments:
        for channel, counted in enumerate(pauses):
            counted.add(np.diff(np.flatnonzero(~np.isnan(segment[:, channel]))))
    return np.array([int(each.median()) - 1 if len(each) else 0 for each in pauses], dtype=np.int64)
