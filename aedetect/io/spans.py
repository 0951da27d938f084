"""Spans of a Parquet file: some of its row groups, or rows of one, read as an input by itself.

A span is worked on by whoever has time, and its rows are still called by their numbers in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from aedetect.io.files import FileInput
from aedetect.io.source import InputAround, Reader

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SpanInput(InputAround):
    """Row groups `first_group` up to, not with, `last_group` of a Parquet file; `before` rows go before.

    Of them, but for the first `skipped` rows, `rows` rows.
    """

    source: FileInput
    first_group: int
    last_group: int
    before: int
    rows: int
    skipped: int = 0

    def open(self, batch_rows: int) -> Reader:
        groups = range(self.first_group, self.last_group)
        reader = self.source.open_groups(batch_rows, groups, self.before - self.skipped)
        return _SpanReader(reader, self.skipped, self.rows)

    def locate(self, row: int) -> str:
        return self.source.locate(self.before + row)


def spans_of(source: FileInput, rows: int, most: int | None = None) -> list[SpanInput]:
    """The file as spans of about `rows` rows, at least one row group each; its cuts depend on it alone.

    Row groups of more than `most` rows are cut themselves: whoever reads a later part of one has to go over
    its beginning. One span for a file of none. Raises DataError where it cannot be read or is no Parquet.
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
    return spans if most is None else [part for span in spans for part in _parts(span, max(rows, most))]


def _parts(span: SpanInput, most: int) -> Iterator[SpanInput]:
    """The span in parts of about the same size, none of which has more than `most` rows."""
    number = max(1, -(-span.rows // most))
    edges = [span.rows * part // number for part in range(number + 1)]
    for start, end in pairwise(edges):
        yield replace(span, before=span.before + start, rows=end - start, skipped=start)


@dataclass(frozen=True)
class _SpanReader:
    """So many rows of a reader, behind the first `skipped`."""

    reader: Reader
    skipped: int
    rows: int

    @property
    def schema(self) -> pa.Schema:
        return self.reader.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        start, end = self.skipped, self.skipped + self.rows
        for batch in self.reader.batches():
            part = batch.slice(max(start, 0), max(0, end - max(start, 0)))
            if len(part):
                yield part
            start, end = start - len(batch), end - len(batch)
            if end <= 0:
                return
