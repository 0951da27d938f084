"""Rows on a plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aedetect.tasks.projection import map_of, project

RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(100, 2)) @ RANDOM.normal(size=(2, 6))


def test_what_lies_on_a_plane_keeps_its_distances() -> None:
    found = project(FLAT, "pca")
    assert found.explained == pytest.approx(1)
    before, after = (np.linalg.norm(rows[:, None] - rows[None], axis=2) for rows in (FLAT, found.points))
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_the_directions_are_those_of_the_reference() -> None:
    calm, odd = FLAT.copy(), FLAT[:5].copy()
    odd[:, 0] += 1000
    found = project(np.concatenate([calm, odd]), "pca", calm)
    np.testing.assert_allclose(found.points[:100], project(calm, "pca").points, atol=1e-9)


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)
    )
)
def test_any_rows_have_a_place(codes: np.ndarray) -> None:
    found = project(codes, "pca")
    assert found.points.shape == (len(codes), 2)
    assert np.isfinite(found.points).all()
    assert 0 <= found.explained <= 1 + 1e-9  # type: ignore[operator]


def test_rows_of_any_number_and_width_are_on_the_map() -> None:
    for rows in (np.ones((1, 5)), np.arange(8.0)[:, None], np.ones((30, 3))):
        for flagged in (np.zeros(len(rows), bool), np.ones(len(rows), bool)):
            points = map_of(rows.astype(np.float32), flagged).points
            assert points.shape == (len(rows), 2)
            assert np.isfinite(points).all()


def test_far_outliers_leave_room_for_the_others_on_the_map() -> None:
    rows = np.concatenate([FLAT, FLAT[:2] + 1e5]).astype(np.float32)
    flagged = np.arange(102) >= 100
    points = map_of(rows, flagged).points
    assert np.abs(points[flagged]).max() < 60
    assert np.ptp(points[~flagged], axis=0).min() > 1


@pytest.mark.slow
def test_neighbours_stay_together_on_other_maps() -> None:
    clouds = np.concatenate([RANDOM.normal(size=(40, 5)), 50 + RANDOM.normal(size=(40, 5))])
    found = project(clouds, "tsne")
    assert found.explained is None
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=2) + 1e9 * np.eye(80)
    nearest = distances.argmin(axis=1)
    assert ((nearest < 40) == (np.arange(80) < 40)).mean() > 0.95
