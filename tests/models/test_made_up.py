"""Made-up rows: damaged in several ways, and still rows of the table's kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.data.features.layout import Layout
from aedetect.models.made_up import MadeUpRows

KINDS = 8
SEEDS = st.integers(0, 10_000)
SHAPES = {
    "mixed": layout(3, 4, 6),
    "numbers": layout(3),
    "categories": layout(0, 4, 6),
    "number": layout(1),
    "few": layout(1, 3, 2, 1),
}


def drawn_rows(shape: Layout, count: int, seed: int = 0) -> torch.Tensor:
    """Normal rows, in which only known categories occur."""
    random = np.random.default_rng(seed)
    codes = [random.integers(min(2, size - 1), size, count) for size in shape.cardinalities]
    values = np.column_stack([random.standard_normal((count, shape.numeric)), *codes])
    return torch.from_numpy(values.astype(np.float32))


def made_up(rows: torch.Tensor, shape: Layout, count: int = 100, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return MadeUpRows(rows, shape).draw(count)[0]


@given(st.sampled_from(sorted(SHAPES)), st.integers(1, 300), st.integers(1, 50), SEEDS)
@settings(max_examples=40, deadline=None)
def test_there_are_so_many_of_each_kind_and_their_codes_are_codes(
    name: str, rows: int, count: int, seed: int
) -> None:
    shape = SHAPES[name]
    strange = made_up(drawn_rows(shape, rows, seed), shape, count, seed)
    assert strange.shape == (KINDS * count, shape.width)
    assert strange.dtype == torch.float32
    assert torch.isfinite(strange).all()
    for place, size in enumerate(shape.cardinalities):
        codes = strange[:, shape.numeric + place]
        assert torch.equal(codes, codes.round())
        assert codes.min() >= min(2, size - 1)
        assert codes.max() < size


@given(SEEDS, st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_numbers_that_only_take_certain_values_go_on_taking_these_unless_beyond_all(
    seed: int, distinct: int
) -> None:
    random = np.random.default_rng(seed)
    values = random.standard_normal(distinct).astype(np.float32)
    rows = drawn_rows(layout(2), 200, seed)
    rows[:, 0] = torch.from_numpy(random.choice(values, 200))
    strange = made_up(rows, layout(2), seed=seed)
    known, numbers = rows[:, 0].unique(), strange[:, 0]
    beyond = (numbers < known.min()) | (numbers > known.max())
    assert (torch.isin(numbers, known) | beyond).all()
    assert not torch.isin(strange[:, 1], rows[:, 1]).all()


def test_what_is_between_two_values_becomes_the_nearer() -> None:
    values = torch.tensor([0.0, 1.0, 10.0])
    rows = values.repeat(20)[:, None]
    maker = MadeUpRows(rows, layout(1))
    asked = torch.tensor([[-2.0], [0.4], [0.6], [5.0], [6.0], [10.0], [11.0]])
    assert maker._as_values(asked)[:, 0].tolist() == [-2.0, 0.0, 1.0, 1.0, 10.0, 10.0, 11.0]


def test_missing_numbers_stay_possible_where_some_were_and_nowhere_else() -> None:
    rows = drawn_rows(layout(3), 300)
    rows[::5, 1] = torch.nan
    shares = made_up(rows, layout(3)).isnan().float().mean(dim=0)
    assert shares[0] == shares[2] == 0
    assert 0.05 < shares[1] < 0.3


def test_a_column_without_any_value_stays_so() -> None:
    rows = drawn_rows(layout(2), 100)
    rows[:, 1] = torch.nan
    strange = made_up(rows, layout(2))
    assert strange[:, 1].isnan().all()
    assert torch.isfinite(strange[:, 0]).all()


@pytest.mark.parametrize("name", SHAPES)
def test_a_seed_repeats_the_draw_and_another_does_not(name: str) -> None:
    rows = drawn_rows(SHAPES[name], 200)
    assert torch.equal(made_up(rows, SHAPES[name], seed=3), made_up(rows, SHAPES[name], seed=3))
    assert not torch.equal(made_up(rows, SHAPES[name], seed=3), made_up(rows, SHAPES[name], seed=4))


def test_the_rows_that_they_are_made_of_stay_as_they_are() -> None:
    rows = drawn_rows(SHAPES["mixed"], 100)
    before = rows.clone()
    made_up(rows, SHAPES["mixed"])
    assert torch.equal(rows, before)


@pytest.mark.parametrize("name", ["mixed", "numbers"])
def test_made_up_rows_of_each_kind_differ_from_the_rows(name: str) -> None:
    rows = drawn_rows(SHAPES[name], 300)
    strange = made_up(rows, SHAPES[name])
    same = (strange[:, None] == rows).all(dim=2).any(dim=1).view(KINDS, -1).float().mean(dim=1)
    # Of few columns, a swap may leave a row as it is, and the one that is shifted may be a category.
    assert same.max() < 0.5
    assert same.mean() < 0.2


def test_they_break_what_goes_together_and_lie_where_no_row_does() -> None:
    rows = drawn_rows(layout(3), 500)
    rows[:, 1] = rows[:, 0] + 0.05 * rows[:, 1]
    strange = made_up(rows, layout(3), count=200).view(KINDS, 200, 3)
    apart = torch.stack([torch.cdist(kind, rows).amin(dim=1).median() for kind in strange])
    usual = torch.cdist(rows, rows).fill_diagonal_(torch.inf).amin(dim=1).median()
    # What is mixed of two rows may well be a normal one.
    assert (apart > 1.5 * usual).sum() >= KINDS - 2
    ends = rows.amin(dim=0), rows.amax(dim=0)
    outside = ((strange < ends[0]) | (strange > ends[1])).any(dim=2).float().mean(dim=1)
    assert outside.max() > 0.2
