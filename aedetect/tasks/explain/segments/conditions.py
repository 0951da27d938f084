"""What a row can be said to be, column by column: a value, or a range of numbers or times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.timestamps import Clock, instant
from aedetect.tasks.explain.format import exact, grouped, shown

# Between which ranks of the values ranges begin and end; finer at either end, where what is odd tends to be.
RANKS = np.array(
    [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, *np.arange(0.05, 0.951, 0.025).round(3), 0.97, 0.98, 0.99,
     0.995, 0.998, 0.999]
)  # fmt: skip
# Seconds of a day, an hour, ten minutes, one.
_ROUND_TIMES = (86_400.0, 3600.0, 600.0, 60.0)
# A value of fewer rows is not looked at: it cannot be said to be frequent.
LEAST_ROWS = 5


@dataclass(frozen=True)
class Condition:
    """`column` has `value` (None: is missing), or is at least `low` and below `high`, where these are given.

    `is_range` tells which; ends that are None are open. `clock`: of instants, how they are shown.
    """

    column: str
    value: str | float | None = None
    is_range: bool = False
    low: float | None = None
    high: float | None = None
    is_instant: bool = False
    clock: Clock | None = None

    @property
    def text(self) -> str:
        """'store = 17', 'amount ≥ 1,200', '30 ≤ amount < 50', 'load is missing'."""
        name = shown(self.column, 40)
        if not self.is_range:
            return f"{name} is missing" if self.value is None else f"{name} = {self._shown(self.value)}"
        if self.low is None:
            return f"{name} < {self._shown(self.high)}"
        if self.high is None:
            return f"{name} ≥ {self._shown(self.low)}"
        return f"{self._shown(self.low)} ≤ {name} < {self._shown(self.high)}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: a value is text or a number, instants are text."""
        return {
            "column": self.column,
            "value": self._plain(self.value),
            "missing": not self.is_range and self.value is None,
            "from": self._plain(self.low),
            "below": self._plain(self.high),
            "text": self.text,
        }

    def _plain(self, value: str | float | None) -> str | float | None:
        if isinstance(value, str) or value is None:
            return value
        if self.is_instant:
            return self._shown(value)
        return int(value) if value == int(value) and abs(value) < 2.0**53 else float(value)

    def _shown(self, value: str | float | None) -> str:
        if isinstance(value, str):
            return shown(value, 40) if value else "''"
        assert value is not None
        if not self.is_instant:
            return grouped(exact(float(value)).replace(",", ""))
        return self.clock.shown(value) if self.clock is not None else instant(value)


@dataclass(frozen=True)
class CodedColumn:
    """A column as codes [rows], and the conditions that runs of codes stand for.

    Of values (`edges` is None) condition i is code i, `values` [codes] says which. Of ranges the codes are
    bins in order, -1 where missing: condition i is the bins from `first[i]` to `last[i]`; bin b begins with
    `edges[b]`, and `before[b]` is the largest value below it. `learned`: the number of the learned column
    that it is, or is made of; -1 of others.
    """

    column: str
    codes: Integers
    size: int
    first: Integers
    last: Integers
    values: list[Any] = field(default_factory=list)
    edges: Floats | None = None
    before: Floats | None = None
    is_instant: bool = False
    clock: Clock | None = None
    learned: int = -1

    @property
    def of_numbers(self) -> bool:
        """Whether its conditions are values of a column of numbers."""
        return self.edges is None and any(isinstance(value, float) for value in self.values)

    def __len__(self) -> int:
        return len(self.first)

    def totals(self, rows: Integers, weights: Floats | None = None) -> Floats:
        """How many of `rows` (numbers of rows) each condition holds, or the sum of their `weights`."""
        codes = self.codes[rows] + 1
        counts = np.bincount(codes, weights, minlength=self.size + 1)[1:]
        sums = np.concatenate([[0.0], np.cumsum(counts)])
        # Cumulated weights leave a residue where there is nothing.
        return np.asarray(np.maximum(np.round(sums[self.last + 1] - sums[self.first], 9), 0.0))

    def holds(self, place: int) -> Mask:
        """Which rows condition number `place` holds [rows]."""
        return np.asarray((self.codes >= self.first[place]) & (self.codes <= self.last[place]))

    def condition(self, place: int) -> Condition:
        """Condition number `place` in words."""
        first, last = int(self.first[place]), int(self.last[place])
        about = {"is_instant": self.is_instant, "clock": self.clock}
        if self.edges is None:
            return Condition(self.column, self.values[first], **about)  # type: ignore[arg-type]
        low = self._edge(first) if first else None
        high = self._edge(last + 1) if last + 1 < self.size else None
        return Condition(self.column, None, True, low, high, **about)  # type: ignore[arg-type]

    def _edge(self, place: int) -> float:
        """The number of fewest digits, or the roundest time, at which bin `place` can be said to begin."""
        assert self.edges is not None
        assert self.before is not None
        edge, before = float(self.edges[place]), float(self.before[place])
        for unit in _ROUND_TIMES if self.is_instant else ():
            rounded = float(np.floor(edge / unit) * unit)
            if before < rounded:
                return rounded
        for digits in range(1, 17):
            for value in ((edge + before) / 2, edge):
                rounded = float(f"{value:.{digits}g}")
                if before < rounded <= edge and (rounded.is_integer() or not edge.is_integer()):
                    return rounded
        return edge


def coded_values(column: str, array: pa.Array, least: int = LEAST_ROWS) -> CodedColumn | None:
    """The values of a column that at least `least` rows have; None where there is none, or one alone."""
    encoded = pc.dictionary_encode(array, null_encoding="encode")
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(codes, minlength=len(encoded.dictionary))
    frequent = np.flatnonzero(counts >= least)
    if not len(frequent) or len(counts) < 2:
        return None
    places = np.full(len(counts), -1, dtype=np.int64)
    places[frequent] = np.arange(len(frequent))
    values = encoded.dictionary.take(pa.array(frequent)).to_pylist()
    every = np.arange(len(frequent))
    return CodedColumn(column, places[codes], len(frequent), every, every, values)


def coded_ranges(
    column: str, numbers: Floats, weights: Floats, is_instant: bool = False, clock: Clock | None = None
) -> CodedColumn | None:
    """Every range of bins between quantiles of `numbers` [rows], each row with its weight [rows].

    The bins are blind to what is flagged. None where there is but one bin.
    """
    known = np.flatnonzero(np.isfinite(numbers))
    if not len(known):
        return None
    distinct, places = np.unique(numbers[known], return_inverse=True)
    ranks = np.cumsum(np.bincount(places, weights[known]))
    starts = np.unique(np.searchsorted(ranks, RANKS * ranks[-1], side="right"))
    starts = np.unique([0, *starts[starts < len(distinct)]])
    if len(starts) < 2:
        return None
    codes = np.full(len(numbers), -1, dtype=np.int64)
    codes[known] = np.searchsorted(starts, places, side="right") - 1
    first, last = np.triu_indices(len(starts))
    # All bins together are no condition.
    part = (first > 0) | (last < len(starts) - 1)
    edges, before = distinct[starts], distinct[np.maximum(starts - 1, 0)]
    return CodedColumn(
        column, codes, len(starts), first[part], last[part], [], edges, before, is_instant, clock
    )
