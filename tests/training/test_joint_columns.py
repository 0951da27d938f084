from __future__ import annotations

from datetime import date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.files import open_inputs
from aedetect.io.source import Input, ReadOptions, TableInput
from aedetect.training.profiling import profile_inputs

NOTHING = pa.nulls(20)
WORDS = pa.array(["x", "y"] * 10)
DIGITS = pa.array(["1.5", "2.5"] * 10)
WHOLE = pa.array([3, 4] * 10)
REAL = pa.array([0.5, 7.25] * 10)
DAYS = pa.array([date(2026, 1, 1 + place) for place in range(20)])
TIMES = pa.array([datetime(2026, 2, 1, place) for place in range(20)])
DAY_TEXTS = pa.array([f"2026-03-{place + 1:02}" for place in range(20)])
FLAGS = pa.array([True, False] * 10)
YES = pa.array(["yes", "no"] * 10)


def roles(inputs: list[Input]) -> dict[str, tuple[str, str]]:
    schema = profile_inputs(inputs, Config()).schema
    return {column.name: (column.role, column.type) for column in schema.columns}


@pytest.mark.parametrize(
    ("columns", "role", "type_"),
    [
        ((NOTHING, WORDS), "categorical", "string"),
        ((NOTHING, REAL), "numeric", "double"),
        ((WHOLE, REAL), "numeric", "double"),
        ((WHOLE.cast(pa.int8()), WHOLE), "numeric", "int64"),
        ((WHOLE, WORDS), "categorical", "string"),
        ((WHOLE, DIGITS), "numeric", "string"),
        ((REAL, NOTHING, DIGITS), "numeric", "string"),
        ((DAYS, TIMES), "datetime", "timestamp[us]"),
        ((DAYS, DAY_TEXTS), "datetime", "string"),
        ((TIMES, WORDS), "categorical", "string"),
        ((FLAGS, YES), "boolean", "string"),
        ((WHOLE, YES), "categorical", "string"),
        ((WORDS.dictionary_encode(), WORDS), "categorical", "string"),
    ],
)
def test_the_type_of_a_column_is_the_same_in_any_order(
    columns: tuple[pa.Array, ...], role: str, type_: str
) -> None:
    for order in permutations(columns):
        tables = [pa.table({"a": REAL, "b": column}) for column in order]
        inputs: list[Input] = [TableInput(table, f"t{place}") for place, table in enumerate(tables)]
        assert roles(inputs)["b"] == (role, type_)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_file_of_text_alone_is_no_reason_to_distrust_the_types_of_another(
    tmp_path: Path, first: str
) -> None:
    """Codes are text where numbers are numbers; a file whose numbers are all missing knows no less."""
    parquet.write_table(
        pa.table({"code": ["1", "2"] * 10, "x": pa.nulls(20, pa.string())}), tmp_path / "a.pq"
    )
    parquet.write_table(pa.table({"code": ["2", "3"] * 10, "x": REAL}), tmp_path / "b.pq")
    words = sorted(
        (str(path) for path in tmp_path.iterdir()), key=lambda name: not name.endswith(f"{first}.pq")
    )
    found = roles(list(open_inputs(words, ReadOptions())))
    assert found["code"] == ("categorical", "string")
    assert found["x"][0] == "numeric"


@pytest.mark.parametrize("place", [0, 1])
def test_lists_in_one_file_alone_are_refused(place: int) -> None:
    columns: list[Any] = [REAL, pa.array([[1.0]] * 20)]
    inputs = [
        TableInput(pa.table({"a": REAL, "b": column}), f"t{number}")
        for number, column in enumerate(columns if place else columns[::-1])
    ]
    with pytest.raises(DataError) as caught:
        profile_inputs(inputs, Config())
    assert str(caught.value) == (
        f"t{place}: column 'b' holds list<item: double> values, unlike t{1 - place}; train on files with the "
        "same columns, or leave it out with --exclude b"
    )
    excluded = Config.build(overrides={"data.exclude": ["b"]})
    assert profile_inputs(inputs, excluded).schema.columns[1].role == "ignored"
