"""How alike rows are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.tasks.suppression.alike import Space, in_blamed, overall, overlap, places_of

# Two numbers of one column, a number of another, and a category.
SPACE = Space(3, np.array([0, 0, 1, 2]), 3)
VALUES = st.one_of(st.just(np.nan), st.floats(-50, 50, width=32))
ROWS = st.tuples(VALUES, VALUES, VALUES, st.integers(0, 4)).map(lambda row: np.array(row, dtype=np.float32))


@given(ROWS, ROWS)
def test_distances_are_symmetric_and_nothing_from_itself(one: np.ndarray, other: np.ndarray) -> None:  # type: ignore[type-arg]
    np.testing.assert_array_equal(SPACE.apart(one[None], one), np.zeros((1, 3)))
    np.testing.assert_allclose(SPACE.apart(one[None], other), SPACE.apart(other[None], one))
    assert 0 <= overall(SPACE.apart(one[None], other))[0] <= 2


def test_what_is_missing_in_one_row_alone_is_one_apart() -> None:
    rows = np.array([[np.nan, 0, 1, 2], [0, 0, 1, 3]], dtype=np.float32)
    one = np.array([0, 0, 1, 2], dtype=np.float32)
    np.testing.assert_array_equal(SPACE.apart(rows, one), [[1, 0, 0], [0, 0, 1]])


def test_only_columns_to_blame_count_where_they_are_asked_for() -> None:
    apart = np.array([[5.0, 0.1, 0.3]])
    assert in_blamed(apart, np.array([0.0, 0.5, 0.5]))[0] == np.float64(0.2)
    assert overlap(np.array([[0.0, 1.0, 0.0]]), np.array([0.2, 0.7, 0.1]))[0] == 0.7


def test_usual_distances_are_those_of_normal_rows() -> None:
    grid = np.zeros((40, 4), dtype=np.float32)
    grid[:, 2] = np.arange(40) * 0.3
    assert np.isclose(SPACE.usual_distance(grid, 0.9), 0.3 / np.sqrt(3), rtol=1e-4)
    assert SPACE.usual_distance(grid[:2], 0.9) == 0


def test_features_belong_to_the_places_of_their_columns() -> None:
    assert places_of(["b", "b", "a"], ["a", "b"]).tolist() == [1, 1, 0]
