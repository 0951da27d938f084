"""Random draws of rows as they stream by: a hash of the row number, and a reservoir."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix

# Rows of an input are told apart by so many bits of what is hashed, inputs by the others.
_PLACE_BITS = 40


def uniform(numbers: np.ndarray[Any, np.dtype[np.uint64]], seed: int) -> np.ndarray[Any, Any]:
    """A hash of each row number in [0, 1) (the SplitMix64 finaliser; Steele et al., 2014)."""
    with np.errstate(over="ignore"):
        mixed = (numbers + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed.astype(np.float64) / 2.0**64


def chances(place: int, numbers: Integers, seed: int) -> Floats:
    """A hash of each row in [0, 1): of its number in its input, and of that one's place among all; [rows].

    Who reads the rows, in which order and in how many parts, makes no difference.
    """
    return uniform(numbers.astype(np.uint64) + np.uint64(place << _PLACE_BITS), seed)


class RowSample:
    """A uniform sample of rows as they stream by (reservoir sampling; Vitter, 1985)."""

    def __init__(self, most: int, seed: int = 0):
        self._most = most
        self._random = np.random.default_rng(seed)
        self.rows: list[tuple[int, float, Matrix]] = []
        self._seen = 0

    def add(self, first: int, scores: Floats, matrix: Matrix, of: Any) -> None:
        """Of a batch whose first row is number `first`, the rows at the indices `of`."""
        for index in of:
            self._seen += 1
            if len(self.rows) < self._most:
                self.rows.append((first + int(index), float(scores[index]), matrix[index].copy()))
                continue
            place = int(self._random.integers(self._seen))
            if place < self._most:
                self.rows[place] = (first + int(index), float(scores[index]), matrix[index].copy())
