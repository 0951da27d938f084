"""Many numbers, of which few are distinct, and their median."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import AnyArray, Integers

# Parts are merged once there are so many numbers in them, and twice as many as after the last time.
_LEAST = 100_000


class Counted:
    """Numbers that are added part by part; only the distinct ones are in memory."""

    def __init__(self) -> None:
        self._parts: list[tuple[AnyArray, Integers]] = []
        self._held, self._merged = 0, _LEAST
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, numbers: AnyArray) -> None:
        """Count some more [numbers], none of them NaN."""
        distinct, counts = np.unique(numbers, return_counts=True)
        self._parts.append((distinct, counts))
        self._held += len(distinct)
        self._count += len(numbers)
        self._merge()

    def take(self, other: Counted) -> None:
        """Count what another has counted as well."""
        self._parts += other._parts
        self._held += other._held
        self._count += other._count
        self._merge()

    def _merge(self) -> None:
        if self._held > 2 * self._merged:
            self._parts = [self._distinct()]
            self._held = len(self._parts[0][0])
            self._merged = max(self._held, _LEAST)

    def median(self) -> float:
        """The middle one, or the mean of the two in the middle; there must be some."""
        distinct, counts = self._distinct()
        middle = [(self._count - 1) // 2, self._count // 2]
        low, high = distinct[np.searchsorted(np.cumsum(counts), middle, side="right")].tolist()
        return float((low + high) / 2)

    def _distinct(self) -> tuple[AnyArray, Integers]:
        """The distinct numbers, ascending, and how often each was added."""
        numbers = np.concatenate([part for part, _ in self._parts])
        distinct, places = np.unique(numbers, return_inverse=True)
        counts = np.zeros(len(distinct), dtype=np.int64)
        np.add.at(counts, places.reshape(-1), np.concatenate([part for _, part in self._parts]))
        return distinct, counts
