"""Spans of a Parquet file: some of its row groups, read as an input by itself.

A span is worked on by whoever has time, and its rows are still called by their numbers in the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from aedetect.io.files import FileInput
from aedetect.io.source import InputAround, Reader


@dataclass(frozen=True)
class SpanInput(InputAround):
    """Row groups `first_group` up to, not with, `last_group` of a Parquet file; `before` rows go before."""

    source: FileInput
    first_group: int
    last_group: int
    before: int
    rows: int

    def open(self, batch_rows: int) -> Reader:
        return self.source.open_groups(batch_rows, range(self.first_group, self.last_group))

    def locate(self, row: int) -> str:
        return self.source.locate(self.before + row)


def spans_of(source: FileInput, rows: int) -> list[SpanInput]:
    """The file as spans of about `rows` rows, at least one row group each; its cuts depend on it alone.

    One span for a file of none. Raises DataError where it cannot be read or is no Parquet.
    """
    counts = source.group_rows()
    spans: list[SpanInput] = []
    first = before = held = 0
    for group, count in enumerate(counts):
        if held and held + count > rows:
            spans.append(SpanInput(source, first, group, before, held))
            first, before, held = group, before + held, 0
        held += count
    spans.append(SpanInput(source, first, len(counts), before, held))
    return spans
