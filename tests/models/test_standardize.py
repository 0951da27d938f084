"""Means and deviations of the numbers of encoded rows."""

from __future__ import annotations

import torch
from support.layouts import layout
from support.standard_rows import rows

from aedetect.models.standardize import StandardizedColumns

LAYOUT = layout(2, 3, gaps=True)


def test_values_have_mean_0_and_deviation_1() -> None:
    columns, batch = StandardizedColumns(LAYOUT), torch.from_numpy(rows(500))
    columns.fit(batch)
    values, missing = columns.evaluation()(batch)
    numbers = values[:, :2]
    torch.testing.assert_close(numbers.mean(dim=0), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(numbers.square().mean(dim=0), torch.ones(2), rtol=1e-4, atol=0)
    assert not missing.any()


def test_missing_numbers_do_not_count() -> None:
    columns, batch = StandardizedColumns(LAYOUT), torch.from_numpy(rows(500))
    batch[::2, 1] = torch.nan
    columns.fit(batch)
    values, _ = columns.evaluation()(batch)
    torch.testing.assert_close(values[1::2, 1].std(correction=0), torch.tensor(1.0), rtol=1e-4, atol=0)


def test_a_constant_column_keeps_its_scale() -> None:
    columns, batch = StandardizedColumns(LAYOUT), torch.from_numpy(rows(50))
    batch[:, 0] = 2.0
    columns.fit(batch)
    assert columns.gain[0] == 1
    assert columns.evaluation()(batch)[0].isfinite().all()
