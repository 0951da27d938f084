"""Evidence from neighbours: how far the nearest normal row is, and in which columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.models.evaluation.evidence_part import GRAIN
from aedetect.models.evaluation.search import Search
from aedetect.models.evidence import Evidence
from aedetect.models.live import as_tensor, settled
from aedetect.models.neighbours import NearestRow, SubspaceNeighbours

WIDTH = 5
KINDS: dict[str, Callable[[], Evidence]] = {
    "subspaces": lambda: SubspaceNeighbours(np.arange(WIDTH), 1000),
    "nearest": lambda: NearestRow(WIDTH),
}
SEEDS = st.integers(0, 10_000)


@pytest.fixture(params=KINDS)
def build(request: pytest.FixtureRequest) -> Callable[[], Evidence]:
    return KINDS[request.param]


@pytest.fixture
def points() -> torch.Tensor:
    return drawn(300)


def drawn(rows: int, seed: int = 0, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def fit(evidence: Evidence, points: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Fitted, with the scores of all points held out; a seed repeats the halves of the columns."""
    torch.manual_seed(seed)
    return evidence.fit(points, points, torch.arange(len(points)))


def nearest(points: torch.Tensor, memory: torch.Tensor, excluded: torch.Tensor | None = None) -> torch.Tensor:
    """As scoring finds them; in torch, as on a GPU, they are the same but for the rounding of ties."""
    chosen = Search(settled(memory))(settled(points), None if excluded is None else settled(excluded))
    return as_tensor(chosen)


def without(points: torch.Tensor, place: int) -> torch.Tensor:
    return torch.cat([points[:place], points[place + 1 :]])


