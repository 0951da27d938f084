"""What is expected of rows, in numpy and in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.heads import heads, in_torch, rows

from aedetect.data.arrays import Matrix

WHOLE, GAPS = rows(128, seed=1), rows(128, seed=2, gaps=0.3)


def expected(batch: Matrix, level: float = 0.05) -> Matrix:
    repair = heads().repair
    result: Matrix = repair.expected(*repair.values(batch), level)
    return result


@pytest.mark.parametrize("batch", [WHOLE, GAPS])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_numpy_and_torch_agree(batch: Matrix, level: float) -> None:
    repair = in_torch().repair
    values, missing = repair.values(torch.from_numpy(batch))
    np.testing.assert_allclose(expected(batch, level), repair.expected(values, missing, level), atol=1e-4)
    chances = np.linspace(0, 0.999, len(batch), dtype=np.float32)
    drawn = heads().repair.drawn(*heads().repair.values(batch), chances)
    np.testing.assert_allclose(drawn, repair.drawn(values, missing, torch.from_numpy(chances)), atol=1e-4)


@pytest.mark.parametrize("batch", [WHOLE, GAPS])
def test_a_row_does_not_depend_on_those_beside_it(batch: Matrix) -> None:
    order = np.random.default_rng(0).permutation(len(batch))
    np.testing.assert_array_equal(expected(batch[order]), expected(batch)[order])
    # With others that lack the same cells, and with others that do not.
    alone = np.concatenate([batch[:1], np.repeat(GAPS[-1:] if batch is GAPS else batch[-1:], 127, axis=0)])
    np.testing.assert_array_equal(expected(alone)[0], expected(batch)[0])


def test_a_gap_is_filled_from_the_cells_that_are_known() -> None:
    """The third number is the sum of the other two."""
    repair, batch = heads().repair, rows(128, seed=3)
    true = batch[:, 2].copy()
    batch[:, 2] = np.nan
    values, missing = repair.values(batch)
    assert missing.sum(axis=0).tolist() == [0, 0, 128, 0, 0, 0]
    conditional = repair.estimates(values, missing, np.full((128, 1), 0.05, np.float32)).conditional_mean
    filled = repair.columns.rows(conditional)[:, 2]
    assert np.corrcoef(filled, true)[0, 1] > 0.95


def test_a_category_that_is_nan_is_unknown() -> None:
    batch = WHOLE.copy()
    batch[::2, 3] = np.nan
    values, missing = heads().repair.values(batch)
    assert np.isfinite(values).all()
    assert missing[::2, 3:].all()
    assert not missing[1::2].any()
    assert not missing[:, :3].any()


def test_a_remembered_row_is_left_out_of_its_own_neighbours() -> None:
    repair = heads().repair
    values = repair.memory[:64]
    level, places = np.full((64, 1), 0.05, np.float32), np.arange(64)
    for missing in (np.zeros_like(values, np.bool_), np.arange(6) == np.full((64, 1), 5)):
        near = np.square(repair.estimates(values, missing, level).neighbour_mean - values)[:, :3].sum()
        apart = np.square(repair.estimates(values, missing, level, places).neighbour_mean - values)[
            :, :3
        ].sum()
        assert near < apart


def test_categories_that_are_missing_or_rare_are_not_known() -> None:
    known = heads().repair.known_only(np.zeros((1, 6), np.float32))
    assert np.isneginf(known[0]).tolist() == [False, False, False, True, True, False]
