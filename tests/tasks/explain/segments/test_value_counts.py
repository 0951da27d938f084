"""Exact counts by value, within a bound."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aedetect.tasks.explain.segments.value_counts import ValueCounts


def test_rows_and_flagged_ones_are_counted_over_batches() -> None:
    counts = ValueCounts(10)
    counts.add(pa.record_batch({"a": ["x", "y", "x", None]}), np.array([True, False, False, True]))
    counts.add(pa.record_batch({"a": ["x"], "b": [1.5]}), np.array([True]))
    assert [counts.of("a", value) for value in ("x", "y", None, "z")] == [(3, 2), (1, 0), (1, 1), (0, 0)]
    # The rows before, whose file has no such column, have no value.
    assert (counts.of("b", 1.5), counts.of("b", None), counts.of("c", "x")) == ((1, 1), (4, 2), None)


def test_a_column_of_too_many_values_is_given_up_for_good() -> None:
    counts = ValueCounts(3)
    for first in (0, 2, 4):
        cells = {"a": [f"n{first}", f"n{first + 1}"], "b": ["x", "x"]}
        counts.add(pa.record_batch(cells), np.array([False, True]))
    assert counts.of("a", "n5") is None
    assert counts.of("b", "x") == (6, 3)
