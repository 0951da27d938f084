"""How many rows each value of each column has, and how many of them are flagged, within a bound."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Mask

Value = str | float | None
# Numbers that are measured differ in nearly every row: to count them would be in vain.
_MOST_NUMBERS = 500


class ValueCounts:
    """Counts rows by value, exactly; a column of more than `most` values is given up, and so not counted."""

    def __init__(self, most: int):
        self._most = most
        self._counts: dict[str, dict[Value, list[int]]] = {}
        self._given_up: set[str] = set()
        self._rows = self._flagged = 0

    def add(self, rows: pa.RecordBatch, flagged: Mask) -> None:
        """Count the rows of a batch, of which those in `flagged` [rows] are flagged."""
        self._rows += len(rows)
        self._flagged += int(flagged.sum())
        for name in rows.schema.names:
            if name in self._given_up:
                continue
            counts = self._counts.setdefault(name, {})
            encoded = pc.dictionary_encode(rows.column(name), null_encoding="encode")
            codes = encoded.indices.to_numpy(zero_copy_only=False)
            size = len(encoded.dictionary)
            are_numbers = pa.types.is_floating(rows.column(name).type)
            most = min(self._most, _MOST_NUMBERS) if are_numbers else self._most
            if size > most:
                self._give_up(name)
                continue
            every = np.bincount(codes, minlength=size).tolist()
            bad = np.bincount(codes[flagged], minlength=size).tolist()
            for value, count, hits in zip(encoded.dictionary.to_pylist(), every, bad, strict=True):
                entry = counts.setdefault(value, [0, 0])
                entry[0] += count
                entry[1] += hits
            if len(counts) > most:
                self._give_up(name)

    def of(self, column: str, value: Value) -> tuple[int, int] | None:
        """Rows with that value, and flagged ones among them; None where the column was given up.

        Where a file lacks the column, its rows have no value.
        """
        counts = self._counts.get(column)
        if counts is None:
            return None
        if value is not None:
            rows, flagged = counts.get(value, (0, 0))
            return rows, flagged
        others = [entry for key, entry in counts.items() if key is not None]
        return self._rows - sum(rows for rows, _ in others), self._flagged - sum(hits for _, hits in others)

    def _give_up(self, column: str) -> None:
        self._counts.pop(column, None)
        self._given_up.add(column)
