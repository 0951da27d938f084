"""The few nearest of each row, and rows that equal one another."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.models.evaluation.alike import distinct, few_smallest


@pytest.mark.parametrize("choices", [10, 11, 100, 4096, 4099])
@pytest.mark.parametrize("count", [1, 10])
def test_the_smallest_come_first(choices: int, count: int) -> None:
    values = np.random.default_rng(0).standard_normal((20, choices)).astype(np.float32)
    expected = values.argsort(axis=1)[:, :count]
    np.testing.assert_array_equal(few_smallest(values, count), expected)
    np.testing.assert_array_equal(few_smallest(torch.from_numpy(values), count), expected)


def test_of_equal_ones_as_many_as_asked_for() -> None:
    values = np.random.default_rng(0).integers(0, 4, (20, 4099)).astype(np.float32)
    places = few_smallest(values, 10)
    assert all(len(set(row)) == 10 for row in places.tolist())
    assert (np.take_along_axis(values, places, axis=1) == 0).all()


def test_rows_are_put_together_from_the_distinct_ones() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (50, 3)).astype(np.float32)
    for library in (np.asarray, torch.from_numpy):
        kinds, which = distinct(library(rows))
        assert len(kinds) == len(np.unique(rows, axis=0))
        np.testing.assert_array_equal(kinds[which], rows)
