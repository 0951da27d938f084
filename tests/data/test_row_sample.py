from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.row_sample import MOST_ROWS, RowSample


def taken(sizes: list[int]) -> RowSample:
    sample, first = RowSample(["a"]), 0
    for size in sizes:
        numbers = np.arange(first, first + size)
        sample.take(("f", 0), pa.RecordBatch.from_pydict({"a": numbers, "b": numbers}), numbers + 1)
        first += size
    return sample


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=8))
def test_rows_are_evenly_spaced_however_they_came(sizes: list[int]) -> None:
    sample, total = taken(sizes), sum(sizes)
    assert len(sample) <= MOST_ROWS
    assert len(sample) >= min(total, MOST_ROWS // 2)
    if len(sample):
        values = np.concatenate([piece.to_numpy() for piece in sample.column(("f", 0), "a")])
        assert values[0] == 0
        assert len(set(np.diff(values))) <= 1
        assert (sample.numbers(("f", 0)) == values + 1).all()


def test_inputs_are_in_the_order_of_their_names() -> None:
    sample = RowSample(["a"])
    for key in (("z", 0), ("b", 2), ("b", 1)):
        sample.take(key, pa.RecordBatch.from_pydict({"a": [1, 2]}), np.arange(1, 3))
    assert sample.inputs == [("b", 1), ("b", 2), ("z", 0)]
    assert len(sample) == 6


def test_of_wide_tables_fewer_rows_are_remembered() -> None:
    names = [f"c{number}" for number in range(2000)]
    sample = RowSample(names)
    sample.take(("f", 0), pa.RecordBatch.from_pydict(dict.fromkeys(names, range(4000))), np.arange(1, 4001))
    assert len(sample) <= 500


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=6))
def test_samples_of_parts_add_up_to_one_nearly_as_even(sizes: list[int]) -> None:
    total, first = RowSample(["a"]), 0
    for size in sizes:
        part, numbers = RowSample(["a"]), np.arange(first, first + size)
        part.take(("f", 0), pa.RecordBatch.from_pydict({"a": numbers}), numbers + 1)
        total.add(part)
        first += size
    assert min(sum(sizes), MOST_ROWS // 2 - len(sizes)) <= len(total) <= MOST_ROWS
    if len(total):
        rows = total.numbers(("f", 0))
        values = np.concatenate([piece.to_numpy() for piece in total.column(("f", 0), "a")])
        assert (rows == values + 1).all()
        steps = np.diff(rows)
        stride = total._stride
        assert ((steps > 0) & (steps <= 2 * stride)).all()
        assert (steps != stride).sum() <= 2 * len(sizes)
