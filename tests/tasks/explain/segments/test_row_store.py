"""A sample of rows that does not depend on how they were cut."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.tasks.explain.segments.row_store import RowStore


def stored(numbers: np.ndarray, cuts: list[int], most: int) -> RowStore:
    """Every second row of those numbered, given in the batches between the cuts."""
    store = RowStore(most)
    for first, last in zip([0, *cuts], [*cuts, len(numbers)], strict=True):
        part = numbers[first:last]
        store.add(first, part % 2 == 0, pa.record_batch({"row": part}))
    return store


@settings(max_examples=30)
@given(st.lists(st.integers(0, 500), max_size=6).map(sorted), st.sampled_from([20, 100, 1000]))
def test_the_sample_is_the_same_however_rows_are_cut(cuts: list[int], most: int) -> None:
    numbers = np.arange(500)
    whole, parts = stored(numbers, [], most), stored(numbers, cuts, most)
    assert whole.table().column("row").to_pylist() == parts.table().column("row").to_pylist()
    assert (whole.seen, whole.weight, whole.complete) == (parts.seen, parts.weight, parts.complete)


def test_it_is_bounded_and_says_what_each_row_stands_for() -> None:
    store = stored(np.arange(100_000), [30_000, 31_000], 1000)
    held = store.table().column("row").to_numpy()
    assert 300 <= len(held) <= 1000
    assert (held % 2 == 0).all()
    assert not store.complete
    assert store.weight * len(held) == store.seen == 50_000
    assert 45_000 < held.mean() < 55_000


def test_all_rows_are_held_where_they_are_few_and_none_is_nothing() -> None:
    store = stored(np.arange(10), [], 5)
    assert (store.complete, store.weight, len(store.table())) == (True, 1.0, 5)
    assert (RowStore(5).complete, len(RowStore(5).table())) == (True, 0)


def test_columns_that_some_batches_lack_are_missing_there() -> None:
    store = RowStore(10)
    store.add(0, np.array([True]), pa.record_batch({"a": ["x"]}))
    store.add(1, np.array([True]), pa.record_batch({"a": ["y"], "b": ["z"]}))
    assert store.table().to_pylist() == [{"a": "x", "b": None}, {"a": "y", "b": "z"}]
