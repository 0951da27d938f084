"""Views: where rows lie among others, and the way back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.views import StandardView, View
from aedetect.models.live import no_arrays
from aedetect.models.views import RankView

VIEWS: list[type[StandardView | RankView]] = [StandardView, RankView]
SEEDS = st.integers(0, 10_000)


def fitted(kind: type[StandardView | RankView], rows: torch.Tensor, shape: Layout) -> View:
    if kind is StandardView:
        return StandardView(shape, no_arrays(rows))
    view = RankView(shape)
    view.fit(rows)
    return view.evaluation()


def ranked(rows: torch.Tensor) -> RankView:
    """A rank view of numbers alone."""
    view = RankView(layout(rows.shape[1]))
    view.fit(rows)
    return view


def numbers(rows: int, columns: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32))


def mixed(rows: int, shape: Layout, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    codes = [random.integers(0, size, rows) for size in shape.cardinalities]
    values = np.column_stack([random.standard_normal((rows, shape.numeric)), *codes])
    return torch.from_numpy(values.astype(np.float32))


@given(SEEDS, st.integers(1, 3000), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_a_rank_grows_with_each_number(seed: int, rows: int, digits: int) -> None:
    view = ranked((numbers(rows, 2, seed) * 10**digits).round() / 10**digits)
    asked = torch.linspace(-8, 8, 2001)[:, None].expand(-1, 2).contiguous()
    assert (view(asked).diff(dim=0) >= -1e-5).all()
    assert (view(asked)[-1] > view(asked)[0]).all()


@given(SEEDS, st.integers(50, 2000))
@settings(max_examples=20, deadline=None)
def test_the_median_is_about_zero_and_half_the_rows_lie_where_half_of_a_normal_distribution_does(
    seed: int, rows: int
) -> None:
    column = numbers(rows, 1, seed).exp()
    values = ranked(column)(column)[:, 0]
    assert abs(float(values.median())) < 0.05
    assert float(values.quantile(0.75)) == pytest.approx(0.674, abs=0.1)


@given(SEEDS, st.floats(0.05, 20), st.floats(-5, 5), st.sampled_from([60, 1500]))
@settings(max_examples=25, deadline=None)
def test_units_and_heavy_tails_drop_out(seed: int, scale: float, shift: float, rows: int) -> None:
    raw = torch.from_numpy(np.random.default_rng(seed).standard_t(1.5, (rows, 1)))
    other = scale * raw + shift
    first, second = raw.asinh().float(), other.asinh().float()
    # Within a view that knows only some of the values, the rest lie between those.
    tolerance = 1e-6 if rows <= 1024 else 0.05
    torch.testing.assert_close(ranked(first)(first), ranked(second)(second), rtol=0, atol=tolerance)


@given(SEEDS, st.floats(0.1, 10), st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_how_far_a_number_is_beyond_the_ends_does_not_depend_on_its_unit(
    seed: int, scale: float, shift: float
) -> None:
    raw = numbers(400, 1, seed).double()
    far = torch.stack([raw.max() + 3, raw.max() + 30, raw.min() - 3, raw.min() - 30])[:, None]
    first = ranked(raw.asinh().float())(far.asinh().float())
    second = ranked((scale * raw + shift).asinh().float())((scale * far + shift).asinh().float())
    torch.testing.assert_close(first, second, rtol=0.02, atol=0.02)


@given(SEEDS, st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_beyond_the_ends_it_goes_on_and_at_once_strictly_farther(seed: int, rows: int) -> None:
    column = numbers(rows, 1, seed)
    view = ranked(column)
    ends = torch.stack([column.min(), column.max()])[:, None]
    steps = torch.tensor([[1e-4], [0.1], [1.0], [10.0]])
    above, below = view(ends[1] + steps)[:, 0], view(ends[0] - steps)[:, 0]
    low, high = view(ends)[:, 0]
    assert above[0] > high + 0.25
    assert below[0] < low - 0.25
    assert (above.diff() > 0).all()
    assert (below.diff() < 0).all()
    assert torch.isfinite(view(torch.tensor([[710.0], [-710.0]]))).all()


def test_ties_share_one_height_that_of_the_middle_of_their_ranks() -> None:
    column = torch.tensor([0.0] * 50 + [1.0] * 30 + [2.0] * 20)[:, None]
    view = ranked(column)
    heights = view(torch.tensor([[0.0], [1.0], [2.0]]))[:, 0]
    expected = torch.special.ndtri(torch.tensor([0.25, 0.65, 0.9]))
    torch.testing.assert_close(heights, expected, rtol=0, atol=1e-5)
    assert len(view(column).unique()) == 3


@given(SEEDS, st.integers(3, 60), st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_held_out_only_numbers_alone_at_their_end_move(seed: int, rows: int, digits: int) -> None:
    values = (numbers(rows, 3, seed) * 10**digits).round() / 10**digits
    view = ranked(values)
    alone = torch.zeros_like(values, dtype=torch.bool)
    for column, marks in zip(values.T, alone.T, strict=True):
        for end in (column.min(), column.max()):
            if (column == end).sum() == 1:
                marks |= column == end
    moved = view.held_out(values) != view(values)
    assert not (moved & ~alone).any()


@pytest.mark.parametrize("rows", [200, 1500])
def test_held_out_numbers_lie_about_where_a_view_without_them_puts_them(rows: int) -> None:
    values = numbers(rows, 2, 4)
    values[0, 0], values[1, 1] = 6.0, -7.0
    view = ranked(values)
    held_out, plain = view.held_out(values), view(values)
    places = [0, 1, *range(10, 20), *values.argmin(dim=0).tolist(), *values.argmax(dim=0).tolist()]
    for place in places:
        others = ranked(torch.cat([values[:place], values[place + 1 :]]))
        fresh = others(values[place : place + 1])[0]
        torch.testing.assert_close(held_out[place], fresh, rtol=0, atol=0.45)
    assert held_out[0, 0] > plain[0, 0] + 1
    assert held_out[1, 1] < plain[1, 1] - 1


@pytest.mark.parametrize("kind", VIEWS)
def test_the_way_back_from_points_of_learned_rows_gives_the_rows(kind: type[StandardView | RankView]) -> None:
    shape = layout(3, 4, 40)
    rows = mixed(500, shape)
    view = fitted(kind, rows, shape)
    torch.testing.assert_close(view.inverse(view(rows)), rows, rtol=1e-4, atol=1e-4)


def test_the_way_back_from_standard_deviations_holds_far_out_too() -> None:
    shape = replace(layout(2), gain=np.array([3.0, 0.2]), shift=np.array([-1.0, 0.5]))
    rows = torch.linspace(-9, 9, 50)[:, None].expand(-1, 2).contiguous()
    view = StandardView(shape, no_arrays(rows))
    torch.testing.assert_close(view.inverse(view(rows)), rows, rtol=1e-3, atol=1e-3)
    assert (view(rows).diff(dim=0) > 0).all()


@pytest.mark.parametrize("kind", VIEWS)
def test_what_is_missing_is_zero_and_marked_where_the_layout_has_gaps(
    kind: type[StandardView | RankView],
) -> None:
    shape = layout(2, gaps=True)
    rows = 5 + numbers(100, 2)
    view = fitted(kind, rows, shape)
    asked = rows[:3].clone()
    asked[0, 0] = asked[1, 1] = torch.nan
    points = view(asked)
    assert view.width == points.shape[1] == 3
    assert view.owners.tolist() == [0, 1, 1]
    assert points[0, 0] == points[1, 1] == 0
    assert points[:, 2].tolist() == [0.0, 2.0, 0.0]
    assert torch.equal(points[0, 1], view(rows[:1])[0, 1])


def test_missing_numbers_are_not_learned_from() -> None:
    rows = numbers(200, 2)
    gappy = torch.cat([rows, torch.full((300, 2), torch.nan)])
    assert torch.equal(ranked(gappy)(rows), ranked(rows)(rows))


def test_a_column_without_any_value_is_no_obstacle() -> None:
    rows = torch.full((10, 1), torch.nan)
    view = ranked(rows)
    assert torch.equal(view(rows), torch.zeros(10, 1))
    assert torch.equal(view.held_out(rows), torch.zeros(10, 1))
    assert torch.isfinite(view(torch.tensor([[3.0]]))).all()


@pytest.mark.parametrize("kind", VIEWS)
@pytest.mark.parametrize("size", [4, 60])
def test_the_rarer_a_category_the_longer_its_direction(
    kind: type[StandardView | RankView], size: int
) -> None:
    prior = np.geomspace(1, 1e-7, size)
    shape = replace(layout(1), priors=(prior / prior.sum(),))
    rows = torch.stack([torch.zeros(size), torch.arange(size).float()], dim=1)
    points = fitted(kind, rows, shape)(rows)[:, 1:]
    lengths = points.square().sum(dim=1).sqrt()
    assert (lengths.diff() >= -1e-6).all()
    assert lengths[-1] > 2 * lengths[0] > 0
    assert points.shape[1] == min(size, 32)
    apart = torch.cdist(points, points).fill_diagonal_(torch.inf)
    assert apart.min() > 0.3


@pytest.mark.parametrize("rows", [5, 3000])
def test_a_view_that_loads_anothers_buffers_is_the_same(rows: int) -> None:
    shape = layout(3, 4, 40, gaps=True)
    view, other = RankView(shape), RankView(shape)
    view.fit(mixed(rows, shape))
    other.load_state_dict(view.state_dict())
    asked = mixed(50, shape, seed=1)
    assert torch.equal(other(asked), view(asked))
    back = view.evaluation().inverse(view(asked))
    assert torch.equal(other.evaluation().inverse(view(asked)), back)


@pytest.mark.parametrize("kind", VIEWS)
def test_numpy_and_torch_come_to_the_same(kind: type[StandardView | RankView]) -> None:
    shape = layout(3, 4, 40, gaps=True)
    view, asked = fitted(kind, mixed(3000, shape), shape), mixed(500, shape, seed=1)
    asked[::7, 0] = torch.nan
    in_numpy = StandardView(shape, Arrays({}))
    if kind is RankView:
        learned = RankView(shape)
        learned.fit(mixed(3000, shape))
        in_numpy = learned.settled()
    points = in_numpy(asked.numpy())
    assert points.dtype == np.float32
    assert points.flags.c_contiguous
    np.testing.assert_allclose(points, view(asked), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(in_numpy.inverse(points), view.inverse(view(asked)), rtol=1e-3, atol=1e-3)
