"""Encoded rows as channels, the numbers of which windows of a series are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.features.encoder import Encoded, FeatureEncoder

# Beyond so many standard deviations a value counts by its logarithm.
_BENT = 5.0
_LARGEST_SINH, _LARGEST = 80.0, 1e6
# What all switches (truth values and categories) of a series weigh together, in numeric channels.
_SWITCHES = 0.3
_LARGEST_SWITCH = 5.0
# A constant that moved is so many standard deviations away.
_MOVED = 5.0


@dataclass(frozen=True)
class Channels:
    """From encoded rows [rows, features] to channels [rows, channels], float32, NaN where missing.

    A number is given in standard deviations from the mean; a truth value too; a category becomes
    one channel for each of its codes, a constant one that says whether it moved. Truth values and
    categories, switches, change all at once and by much where numbers drift: together they weigh
    less than one number. `owners`: the column of each channel. `measured`: whether it is a number.
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
        layout = encoder.layout
        columns = [column for column in encoder.state.numeric for _ in range(column.width)]
        words = [(vocabulary.column, vocabulary.cardinality) for vocabulary in encoder.state.categorical]
        constants = encoder.state.constant
        switches = [column.column for column in columns if column.role == "boolean"]
        switches += [name for name, _ in words]
        switches += [name for name, value in constants.items() if _is_switch(value)]
        # Where there is nothing else, switches are all that counts.
        only = len(switches) == len(columns) + len(words) + len(constants)
        share = 1.0 if only else np.sqrt(_SWITCHES / max(len(switches), 1))
        weights = [share if column.role == "boolean" else 1.0 for column in columns]
        owners = [column.column for column in columns]
        for name, cardinality in words:
            weights += [share] * cardinality
            owners += [name] * cardinality
        weights += [share if name in switches else 1.0 for name in constants]
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
        return len(self.owners)

    def of_rows(self, encoded: Encoded) -> Matrix:
        """Channels [rows, channels] of an encoded batch."""
        numbers = encoded.matrix[:, : self.numeric].astype(np.float64)
        numbers = np.sinh(np.clip(numbers, -_LARGEST_SINH, _LARGEST_SINH)) * self.gain + self.shift
        parts: list[np.ndarray[Any, Any]] = [np.clip(numbers, -_LARGEST, _LARGEST)]
        for index, prior in enumerate(self.priors):
            codes = encoded.matrix[:, self.numeric + index].astype(np.int64)
            chosen = np.eye(len(prior))[codes]
            spread = np.sqrt(prior * (1 - prior))
            parts.append(np.clip((chosen - prior) / spread, -_LARGEST_SWITCH, _LARGEST_SWITCH))
        parts.append(np.asarray(encoded.moved * _MOVED))
        return np.asarray(np.concatenate(parts, axis=1) * self.weights, dtype=np.float32)


def _is_switch(constant: str) -> bool:
    try:
        return float(constant) in (0.0, 1.0)
    except ValueError:
        return True


def bent(values: Matrix) -> Matrix:
    """Values that lie far out, by their logarithm: one of them does not drown a window's others."""
    far = np.abs(values) > _BENT
    if not far.any():
        return values
    size = np.maximum(np.abs(values) / np.float32(_BENT), np.float32(1))
    return np.where(far, np.sign(values) * np.float32(_BENT) * (1 + np.log(size)), values)


def unbent(values: Matrix) -> Matrix:
    """The inverse of `bent`."""
    size = np.abs(values)
    far = np.float32(_BENT) * np.exp(np.clip(size / np.float32(_BENT) - 1, 0, np.float32(50)))
    return np.where(size > _BENT, np.sign(values) * far, values)


def filled_forward(values: Matrix) -> Matrix:
    """Missing values [steps, channels] of one segment as the last known ones; at its start as 0."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    steps = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(missing, -1, steps), axis=0)
    return np.where(last < 0, np.float32(0), np.take_along_axis(values, np.maximum(last, 0), axis=0))
