"""Encoded rows as standardised values in the user's own proportions, and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout
from support.standard_rows import rows

from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.standardize import (
    StandardizedColumns,
    inverse_log_compressed,
    log_compressed,
)

VALUES = {"gain": np.array([1.0, 0.4], np.float32), "shift": np.array([0.0, -0.5], np.float32)}
COLUMNS = StandardizedColumns(layout(2, 3, gaps=True), Arrays(VALUES))


@settings(deadline=None)
@given(st.floats(-1e30, 1e30))
def test_compression_has_an_inverse(value: float) -> None:
    one = np.array([value])
    np.testing.assert_allclose(inverse_log_compressed(log_compressed(one)), one, rtol=1e-6, atol=1e-12)


def test_the_inverse_is_finite_however_large_its_values() -> None:
    assert np.isfinite(inverse_log_compressed(np.array([-1e30, 710.0, 1e30], np.float32))).all()
    assert np.isnan(inverse_log_compressed(np.array([np.nan], np.float32))).all()


def test_values_turn_back_into_rows_in_numpy_and_in_torch() -> None:
    batch = rows(500)
    values, missing = COLUMNS(batch)
    assert not missing.any()
    np.testing.assert_allclose(COLUMNS.rows(values), batch, rtol=1e-4, atol=1e-3)
    tensors = {name: torch.from_numpy(array) for name, array in VALUES.items()}
    same = StandardizedColumns(layout(2, 3, gaps=True), Arrays(tensors, torch.from_numpy))
    np.testing.assert_allclose(values, same(torch.from_numpy(batch))[0], atol=1e-4)


def test_missing_numbers_are_marked_and_have_no_error() -> None:
    batch = rows(500)
    batch[::2, 1] = np.nan
    values, missing = COLUMNS(batch)
    assert missing.sum(axis=0).tolist() == [0, 250, 0, 0, 0]
    assert (values[::2, 1] == 0).all()
    assert COLUMNS.errors(np.ones_like(values), missing)[:2].tolist() == [[1, 0, 3], [1, 1, 3]]
