"""Levels follow a series: alarms neither last for ever nor depend on where a file is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.scoring.tracking import Level, Pace, track

PACE = Pace(rise=0.1, approach=0.0, fall=0.001, forget=0.01, margin=0.2, clear=0.5, hold=20)
OFF = Pace(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def marks(excess: list[float], pace: Pace = PACE, begin: Level | None = None) -> str:
    values = np.array(excess)
    tracked = track(values, np.ones(len(values), dtype=bool), begin or Level(), pace)
    return "".join(".x"[int(flag)] for flag in tracked.flagged)


def test_what_exceeds_the_threshold_is_flagged_and_nothing_else() -> None:
    assert marks([-1, -1, 0.3, -1, 0, np.nan, 0.4]) == "..x...x"


def test_an_alarm_that_goes_on_ends() -> None:
    flagged = marks([1.0] * 200)
    assert flagged.startswith("x" * 20)
    assert set(flagged[20:]) == {"."}


def test_without_adaptation_it_does_not() -> None:
    assert marks([1.0] * 200, OFF) == "x" * 200


def test_a_clear_alarm_is_held_while_it_lasts_at_half_its_height() -> None:
    # The level has risen to 0.5 when the score falls below it.
    assert marks([1.0] * 5 + [0.55] * 5 + [0.4] * 5, PACE) == "x" * 10 + "." * 5


def test_a_raised_level_is_exceeded_by_a_margin() -> None:
    raised = Level(value=1.0)
    assert marks([1.1, 1.19], begin=raised) == ".."
    assert marks([1.3], begin=raised) == "x"


def test_a_level_is_forgotten_once_all_is_as_learned() -> None:
    calm = track(np.full(300, -1.0), np.ones(300, dtype=bool), Level(value=1.0), PACE)
    near = track(np.full(300, 0.1), np.ones(300, dtype=bool), Level(value=1.0), PACE)
    assert calm.level.value == 0
    assert near.level.value > 0.69


def test_only_local_steps_are_flagged_and_raise_the_level() -> None:
    tracked = track(np.full(10, 1.0), np.arange(10) == 4, Level(), PACE)
    assert np.flatnonzero(tracked.flagged).tolist() == [4]
    assert tracked.level.value < 0.11


def test_alarms_that_have_lasted_longer_than_they_may_are_shorter() -> None:
    first = track(np.full(40, 0.9), np.ones(40, dtype=bool), Level(), PACE)
    assert first.flagged.sum() == 20
    assert first.level.spent == PACE.hold
    later = Level(spent=PACE.hold)
    assert marks([0.9] * 40, begin=later).count("x") == 3


def test_quiet_steps_make_up_for_those_of_alarms() -> None:
    pace = replace(PACE, refill=0.1)
    quiet = track(np.full(100, -1.0), np.ones(100, dtype=bool), Level(spent=PACE.hold), pace)
    assert quiet.level.spent == pytest.approx(PACE.hold - 10)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(0, 700))
def test_a_cut_does_not_matter(seed: int, cut: int) -> None:
    random = np.random.default_rng(seed)
    excess = np.repeat(random.normal(-0.3, 1, 70), 10) + random.normal(0, 0.1, 700)
    excess[random.random(700) < 0.05] = np.nan
    local = random.random(700) < 0.9
    pace = replace(PACE, refill=0.01)
    whole = track(excess, local, Level(), pace)
    first = track(excess[:cut], local[:cut], Level(), pace)
    second = track(excess[cut:], local[cut:], first.level, pace)
    assert np.concatenate([first.flagged, second.flagged]).tolist() == whole.flagged.tolist()
    np.testing.assert_allclose(np.concatenate([first.limits, second.limits]), whole.limits, atol=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_is_flagged_exceeds_its_limit(seed: int) -> None:
    random = np.random.default_rng(seed)
    excess = np.cumsum(random.normal(0, 0.1, 500))
    tracked = track(excess, np.ones(500, dtype=bool), Level(), PACE)
    assert (excess[tracked.flagged] > tracked.limits[tracked.flagged]).all()
    assert (excess[~tracked.flagged] <= tracked.limits[~tracked.flagged]).all()
