from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions, TableInput, batch_rows
from aedetect.training.joint_inputs import joint_inputs
from aedetect.training.passes import chunks
from aedetect.training.profiling import TrainingProfile, profile_inputs

NUMBERS = pa.table({"a": np.linspace(0, 1, 20), "b": ["x", "y"] * 10})


def config(**settings: Any) -> Config:
    return Config.build(overrides={name.replace("__", "."): value for name, value in settings.items()})


def profiled(*tables: pa.Table, **settings: Any) -> TrainingProfile:
    inputs = [TableInput(table, f"t{index}") for index, table in enumerate(tables)]
    return profile_inputs(joint_inputs(inputs, config(**settings)), config(**settings))


def fault(*tables: pa.Table, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        profiled(*tables, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("asked", "columns", "rows"), [(65536, 10, 65536), (65536, 4000, 1024), (7, 10, 7), (7, 9999, 7)]
)
def test_batch_rows(asked: int, columns: int, rows: int) -> None:
    assert batch_rows(config(scoring__batch_rows=asked), columns) == rows


def test_chunks_number_the_rows_of_each_input() -> None:
    found = list(chunks([TableInput(NUMBERS, "t"), TableInput(NUMBERS, "u")], config(scoring__batch_rows=15)))
    assert [chunk.numbers.tolist()[0] for chunk in found] == [1, 16, 1, 16]
    assert found[1].locate(2) == "t: row 18"


def test_labelled_anomalies_are_left_out_and_rows_keep_their_numbers() -> None:
    table = NUMBERS.append_column("bad", pa.array([True, None, False, True] * 5))
    (chunk,) = chunks([TableInput(table)], config(data__label="bad"))
    assert (len(chunk.batch), chunk.read, chunk.numbers.tolist()[:4]) == (10, 20, [2, 3, 6, 7])
    found = profiled(table, data__label="bad")
    assert (found.rows, found.labelled) == (10, 10)


def test_positive_label() -> None:
    table = NUMBERS.append_column("state", pa.array(["ok", "bad", None, "odd"] * 5))
    assert profiled(table, data__label="state", data__positive="bad").labelled == 5


def test_label_that_is_no_truth_value() -> None:
    table = NUMBERS.append_column("state", pa.array(["0", "bad"] * 10))
    assert fault(table, data__label="state") == (
        "t0: row 2, column 'state': 'bad' is not a boolean; the labels are '0' (10) and 'bad' (10); "
        "say with --positive which value marks an anomaly"
    )


@pytest.mark.parametrize(("rows", "said"), [(1, "1 usable row"), (7, "7 usable rows")])
def test_too_few_rows(rows: int, said: str) -> None:
    assert fault(NUMBERS[:rows]) == f"t0: {said}; training needs at least 8"


def test_files_may_lack_a_column_of_others() -> None:
    found = profiled(NUMBERS, NUMBERS.append_column("c", NUMBERS["a"]), NUMBERS)
    assert [(column.name, column.role) for column in found.schema.columns] == [
        ("a", "numeric"), ("b", "categorical"), ("c", "numeric")
    ]  # fmt: skip
    assert found.schema.optional == ("c",)
    assert found.notices == (
        "column 'c' is missing in 2 of 3 files (t0, t2); its cells there count as missing "
        "(--exclude c does without it)",
    )


@pytest.mark.parametrize("settings", [{}, {"data__positive": "yes"}])
def test_rows_of_files_without_the_label_count_as_normal(settings: dict[str, Any]) -> None:
    marked = NUMBERS.append_column("bad", pa.array(["yes", "no"] * 10))
    found = profiled(NUMBERS, marked, data__label="bad", **settings)
    assert (found.rows, found.labelled) == (30, 10)
    assert found.notices == (
        "label column 'bad' is missing in 1 of 2 files (t0); their rows count as normal",
    )


@pytest.mark.parametrize(
    "settings", [{"data__exclude": ["c"]}, {"data__columns": ["a"]}, {"data__id": ["c"]}]
)
def test_columns_left_out_may_differ_in_silence(settings: dict[str, Any]) -> None:
    found = profiled(NUMBERS, NUMBERS.append_column("c", NUMBERS["a"]), **settings)
    assert (found.schema.optional, found.notices) == ((), ())


def test_order_of_columns_may_differ_between_inputs() -> None:
    assert profiled(NUMBERS, NUMBERS.select(["b", "a"])).rows == 40


@pytest.mark.parametrize("first", ["csv", "parquet"])
def test_formats_may_be_mixed(tmp_path: Path, first: str) -> None:
    NUMBERS.to_pandas().to_csv(tmp_path / "x.csv", index=False)
    parquet.write_table(NUMBERS, tmp_path / "x.parquet")
    words = sorted((str(path) for path in tmp_path.iterdir()), key=lambda name: not name.endswith(first))
    found = profile_inputs(open_inputs(words, ReadOptions()), Config())
    assert [column.role for column in found.schema.columns] == ["numeric", "categorical"]


def test_categories_that_show_late_are_all_counted() -> None:
    texts = ["1", "2"] * 60 + ["a", "b"] * 40
    table = pa.table({"a": np.linspace(0, 1, 200), "b": texts})
    (vocabulary,) = profiled(table, scoring__batch_rows=50).encoder.state.categorical
    assert (vocabulary.values, vocabulary.counts) == (("1", "2", "a", "b"), (60, 60, 40, 40))


@pytest.mark.parametrize(
    ("column", "settings", "notices"),
    [
        (pa.array([[1]] * 20), {}, ["column 'c' is left out: list<item: int64> values cannot be learned"]),
        (pa.array([None] * 20), {}, ["column 'c' is left out: every value is missing"]),
        (pa.array([5] * 20), {}, ["column 'c' is left out: always 5; a change will be noticed"]),
        (
            pa.array(list("abcd") * 5),
            {"data__max_categories": 2},
            ["column 'c': 4 distinct values, of which the 2 most frequent are kept; the rest count as rare"],
        ),
        (pa.array(list("abcd") * 5), {}, []),
        (pa.array(list("abcd") * 5), {"data__exclude": "c"}, []),
        (pa.array(list("abcd") * 5), {"data__roles": {"c": "ignored"}}, []),
    ],
)
def test_notices(column: pa.Array, settings: dict[str, Any], notices: list[str]) -> None:
    assert list(profiled(NUMBERS.append_column("c", column), **settings).notices) == notices


def test_role_by_hand_reads_numbers_in_typed_text() -> None:
    table = NUMBERS.append_column("c", pa.array(["1", "2", "", "3.5"] * 5))
    found = profiled(table, data__roles={"c": "numeric"})
    assert found.schema.columns[2].role == "numeric"
    assert np.isfinite(found.encoder.center[1])
