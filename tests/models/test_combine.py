"""Adding up evidence: log scores as tail probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.models.combine import TailSurprise

SEEDS = st.integers(0, 10_000)


def drawn(rows: int, seed: int = 0, parts: int = 1) -> torch.Tensor:
    return torch.randn(parts, rows, generator=torch.Generator().manual_seed(seed))


def fitted(held_out: torch.Tensor) -> TailSurprise:
    surprise = TailSurprise(len(held_out))
    surprise.fit(held_out)
    return surprise


@given(SEEDS, st.integers(2, 500), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_surprise_grows_with_the_score_and_is_never_negative(seed: int, rows: int, digits: int) -> None:
    held_out = (drawn(rows, seed, 2) * 10**digits).round() / 10**digits
    asked = torch.linspace(-6, 9, 1001).expand(2, -1)
    surprises = fitted(held_out)(asked)
    assert (surprises > 0).all()
    assert torch.isfinite(surprises).all()
    # Rounding of float32, a ten-thousandth of what there is at most beside a share read off.
    assert (surprises.diff(dim=1) >= -1e-5 * surprises[:, 1:]).all()
    assert (surprises[:, -1] > surprises[:, 0]).all()


@pytest.mark.parametrize("rows", [1000, 5000])
def test_it_is_the_share_of_held_out_rows_at_least_as_large(rows: int) -> None:
    held_out = drawn(rows)
    asked = held_out.quantile(torch.linspace(0.02, 0.89, 80))[None]
    shares = (held_out[0] >= asked[0][:, None]).double().mean(dim=1)
    torch.testing.assert_close((-fitted(held_out)(asked)[0]).exp().double(), shares, rtol=0.03, atol=0.005)


def test_beyond_the_last_tenth_it_grows_by_the_same_with_each_step() -> None:
    held_out = -torch.rand(1, 4000, generator=torch.Generator().manual_seed(0)).log()
    asked = torch.linspace(3, 60, 20)[None]
    steps = fitted(held_out)(asked).diff(dim=1)
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps), rtol=1e-3, atol=0)
    # The tail of an exponential distribution is one.
    torch.testing.assert_close(fitted(held_out)(asked), asked, rtol=0.1, atol=0)


@given(SEEDS, st.integers(100, 2000))
@settings(max_examples=20, deadline=None)
def test_there_is_no_jump_where_the_tail_begins(seed: int, rows: int) -> None:
    surprise = fitted(drawn(rows, seed))
    end = surprise.levels[:, -1:]
    below, at, above = surprise(torch.cat([end - 1e-4, end, end + 1e-4], dim=1))[0]
    assert float(at) == pytest.approx(-math.log(0.1), abs=1e-3)
    assert at - 0.02 < below <= at <= above < at + 0.02


def test_tied_scores_are_as_surprising_as_all_that_are_at_least_as_large() -> None:
    held_out = torch.from_numpy(np.repeat([0.0, 1.0, 2.0], [500, 300, 200])).float()[None]
    surprises = fitted(held_out)(torch.tensor([[0.0, 1.0, 2.0]]))[0]
    expected = -torch.log(torch.tensor([1.0, 0.5, 0.2]))
    torch.testing.assert_close(surprises, expected, rtol=0.03, atol=1e-3)


def test_where_all_are_equal_any_larger_score_is_very_surprising() -> None:
    surprise = fitted(torch.full((1, 50), 3.0))
    lower, same, larger = surprise(torch.tensor([[2.0, 3.0, 4.0]]))[0]
    assert lower == same < 0.01
    assert larger > 100
    assert torch.isfinite(larger)


@given(SEEDS, st.sampled_from(["normal", "lognormal", "uniform", "exponential"]))
@settings(max_examples=20, deadline=None)
def test_surprises_of_other_normal_rows_are_about_exponentially_distributed(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    held_out, fresh = (torch.from_numpy(getattr(random, kind)(size=(1, 4000))).float() for _ in range(2))
    surprises = fitted(held_out)(fresh)[0]
    assert float(surprises.mean()) == pytest.approx(1.0, abs=0.1)
    for share in (0.5, 0.2, 0.05):
        assert float((surprises > -math.log(share)).float().mean()) == pytest.approx(share, abs=0.04)


def test_parts_are_read_apart_from_one_another() -> None:
    held_out = torch.cat([drawn(500), 100 + 7 * drawn(500, seed=1)])
    both = fitted(held_out)(held_out)
    for place in range(2):
        assert torch.equal(both[place], fitted(held_out[place : place + 1])(held_out[place : place + 1])[0])


def test_what_loads_anothers_buffers_is_the_same() -> None:
    surprise, other = fitted(drawn(300, parts=3)), TailSurprise(3)
    other.load_state_dict(surprise.state_dict())
    asked = 2 * drawn(100, seed=1, parts=3)
    assert torch.equal(other(asked), surprise(asked))
