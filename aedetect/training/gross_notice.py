"""Which training cells were set aside as gross, said by input, column and row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from aedetect.data.arrays import Integers, Mask
from aedetect.data.series.gross import rows_by_column
from aedetect.training.passes import Chunk

_MOST_ROWS, _MOST_COLUMNS = 10, 10


@dataclass
class RowOrigins:
    """Where the rows of a training stand, in the order they were read: the input and the number in it."""

    _names: list[str] = field(default_factory=list)
    _numbers: list[range | Integers] = field(default_factory=list)

    def add(self, chunk: Chunk) -> None:
        """The rows of the next chunk."""
        first, last = int(chunk.numbers[0]), int(chunk.numbers[-1])
        whole = last - first + 1 == len(chunk.numbers)
        self._names.append(chunk.source.name)
        self._numbers.append(range(first, last + 1) if whole else chunk.numbers)

    def parts(self) -> Iterator[tuple[str, slice, list[range | Integers]]]:
        """Each input, its rows among all, and their numbers in it (from 1), chunk by chunk."""
        first = index = 0
        while index < len(self._names):
            end = index
            while end < len(self._names) and self._names[end] == self._names[index]:
                end += 1
            numbers = self._numbers[index:end]
            count = sum(len(part) for part in numbers)
            yield self._names[index], slice(first, first + count), numbers
            first, index = first + count, end


def gross_notices(gross: Mask, owners: Sequence[str], origins: RowOrigins) -> Iterator[str]:
    """A notice for each input with gross cells [rows, channels]; `owners`: the column of each channel."""
    for name, part, numbers in origins.parts():
        columns = rows_by_column(gross[part], owners)
        if not columns:
            continue
        row_numbers = np.concatenate([np.asarray(each) for each in numbers])
        listed = [_listed(column, row_numbers[rows]) for column, rows in columns.items()]
        more = len(listed) - _MOST_COLUMNS
        text = "; ".join(listed[:_MOST_COLUMNS]) + (f"; and {more:,} more columns" if more > 0 else "")
        count = sum(len(rows) for rows in columns.values())
        what = (
            "1 cell is far outside the rest of its column and was set aside"
            if count == 1
            else f"{count:,} cells are far outside the rest of their column and were set aside"
        )
        yield f"{name}: {what}: {text}"


def _listed(column: str, numbers: Integers) -> str:
    shown = ", ".join(f"{number:,}" for number in numbers[:_MOST_ROWS].tolist())
    more = len(numbers) - _MOST_ROWS
    return f"{column} row{'s' * (len(numbers) != 1)} {shown}" + (f" and {more:,} more" if more > 0 else "")
