"""Counts of rows by day, or by whatever else they are told apart by, at several alert rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers

# Stands for rows that have no time.
UNTIMED = int(np.iinfo(np.int64).min)


@dataclass
class Counted:
    """Of the rows of one day, say. `flagged` and `events` [rates]: at each rate, the finest first."""

    flagged: Integers
    events: Integers
    rows: int = 0
    unscorable: int = 0


class Tally:
    """Counts by key, at so many `rates`; a few numbers for each key and rate, however many rows there are.

    `keys` [rows] are whole numbers throughout: those of days since 1970, or of dumps.
    """

    def __init__(self, rates: int):
        self._rates = rates
        self.counted: dict[int, Counted] = {}

    def add_rows(self, keys: Integers) -> None:
        """Rows were read."""
        for key, count in _counts(keys):
            self._of(key).rows += count

    def add_unscorable(self, keys: Integers) -> None:
        """Some of them cannot be judged."""
        for key, count in _counts(keys):
            self._of(key).unscorable += count

    def add_flagged(self, keys: Integers, rate: int) -> None:
        """Some of them are flagged at one rate, by its place."""
        for key, count in _counts(keys):
            self._of(key).flagged[rate] += count

    def add_flagged_from(self, keys: Integers, finest: Integers) -> None:
        """Some are flagged at the rate in place `finest` [rows] and at all that are looser."""
        unique, places = np.unique(keys, return_inverse=True)
        counts = np.bincount(places * self._rates + finest, minlength=len(unique) * self._rates)
        at_rates = counts.reshape(len(unique), self._rates).cumsum(axis=1)
        for key, flagged in zip(unique.tolist(), at_rates, strict=True):
            self._of(key).flagged += flagged

    def add_events(self, keys: Integers, rate: int) -> None:
        """Events began at one rate; `keys` [events]."""
        for key, count in _counts(keys):
            self._of(key).events[rate] += count

    def _of(self, key: int) -> Counted:
        if key not in self.counted:
            nothing = np.zeros(self._rates, dtype=np.int64)
            self.counted[key] = Counted(nothing, nothing.copy())
        return self.counted[key]


def _counts(keys: Integers) -> list[tuple[int, int]]:
    """Each key, and how often it comes."""
    unique, counts = np.unique(keys, return_counts=True)
    return list(zip(unique.tolist(), counts.tolist(), strict=True))
