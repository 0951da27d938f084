"""Spans of a Parquet file hold its rows once, in order, under their numbers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from aedetect.errors import DataError
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions
from aedetect.io.spans import SpanInput, spans_of


def spans(path: Path, rows: int, most: int | None = None) -> list[SpanInput]:
    return spans_of(open_inputs([str(path)], ReadOptions())[0], rows, most)


def numbers(span: SpanInput) -> list[int]:
    return [value for batch in span.open(7).batches() for value in batch.column("n").to_pylist()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spans")


@settings(deadline=None, max_examples=40)
@given(
    groups=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    rows=st.integers(1, 100),
    most=st.none() | st.integers(1, 50),
)
def test_together_they_are_the_file(folder: Path, groups: list[int], rows: int, most: int | None) -> None:
    path, start = folder / "x.parquet", 0
    with parquet.ParquetWriter(path, pa.schema({"n": pa.int64()})) as writer:
        for count in groups:
            writer.write_table(pa.table({"n": list(range(start, start + count))}))
            start += count
    each = spans(path, rows, most)
    assert [value for span in each for value in numbers(span)] == list(range(start))
    assert [span.before for span in each] == [numbers(span)[0] for span in each]
    assert [span.rows for span in each] == [len(numbers(span)) for span in each]
    assert all(span.rows <= max(rows, max(groups) if most is None else most) for span in each)
    assert each[-1].locate(2) == f"row {each[-1].before + 2}"


def test_a_file_of_no_rows_is_one_span(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"n": pa.array([], pa.int64())}), tmp_path / "x.parquet")
    (span,) = spans(tmp_path / "x.parquet", 10)
    assert numbers(span) == []
    assert span.rows == 0


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + b"\0" * 20 + b"PAR1")
    with pytest.raises(DataError, match=r"x\.parquet: cannot be read: "):
        spans(tmp_path / "x.parquet", 10)


@pytest.mark.parametrize("most", [None, 4])
def test_a_damaged_cell_is_called_by_its_row_in_the_file(tmp_path: Path, most: int | None) -> None:
    texts = [b"a"] * 17
    texts[15] = b"\xff"
    column = pa.array(texts, pa.binary()).view(pa.string())
    parquet.write_table(pa.table({"t": column}), tmp_path / "x.parquet", row_group_size=6)
    each = spans(tmp_path / "x.parquet", 1, most)
    bad = next(span for span in each if span.before <= 15 < span.before + span.rows)
    assert bad.before >= 12
    with pytest.raises(DataError, match=r"x\.parquet: cannot be read: row 16, column 't': not UTF-8 text"):
        list(bad.open(3).batches())
