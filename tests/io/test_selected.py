"""Inputs without some of their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.io.files import open_inputs
from aedetect.io.selected import RowMarks, SelectedInput
from aedetect.io.source import ReadOptions, TableInput

MARKS = st.lists(st.lists(st.booleans(), max_size=20), min_size=1, max_size=6)


def marked(blocks: list[list[bool]]) -> RowMarks:
    marks = RowMarks()
    for block in blocks:
        marks.add(np.array(block, dtype=np.bool_))
    return marks


@given(MARKS, st.integers(1, 30))
def test_marks_are_the_same_however_they_are_cut(blocks: list[list[bool]], rows: int) -> None:
    marks, flat = marked(blocks), [mark for block in blocks for mark in block]
    assert (marks.count, marks.marked) == (len(flat), sum(flat))
    read = [mark for first in range(0, len(flat), rows) for mark in marks.part(first, rows).tolist()]
    assert read[: len(flat)] == flat
    assert not any(read[len(flat) :])
    numbers = [marks.number_of(rank) for rank in range(marks.marked)]
    assert numbers == [number for number, mark in enumerate(flat) if mark]


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_only_marked_rows_are_read(rows: int) -> None:
    source = TableInput(pa.table({"a": list(range(10))}))
    selected = SelectedInput(source, marked([[True, False, False, True], [False] * 5 + [True]]))
    table = pa.Table.from_batches(selected.open(rows).batches(), selected.open(rows).schema)
    assert table.column("a").to_pylist() == [0, 3, 9]
    assert (selected.name, selected.is_text) == ("data", False)


def test_rows_are_called_by_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n2\n3\n")
    (source,) = open_inputs([str(path)], ReadOptions())
    assert SelectedInput(source, marked([[False, True, True]])).locate(2) == "row 3 (line 4)"
