"""The form of a CSV file: its delimiter, and which of its lines are header, rows, or neither."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

csv.field_size_limit(min(sys.maxsize, 1 << 30))


@dataclass(frozen=True)
class CsvForm:
    """How the text of a CSV file is to be cut.

    `skip`: lines above the header, or above the first row where there is none (`header` false).
    `comment`: lines that begin so are left out wherever they stand. `units`: the row below the header
    holds units, and is left out.
    """

    delimiter: str = ","
    skip: int = 0
    comment: str | None = None
    header: bool = True
    units: bool = False


class ContentLines:
    """The lines of `text` (with their ends) that hold header and rows.

    `number`: that of the line given last, from 1 and of all lines; `taken`: how many were given.
    """

    def __init__(self, text: Iterable[str], form: CsvForm):
        self._text = text
        self._form = form
        self.number = 0
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        skip, comment = self._form.skip, self._form.comment
        quoted = False
        for line in self._text:
            self.number += 1
            if self.number <= skip:
                continue
            # Within quotes a line that begins so is part of a cell.
            if comment and not quoted and line.lstrip(" ").startswith(comment):
                continue
            if line.count('"') % 2:
                quoted = not quoted
            self.taken += 1
            yield line


@dataclass(frozen=True)
class Record:
    """The fields of one record, the line (from 1) on which it begins, and the lines taken to its end."""

    line: int
    fields: list[str]
    taken: int


def records(text: Iterable[str], form: CsvForm) -> Iterator[Record]:
    """The records of a text, empty ones with no fields."""
    lines = ContentLines(text, form)
    first: list[int] = []
    for fields in csv.reader(_noted(lines, first), delimiter=form.delimiter):
        yield Record(first[0], fields, lines.taken)
        first.clear()


def line_of_open_quote(text: Iterable[str], form: CsvForm) -> int | None:
    """The line (from 1) of the record in which a quote is opened and never closed; None without one."""
    first: list[int] = []
    try:
        for _ in csv.reader(_noted(ContentLines(text, form), first), delimiter=form.delimiter, strict=True):
            first.clear()
    except csv.Error as error:
        return first[0] if "end of data" in str(error) and first else None
    return None


def _noted(lines: ContentLines, numbers: list[int]) -> Iterator[str]:
    """The lines, with the number of each entered in `numbers`."""
    for line in lines:
        numbers.append(lines.number)
        yield line
