"""What Python callers may pass, and what they get back."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config, DataConfig
from aedetect.errors import DataError, UsageError
from aedetect.io.files import as_trained, open_inputs, read_options
from aedetect.io.inputs import as_given, as_inputs
from aedetect.io.source import Input, ReadOptions

TABLE = pa.table({"n": [1, 2], "s": ["a", None]})
TAKEN = (
    "data must be a DataFrame, an Arrow table, a numpy array of rows and columns, paths, or a list of these"
)


# Only later releases of pandas give a column away as such.
_NAME = f"{pd.Series.__module__}.Series"
SERIES = f"one column ({_NAME})" if hasattr(pd.Series, "__arrow_c_stream__") else _NAME


class Stream:
    """As polars and duckdb do: nothing but the Arrow PyCapsule interface."""

    def __init__(self, source: Any):
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._source.__arrow_c_stream__(requested_schema)


def inputs(data: Any, **settings: Any) -> list[Input]:
    return list(as_inputs(data, Config.build(overrides=settings).data))


def read(data: Any) -> pa.Table:
    (source,) = inputs(data)
    return pa.Table.from_batches(source.open(1000).batches())


@pytest.mark.parametrize(
    "data",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        Stream(TABLE),
        TABLE.to_pandas(),
        np.array([(1, "a"), (2, None)], dtype=[("n", "i8"), ("s", "O")]),
        [TABLE],
    ],
    ids=["table", "batch", "reader", "capsule", "frame", "structured", "list"],
)
def test_the_same_rows_from_every_kind(data: Any) -> None:
    assert read(data).to_pydict() == TABLE.to_pydict()


def test_a_stream_can_be_read_again_and_again() -> None:
    (source,) = inputs(Stream(TABLE))
    assert [len(list(source.open(1).batches())) for _ in range(2)] == [2, 2]


def test_types_of_streams_are_those_of_files() -> None:
    views = pa.table(
        {"s": pa.array(["a", None], pa.string_view()), "h": pa.array(np.array([1, 2], np.float16))}
    )
    assert read(Stream(views)).schema.types == [pa.large_string(), pa.float32()]


@pytest.mark.parametrize(
    ("array", "columns"),
    [
        (np.array([[1.5, np.nan], [3, 4]]), {"x0": [1.5, 3.0], "x1": [None, 4.0]}),
        (np.arange(4).reshape(2, 2).T, {"x0": [0, 1], "x1": [2, 3]}),
        (np.array([[1, 2]], dtype=">i4"), {"x0": [1], "x1": [2]}),
        (np.ma.array([[1, 2]], mask=[[False, True]]), {"x0": [1], "x1": [None]}),
        (np.array([["a", "b"]]), {"x0": ["a"], "x1": ["b"]}),
    ],
)
def test_arrays(array: Any, columns: dict[str, list[Any]]) -> None:
    assert read(array).to_pydict() == columns


def test_names_of_columns_that_are_no_text() -> None:
    assert read(pd.DataFrame(np.zeros((1, 2)))).column_names == ["0", "1"]


def test_paths_and_lists(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,s\n1,a\n")
    found = inputs([tmp_path / "a.csv", str(tmp_path / "a.csv"), TABLE, [TABLE.to_pandas()]])
    assert [source.name for source in found] == [str(tmp_path / "a.csv")] * 2 + ["data"] * 2
    assert list(inputs(found)) == found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (5, f"{TAKEN}, not int"),
        (None, f"{TAKEN}, not NoneType"),
        ({"a": [1]}, f"{TAKEN}, not dict"),
        (pd.Series([1]), f"{TAKEN}, not {SERIES}"),
        (pa.array([1]), f"{TAKEN}, not pyarrow.lib.Int64Array"),
        (Stream(pa.chunked_array([[1]])), f"{TAKEN}, not one column ({__name__}.Stream)"),
        ([], "no data given"),
        (
            np.zeros(3),
            "a numpy array has rows and columns, this one 1 axis (shape (3,)); "
            "one column is array.reshape(-1, 1), one row array.reshape(1, -1)",
        ),
        (
            np.zeros((2, 2, 2)),
            "a numpy array has rows and columns, this one 3 axes (shape (2, 2, 2)); "
            "one column is array.reshape(-1, 1), one row array.reshape(1, -1)",
        ),
    ],
)
def test_what_is_no_table(data: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        inputs(data)
    assert str(caught.value) == message


UNREADABLE = "values, which cannot be read; convert them to numbers or text, or leave the column out"
TWICE = pa.table([[1], [2]], names=["a", "a"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({1: [1], "1": [2]}), "the column name '1' appears twice in the DataFrame; rename one"),
        (TWICE, "the column name 'a' appears twice in the Arrow table; rename one"),
        (Stream(TWICE), f"the column name 'a' appears twice in the {__name__}.Stream; rename one"),
        (pd.DataFrame(), "the DataFrame holds no columns"),
        (np.zeros((2, 0)), "the numpy array holds no columns"),
        (pd.DataFrame({"a": [1j]}), f"column 'a' of the DataFrame holds complex128 {UNREADABLE}"),
        (pd.DataFrame({"a": [object()]}), f"column 'a' of the DataFrame holds object {UNREADABLE}"),
        (np.array([[1j]]), f"column 'x0' of the numpy array holds complex128 {UNREADABLE}"),
        (np.array([[1, object()]]), f"column 'x1' of the numpy array holds object {UNREADABLE}"),
    ],
)
def test_tables_that_cannot_be_read(data: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        inputs(data)
    assert str(caught.value) == message


class TestAsGiven:
    def test_a_frame_keeps_its_index(self) -> None:
        index = pd.MultiIndex.from_tuples([("a", 7), ("a", 7)], names=["site", "no"])
        found = as_given(TABLE, pd.DataFrame({"x": [0, 0]}, index=index))
        assert found.index is index or found.index.equals(index)
        assert found.columns.tolist() == ["n", "s"]

    def test_other_numbers_of_rows_count_from_0(self) -> None:
        found = as_given(TABLE, pd.DataFrame({"x": [0]}, index=["a"]))
        assert found.index.tolist() == [0, 1]

    @pytest.mark.parametrize(
        "data", [TABLE, TABLE.to_batches()[0], TABLE.to_reader(), Stream(TABLE), [TABLE, Stream(TABLE)]]
    )
    def test_arrow(self, data: Any) -> None:
        assert as_given(TABLE, data) is TABLE

    @pytest.mark.parametrize(
        "data", ["a.csv", Path("a.csv"), np.zeros((2, 1)), ["a.csv", TABLE], [], [pd.DataFrame({"x": [0]})]]
    )
    def test_others_get_a_frame(self, data: Any) -> None:
        pd.testing.assert_frame_equal(as_given(TABLE, data), TABLE.to_pandas())

    def test_polars(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Stands in for a package that need not be installed: its module, and how it takes Arrow tables.
        polars = types.ModuleType("polars")
        polars.from_arrow = lambda table: ("polars", table)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "polars", polars)
        frame = type("DataFrame", (Stream,), {"__module__": "polars.dataframe.frame"})(TABLE)
        assert as_given(TABLE, frame) == ("polars", TABLE)
        assert as_given(TABLE, [frame, frame]) == ("polars", TABLE)
        assert as_given(TABLE, [frame, TABLE]) is TABLE


def test_files_are_read_as_those_of_the_training_were(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t\na;b\n1;2\n")
    trained = DataConfig(encoding="cp1252", skip_rows=1, decimal=",", delimiter=";", header=True, comment="#")
    asked = DataConfig(skip_rows=0)
    sources = open_inputs([str(tmp_path / "a.csv")], read_options(asked))
    options = as_trained(sources, trained, asked)[0].options
    assert options == ReadOptions(
        encoding="cp1252", usual_delimiter=";", skip_rows=0, comment="#", header=True, decimal=","
    )
    assert as_trained(sources, trained, DataConfig())[0].open(10).schema.names == ["a", "b"]
