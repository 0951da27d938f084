"""Which series a row belongs to: the values of its entity columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.arrays import Integers

Name = tuple[str, ...]
# The rows of a file without entity columns are one series.
ONLY: Name = ()


class Entities:
    """Numbers for the names of series, in the order they are met."""

    def __init__(self, columns: Sequence[str]):
        self.columns = tuple(columns)
        self.names: list[Name] = [] if columns else [ONLY]
        self._numbers: dict[Name, int] = {} if columns else {ONLY: 0}

    def number(self, batch: pa.RecordBatch, rules: cells.CellRules) -> Integers:
        """The series of each row of `batch`; [rows]. Missing cells make a name as others do."""
        # Pandas takes long to load, and only series need it.
        import pandas as pd

        if not self.columns:
            return np.zeros(len(batch), dtype=np.int64)
        parts = []
        for column in self.columns:
            names = cells.categories(batch.column(column), rules).fill_null("")
            encoded = names.dictionary_encode()
            parts.append((encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()))
        keys, distinct = pd.factorize(
            np.ravel_multi_index([codes for codes, _ in parts], [max(len(words), 1) for _, words in parts])
        )
        places = np.unravel_index(distinct, [max(len(words), 1) for _, words in parts])
        numbers = [
            self.number_of(tuple(words[place] for (_, words), place in zip(parts, row, strict=True)))
            for row in zip(*places, strict=True)
        ]
        return np.asarray(numbers, dtype=np.int64)[keys] if len(batch) else np.empty(0, dtype=np.int64)

    def number_of(self, name: Name) -> int:
        """The number of the series of that name, a new one where it was not met before."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]
