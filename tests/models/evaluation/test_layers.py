"""The layers that models of rows share: standardised values, the missing mask, what is typical."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.data.features.layout import Layout
from aedetect.models.evaluation import layers
from aedetect.models.evaluation.layers import CATEGORY_LIMIT, Row
from aedetect.models.live import no_arrays


def columns_of(which: Layout) -> layers.Columns:
    """In torch; that numpy comes to the same, the contract of models sees to."""
    return layers.Columns(which, no_arrays(torch.empty(0)))


def shares(*of_codes: float) -> Layout:
    plain = layout(2, len(of_codes))
    return Layout(plain.missing_rates, plain.gaps, plain.gain, plain.shift, (np.array(of_codes),))


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 2**31))
def test_values_turn_back_into_rows(codes: list[int], seed: int) -> None:
    numbers = np.random.default_rng(seed).standard_normal((len(codes), 2))
    batch = torch.from_numpy(np.column_stack([numbers, codes]).astype(np.float32))
    which = shares(0.5, 0.3, 0.15, 0.05)
    columns = columns_of(which)
    assert torch.equal(columns.rows(columns(Row(batch, which))), batch)


def test_categories_are_standardised() -> None:
    which = shares(0.5, 0.25, 0.25)
    batch = torch.tensor([[0.0, 0.0, code] for code in (0, 0, 1, 2)])
    values = columns_of(which)(Row(batch, which))[:, 2:]
    torch.testing.assert_close(values.mean(dim=0), torch.zeros(3))
    torch.testing.assert_close(values.square().mean(dim=0), torch.ones(3))


def test_the_rarest_category_lies_at_the_limit() -> None:
    which = shares(1 - 1e-7, 1e-7)
    values = columns_of(which)(Row(torch.tensor([[0.0, 0.0, 1.0]]), which))
    assert values.abs().max() == CATEGORY_LIMIT


def test_errors_of_the_codes_are_summed_per_column() -> None:
    which = shares(0.5, 0.3, 0.2)
    row = Row(torch.tensor([[0.0, 0.0, 1.0]]), which)
    squared = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert columns_of(which).errors(squared, row).tolist() == [[1.0, 2.0, 12.0]]


def test_the_mask_has_the_columns_that_had_gaps_in_training() -> None:
    with_gaps = layout(3, gaps=True)
    masked = layers.MaskedInput(with_gaps, 3, no_arrays(torch.empty(0)))
    missing = torch.tensor([[True, True, False]])
    assert masked.width == 4
    assert masked(torch.zeros(1, 3), missing).tolist() == [[0, 0, 0, 1]]
    assert masked(torch.zeros(1, 3), ~missing).tolist() == [[0, 0, 0, 0]]


def test_without_gaps_there_is_no_mask() -> None:
    masked = layers.MaskedInput(layout(3), 3, no_arrays(torch.empty(0)))
    values = torch.ones(2, 3)
    assert masked.width == 3
    assert torch.equal(masked(values, torch.ones(2, 3, dtype=torch.bool)), values)
