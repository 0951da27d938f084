"""Encoded rows as standardised values in the user's own proportions, and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.models.standardize import StandardizedColumns, inverse_log_compressed, log_compressed

LAYOUT = layout(2, 3, gaps=True)


def rows(count: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((count, 2)) * [1, 3] + [0, 2]
    return torch.from_numpy(np.column_stack([numbers, random.integers(0, 3, count)]).astype(np.float32))


@settings(deadline=None)
@given(st.floats(-1e30, 1e30))
def test_compression_has_an_inverse(value: float) -> None:
    one = torch.tensor([value], dtype=torch.float64)
    torch.testing.assert_close(inverse_log_compressed(log_compressed(one)), one, rtol=1e-6, atol=1e-12)


def test_the_inverse_is_finite_however_large_its_values() -> None:
    assert inverse_log_compressed(torch.tensor([-1e30, 710.0, 1e30])).isfinite().all()
    assert inverse_log_compressed(torch.tensor([torch.nan])).isnan().all()


def test_values_have_mean_0_and_deviation_1_and_turn_back_into_rows() -> None:
    columns, batch = StandardizedColumns(LAYOUT), rows(500)
    columns.fit(batch)
    values, missing = columns(batch)
    numbers = values[:, :2]
    torch.testing.assert_close(numbers.mean(dim=0), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(numbers.square().mean(dim=0), torch.ones(2), rtol=1e-4, atol=0)
    assert not missing.any()
    torch.testing.assert_close(columns.rows(values), batch, rtol=1e-4, atol=1e-3)


def test_missing_numbers_are_marked_have_no_error_and_do_not_count() -> None:
    columns, batch = StandardizedColumns(LAYOUT), rows(500)
    batch[::2, 1] = torch.nan
    columns.fit(batch)
    values, missing = columns(batch)
    assert missing.sum(dim=0).tolist() == [0, 250, 0, 0, 0]
    assert (values[::2, 1] == 0).all()
    torch.testing.assert_close(values[1::2, 1].std(correction=0), torch.tensor(1.0), rtol=1e-4, atol=0)
    errors = columns.errors(torch.ones_like(values), missing)
    assert errors[:2].tolist() == [[1, 0, 3], [1, 1, 3]]


def test_a_constant_column_keeps_its_scale() -> None:
    columns, batch = StandardizedColumns(LAYOUT), rows(50)
    batch[:, 0] = 2.0
    columns.fit(batch)
    assert columns.gain[0] == 1
    assert columns(batch)[0].isfinite().all()
