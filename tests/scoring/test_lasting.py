"""Events that are held until they have lasted long enough to count as normal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.scoring.lasting import Held, Lasting, Patience, Shown, hold
from aedetect.scoring.tracking import Level

NAN = float("nan")
HEIGHTS = {"x": 2.0, "o": 1.0, ".": -1.0, "?": NAN}


def held(marks: str, begin: Lasting | None = None, after: float = 20.0, floor: float = 0.0) -> Held:
    """`x` is an alarm, `o` odd but adapted to, `?` unknown; up to `floor` was normal."""
    flagged = np.array([mark == "x" for mark in marks], dtype=np.bool_)
    excess = np.array([HEIGHTS[mark] for mark in marks])
    limits = np.full(len(marks), floor)
    return hold(flagged, {"long": excess}, {"long": limits}, begin or Lasting(), Patience(after, 4.0, 8.0))


def test_what_an_alarm_began_is_flagged_for_as_long_as_it_lasts() -> None:
    result = held("..xx" + "o" * 10 + "....")
    assert np.flatnonzero(result.flagged).tolist() == list(range(2, 14))
    assert np.flatnonzero(result.continued).tolist() == list(range(3, 14))
    assert result.adopted is None


def test_it_is_normal_once_it_has_lasted() -> None:
    result = held("x" + "o" * 50)
    assert (result.adopted, len(result.flagged), result.flagged.sum()) == (20, 20, 20)
    assert result.lasting.began == 20


def test_what_no_alarm_began_is_left_alone() -> None:
    assert not held("o" * 50).flagged.any()


def test_what_was_normal_when_it_began_is_not_odd() -> None:
    assert np.flatnonzero(held("x" + "o" * 50, floor=1.5).flagged).tolist() == [0]


def test_a_brief_event_is_over_after_a_few_usual_steps_and_a_long_one_goes_on_through_more() -> None:
    assert np.flatnonzero(held("x" + "." * 4 + "o").flagged).tolist() == [0, 5]
    assert np.flatnonzero(held("x" + "." * 5 + "o").flagged).tolist() == [0]
    assert np.flatnonzero(held("x" * 8 + "." * 6 + "o").flagged).tolist() == [*range(8), 14]
    # Through so many at most, however long it has lasted.
    assert np.flatnonzero(held("x" * 15 + "." * 9 + "o", after=90.0).flagged).tolist() == list(range(15))


def test_unknown_steps_are_no_part_of_it() -> None:
    assert np.flatnonzero(held("x??o").flagged).tolist() == [0, 3]


def test_what_it_showed_since_it_settled_becomes_the_level() -> None:
    result = held("x" * 10 + "o" * 50)
    shown = result.lasting.shown["long"]
    assert (shown.count, shown.mean, shown.height) == (10, 1.0, 1.0)
    raised = result.lasting.raised({"long": Level(0.5, True, 0.1, 2.0, 7, 3.0), "short": Level(0.25)})
    assert raised == {"long": Level(1.0, spent=3.0), "short": Level(0.25)}


def test_one_outlier_hardly_moves_what_is_normal() -> None:
    shown = Shown()
    values = [*np.random.default_rng(0).normal(1.0, 0.1, 300), 9.0, NAN]
    for value in values:
        shown = shown.and_one(value)
    assert shown.count == 301
    assert shown.mean == pytest.approx(np.mean(values[:-1]))
    assert 1.2 < shown.height < 3.0


@given(st.text("xo.?", min_size=1, max_size=120), st.data(), st.sampled_from([1.0, 7.0, 20.0]))
def test_a_cut_does_not_matter(marks: str, data: st.DataObject, after: float) -> None:
    whole = held(marks, after=after)
    cut = data.draw(st.integers(0, len(whole.flagged)))
    before = held(marks[:cut], after=after)
    rest = held(marks[cut:], before.lasting, after)
    assert before.adopted is None
    np.testing.assert_array_equal(whole.flagged, np.r_[before.flagged, rest.flagged])
    np.testing.assert_array_equal(whole.continued, np.r_[before.continued, rest.continued])
    assert whole.lasting == rest.lasting
    assert whole.adopted == (None if rest.adopted is None else rest.adopted + cut)
