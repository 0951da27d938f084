"""DataFrames come in as their CSV file would be read, and go out with their own index and types."""

from __future__ import annotations

import datetime
import decimal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.errors import DataError
from aedetect.io.frames import AS_TYPED, frame_of_table, table_of_frame
from aedetect.io.jsonl import NESTED

ID = uuid.UUID(int=7)


def given(values: Any) -> pd.DataFrame:
    return pd.DataFrame({"c": values if isinstance(values, pd.Series) else pd.Series(values)})


def objects(*values: Any) -> pd.Series:
    column = pd.Series([None] * len(values), dtype=object)
    column[:] = values
    return column


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (objects(1, "x", 2.5, None), ["1", "x", "2.5", None]),
        (objects(1.5, "NA", "?", np.nan), ["1.5", "NA", "?", None]),
        (objects(True, 2, pd.NA), ["True", "2", None]),
        (objects(decimal.Decimal("1.50"), 2.5), ["1.50", "2.5"]),
        (objects(10**30, 1), [str(10**30), "1"]),
        (objects(datetime.date(2024, 1, 1), "x"), ["2024-01-01", "x"]),
        (objects(b"x", "y", b"\xff"), ["x", "y", "ff"]),
        (objects(Path("a"), pd.NaT), ["a", None]),
        (pd.period_range("2024-01-01", periods=2), ["2024-01-01", "2024-01-02"]),
        (pd.period_range("2024-01", periods=1, freq="M"), ["2024-01"]),
        (pd.IntervalIndex.from_breaks([0, 1, 2]), ["(0, 1]", "(1, 2]"]),
        (pd.cut(pd.Series([1, 2]), [0, 1, 2]), ["(0, 1]", "(1, 2]"]),
        (pd.Categorical([1, "x", None]), ["1", "x", None]),
        (pd.array(["1", None], dtype="string"), ["1", None]),
        (pd.array(["1", None], dtype="string[pyarrow]"), ["1", None]),
        (objects("1", "2"), ["1", "2"]),
    ],
    ids=str,
)
def test_what_a_csv_file_has_as_text(values: Any, cells: list[str | None]) -> None:
    table = table_of_frame(given(values))
    assert table.column("c").to_pylist() == cells
    assert AS_TYPED in table.schema.field("c").metadata


@pytest.mark.parametrize(
    ("values", "type_", "cells"),
    [
        (pd.arrays.SparseArray([0.0, 0.0, 1.5]), pa.float64(), [0.0, 0.0, 1.5]),
        (pd.arrays.SparseArray([False, True]), pa.bool_(), [False, True]),
        (pd.array([1, None], dtype="Int64"), pa.int64(), [1, None]),
        (pd.array([True, None], dtype="boolean"), pa.bool_(), [True, None]),
        (pd.array([1.5, None], dtype="Float32"), pa.float32(), [1.5, None]),
        (pd.array([1, None], dtype="int8[pyarrow]"), pa.int8(), [1, None]),
        (np.array([1.5, np.nan], dtype=">f8"), pa.float64(), [1.5, None]),
        (np.array([1.5], dtype=np.longdouble), pa.float64(), [1.5]),
        (np.array([1.5], dtype=np.float16), pa.float32(), [1.5]),
        (objects(1, 2.5, None), pa.float64(), [1.0, 2.5, None]),
        (objects(True, None), pa.bool_(), [True, None]),
        (objects(None, None), pa.null(), [None, None]),
        (objects([1, 2], [3]), pa.list_(pa.int64()), [[1, 2], [3]]),
        (objects({"a": 1}), pa.struct({"a": pa.int64()}), [{"a": 1}]),
    ],
    ids=str,
)
def test_types_that_arrow_knows(values: Any, type_: pa.DataType, cells: list[Any]) -> None:
    table = table_of_frame(given(values))
    assert (table.column("c").type, table.column("c").to_pylist()) == (type_, cells)


def test_uuids_are_such_or_their_text() -> None:
    # Before pyarrow 24, Arrow does not recognise them.
    assert list(map(str, table_of_frame(given(objects(ID))).column("c").to_pylist())) == [str(ID)]


def test_categories_stay_categories() -> None:
    table = table_of_frame(given(pd.Categorical([2, 1, None])))
    assert table.column("c").type.value_type == pa.int64()
    assert table.column("c").to_pylist() == [2, 1, None]


def test_lists_of_several_types_are_nested() -> None:
    table = table_of_frame(given(objects([1, "a"], None, {"x": {2}})))
    assert table.column("c").to_pylist() == ['[1, "a"]', None, '{"x": [2]}']
    assert NESTED in table.schema.field("c").metadata


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1 + 2j]), "complex128"),
        (pd.arrays.SparseArray([1j, 0j]), "complex128"),
        (objects(1, object()), "object"),
        (objects(pd.DataFrame({"a": [1]})), "DataFrame"),
        (objects(1j, "x"), "complex"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read(values: Any, kind: str) -> None:
    with pytest.raises(DataError) as caught:
        table_of_frame(given(values))
    assert str(caught.value) == (
        f"column 'c' of the DataFrame holds {kind} values, which cannot be read; "
        "convert them to numbers or text, or leave the column out"
    )


def test_text_that_is_no_unicode() -> None:
    with pytest.raises(DataError) as caught:
        table_of_frame(given(objects("a", "\ud800")))
    assert str(caught.value) == (
        "row 2, column 'c' of the DataFrame: holds text that is not Unicode; repair it"
    )


INDEXES = [
    pd.RangeIndex(5, 9),
    pd.Index([7, 3, 3, 1]),
    pd.Index(["b", "a", "a", None], name="key"),
    pd.date_range("2024-01-01", periods=4, tz="Asia/Tokyo"),
    pd.MultiIndex.from_arrays([[1, 1, 2, 2], list("abab")], names=["p", "q"]),
    pd.period_range("2024", periods=4, freq="Y"),
    pd.CategoricalIndex(list("uvuv")),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_the_index_and_types_are_those_given(index: pd.Index) -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None, 2, 3], dtype="Int64"),
            "text": pd.array(["a", None, "b", "c"], dtype="string[pyarrow]"),
            "kind": pd.Categorical(["u", "v", None, "u"]),
            "mixed": objects(1, "x", None, 2.5),
            "month": pd.period_range("2024-01", periods=4, freq="M"),
            "sparse": pd.arrays.SparseArray([0.0, 0.0, 0.0, 2.0]),
            "number": [1.5, 2.5, np.nan, 4],
        }
    ).set_axis(index, axis=0)
    table = table_of_frame(frame)
    pd.testing.assert_frame_equal(frame_of_table(table, [frame]), frame)


def test_several_frames_keep_their_indexes() -> None:
    frames = [pd.DataFrame({"a": [1, 2]}, index=["x", "y"]), pd.DataFrame({"a": [3]}, index=["x"])]
    table = pa.concat_tables([table_of_frame(frame) for frame in frames])
    assert frame_of_table(table, frames).index.tolist() == ["x", "y", "x"]


def test_other_rows_are_counted_anew() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
    assert frame_of_table(table_of_frame(frame).slice(1), [frame]).index.tolist() == [0]


def test_changed_columns_are_not_put_back() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64")})
    assert frame_of_table(pa.table({"a": [1, 5]}), [frame])["a"].tolist() == [1, 5]
