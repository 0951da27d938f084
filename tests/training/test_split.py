from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.source import TableInput
from aedetect.training.profiling import profile_inputs
from aedetect.training.split import TrainingRows, folds, single_split


def rows_of(trained: pa.Table, table: pa.Table, **settings: int) -> TrainingRows:
    config = Config.build(overrides={"scoring.batch_rows": 16, **settings})
    return TrainingRows(
        [TableInput(table, "t")], profile_inputs([TableInput(trained)], config).encoder, config
    )


NUMBERS = pa.table({"a": np.random.default_rng(0).permutation(np.linspace(0, 1, 50)), "b": ["x", "y"] * 25})


def test_rows_with_infinite_numbers_or_no_value_are_left_out_and_counted_once() -> None:
    odd = pa.table({"a": [np.inf, None, 1e300, 0.5], "b": ["x", None, "x", "y"]})
    rows = rows_of(NUMBERS, pa.concat_tables([NUMBERS, odd]))
    assert (len(rows.matrix(54)[0]), len(rows.matrix(54)[0])) == (51, 51)
    assert (rows.infinite, rows.empty) == (2, 1)


def test_unreadable_cell_is_named_by_its_row() -> None:
    texts = pa.table({"a": [f"{number}.5" for number in range(40)] + ["oops"], "b": ["x"] * 41})
    rows = rows_of(NUMBERS, texts)
    with pytest.raises(DataError) as caught:
        rows.matrix(91)
    assert str(caught.value) == (
        "t: row 41, column 'a': 'oops' cannot be read as numeric; "
        "repair it, or give --na-values 'oops' if it means 'missing'"
    )


@given(st.integers(8, 300), st.integers(2, 7), st.integers(0, 5))
def test_folds_calibrate_each_row_once_by_who_never_saw_it(rows: int, count: int, seed: int) -> None:
    splits = folds(rows, count, seed)
    assert sorted(np.concatenate([split.calibration for split in splits])) == list(range(rows))
    for split in splits:
        parts = np.concatenate([split.train, split.validation, split.calibration])
        assert sorted(parts) == list(range(rows))
        assert len(split.validation) >= 2


@given(st.integers(20, 3000), st.integers(0, 5))
def test_single_split_uses_each_row_once(rows: int, seed: int) -> None:
    split = single_split(rows, seed)
    assert sorted(np.concatenate([split.train, split.validation, split.calibration])) == list(range(rows))


def test_single_split_is_bounded() -> None:
    split = single_split(1_000_000, 0)
    assert (len(split.validation), len(split.calibration)) == (5_000, 20_000)