@given(SEEDS, st.integers(1, 150), st.integers(2, 150), st.integers(1, 8), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_nearest_is_that_of_all_distances(
    seed: int, rows: int, memory_rows: int, width: int, excluding: bool
) -> None:
    points, memory = drawn(rows, seed, width), drawn(memory_rows, seed + 1, width)
    distances = torch.cdist(points.double(), memory.double())
    excluded = None
    if excluding:
        generator = torch.Generator().manual_seed(seed)
        excluded = torch.randint(-1, memory_rows, (rows,), generator=generator)
        barred = excluded >= 0
        distances[barred, excluded[barred]] = torch.inf
    chosen = nearest(points, memory, excluded)
    assert chosen.shape == (rows,)
    reached = distances.gather(1, chosen[:, None])[:, 0]
    torch.testing.assert_close(reached, distances.amin(dim=1), rtol=1e-4, atol=1e-3)


def test_a_point_that_is_left_out_is_not_its_own_nearest(points: torch.Tensor) -> None:
    places = torch.arange(len(points))
    assert torch.equal(nearest(points, points), places)
    assert not (nearest(points, points, places) == places).any()


@pytest.mark.parametrize("rows", [9, 40, 300])
def test_held_out_scores_are_those_of_a_fit_without_the_row(build: Callable[[], Evidence], rows: int) -> None:
    points = drawn(rows, seed=rows)
    held_out = fit(build(), points)
    for place in range(0, rows, max(rows // 30, 1)):
        fresh = build()
        fit(fresh, without(points, place))
        expected = fresh(points[place : place + 1])[0][0]
        torch.testing.assert_close(held_out[place], expected, rtol=0, atol=2 * GRAIN)


def test_held_out_points_that_were_not_learned_are_judged_as_new_ones(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence, others = build(), drawn(50, seed=1)
    torch.manual_seed(0)
    held_out = evidence.fit(points, others, torch.full((50,), -1))
    assert torch.equal(held_out, evidence(others)[0])


def test_a_learned_point_that_does_not_count_is_judged_as_held_out(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence = build()
    held_out = fit(evidence, points)
    places = torch.arange(len(points))
    assert torch.equal(evidence(points, places)[0], held_out)
    some = torch.where(places % 2 == 0, places, -1)
    mixed = torch.where((places % 2 == 0)[:, None], held_out, evidence(points)[0])
    assert torch.equal(evidence(points, some)[0], mixed)


def test_which_learned_point_equals_one_is_known(points: torch.Tensor) -> None:
    evidence, others = NearestRow(WIDTH), drawn(40, seed=1)
    points[1] = points[0]
    held_out = fit(evidence, points)
    judge = evidence.settled()
    log_scores, _, itself = judge.judged_apart(settled(torch.cat([points, others])))
    assert itself is not None
    log_scores, itself = as_tensor(log_scores), as_tensor(itself)
    assert torch.equal(points[itself[: len(points)]], points)
    assert (itself[len(points) :] == -1).all()
    assert torch.equal(log_scores[: len(points)], held_out)
    assert torch.equal(log_scores[len(points) :], evidence(others)[0])
    assert judge.judged_apart(settled(others))[2] is None
    # Of two that are equal, one does not count and the other does.
    assert held_out[0, 0] == held_out[1, 0] == evidence(points)[0][:, 0].min()


def test_points_beyond_those_that_are_stored_are_judged_as_new_ones(points: torch.Tensor) -> None:
    evidence = SubspaceNeighbours(np.arange(WIDTH), 100)
    held_out = fit(evidence, points)
    plain = evidence(points)[0]
    assert len(evidence.memory) == 100
    assert torch.equal(held_out[100:], plain[100:])
    assert (held_out[:100] > plain[:100]).all()


def test_held_out_the_strange_point_is_far_and_one_with_a_twin_is_not(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    points[0], points[1] = 12.0, points[2]
    held_out = fit(build(), points)[:, 0]
    assert held_out.argmax() == 0
    assert held_out[1] == held_out[2] == held_out.min()


def test_equal_rows_have_equal_scores_whatever_is_beside_them(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence, asked = build(), drawn(200, seed=2)
    fit(evidence, points)
    whole = evidence(asked)[0]
    singly = torch.cat([evidence(asked[place : place + 1])[0] for place in range(len(asked))])
    turned = evidence(torch.cat([points, asked.flip(0)]))[0][len(points) :].flip(0)
    assert torch.equal(singly, whole)
    assert torch.equal(turned, whole)


@given(seed=SEEDS, column=st.integers(0, WIDTH - 1))
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("kind", KINDS)
def test_shares_sum_to_one_and_point_at_the_column_that_was_moved(kind: str, seed: int, column: int) -> None:
    evidence, points = KINDS[kind](), drawn(200, seed)
    fit(evidence, points, seed)
    moved = points.clone()
    moved[:, column] += 25.0
    scores, shares = evidence(moved)
    assert shares is not None
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(points)))
    assert (shares.argmax(dim=1) == column).all()
    assert (scores > evidence(points)[0]).all()


def test_a_repeat_of_a_training_row_has_the_lowest_score(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence = build()
    fit(evidence, points)
    repeats, others = evidence(points)[0][:, 0], evidence(drawn(300, seed=3))[0][:, 0]
    assert len(repeats.unique()) == 1
    assert repeats[0] < others.min()
    shares = evidence(points)[1]
    assert shares is not None
    torch.testing.assert_close(shares, torch.full_like(shares, 1 / WIDTH))


def test_among_dense_rows_the_same_distance_is_stranger() -> None:
    dense, sparse = 0.05 * drawn(100, width=2), 20 + 3 * drawn(100, seed=1, width=2)
    evidence = NearestRow(2)
    fit(evidence, torch.cat([dense, sparse]))
    step = torch.tensor([0.0, 0.8])
    extremes = dense[dense[:, 1].argmax()], sparse[sparse[:, 1].argmax()]
    by_itself, relative = evidence(torch.stack([point + step for point in extremes]))[0].T
    assert by_itself[0] == pytest.approx(float(by_itself[1]), abs=0.01)
    assert relative[0] > relative[1] + 0.5


def test_over_halves_it_is_the_mean_logarithm_of_the_distance_by_feature(points: torch.Tensor) -> None:
    evidence, asked = SubspaceNeighbours(np.arange(WIDTH), 1000), drawn(40, seed=1)
    fit(evidence, points)
    logarithms = [
        (torch.cdist(asked[:, half], points[:, half]).amin(dim=1) / half.sum().sqrt() + 0.03).log()
        for half in evidence.halves
    ]
    expected = torch.stack(logarithms).mean(dim=0)
    torch.testing.assert_close(evidence(asked)[0][:, 0], expected, rtol=0, atol=2 * GRAIN)


def test_the_density_around_a_row_is_that_of_the_fifth_neighbour_of_the_nearest(
    points: torch.Tensor,
) -> None:
    evidence, asked = NearestRow(WIDTH), drawn(40, seed=1)
    fit(evidence, points)
    distances, index = torch.cdist(asked, points).min(dim=1)
    among = torch.cdist(points, points).fill_diagonal_(torch.inf)
    around = among.sort(dim=1).values[index, 4]
    by_itself = (distances + 1e-3).log()
    expected = torch.stack([by_itself, by_itself - 0.5 * (around + 0.03).log()], dim=1)
    torch.testing.assert_close(evidence(asked)[0], expected, rtol=0, atol=2 * GRAIN)


def test_scores_have_no_digits_that_rounding_decides(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence = build()
    for scores in (fit(evidence, points), evidence(drawn(40, seed=1))[0]):
        assert torch.equal((scores / GRAIN).round() * GRAIN, scores)


def test_each_pair_of_halves_has_every_feature_once_with_all_its_values(points: torch.Tensor) -> None:
    owners = np.array([0, 1, 2, 2, 2])
    evidence = SubspaceNeighbours(owners, 1000)
    fit(evidence, points)
    pairs = evidence.halves.view(-1, 2, 3)
    assert (pairs.sum(dim=1) == 1).all()
    assert evidence.halves.any(dim=1).all()


@pytest.mark.parametrize(
    "kind", [lambda: SubspaceNeighbours(np.zeros(1, np.int64), 50), lambda: NearestRow(1)]
)
def test_one_column_will_do(kind: Callable[[], Evidence]) -> None:
    evidence, points = kind(), drawn(60, width=1)
    fit(evidence, points)
    scores = evidence(torch.tensor([[0.0], [9.0], [90.0]]))[0][:, 0]
    assert torch.isfinite(scores).all()
    assert (scores.diff() > 0).all()


def test_evidence_that_loads_anothers_buffers_is_the_same(
    build: Callable[[], Evidence], points: torch.Tensor
) -> None:
    evidence, other = build(), build()
    fit(evidence, points)
    other.load_state_dict(evidence.state_dict())
    asked = drawn(50, seed=4)
    for first, second in zip(evidence(asked), other(asked), strict=True):
        assert torch.equal(first, second)


def test_fitting_again_replaces_what_was_fitted(build: Callable[[], Evidence], points: torch.Tensor) -> None:
    evidence, fresh = build(), build()
    fit(evidence, drawn(70, seed=5))
    again = fit(evidence, points)
    assert torch.equal(again, fit(fresh, points))
    assert torch.equal(evidence(drawn(9, 6))[0], fresh(drawn(9, 6))[0])
