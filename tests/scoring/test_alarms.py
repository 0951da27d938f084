"""Alarms of three scales of time: one p-value, as rare as was asked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.scoring.alarms import AlarmRule, Standing, TimeScale, short_steps
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.lasting import Patience
from aedetect.scoring.locality import Locality, StepScores
from aedetect.scoring.scale_shares import LONG, SHORT, STEP


def scores(values: np.ndarray) -> StepScores:  # type: ignore[type-arg]
    return StepScores(values, values, values)


def scale(seed: int = 0) -> TimeScale:
    normal = np.random.default_rng(seed).normal(0, 1, 20_000)
    return TimeScale(Calibration(np.sort(normal)), Locality(-10.0, -10.0), spread=2.5)


def test_rows_are_flagged_where_the_joint_p_value_is_at_most_the_rate() -> None:
    rule = AlarmRule({LONG: scale(1), SHORT: scale(2), STEP: scale(3)}, rate=0.01, adapt=None)
    random = np.random.default_rng(9)
    parts = {name: scores(random.normal(0, 1, 50_000)) for name in rule.scales}
    alarms = rule.judge(parts, Standing())
    np.testing.assert_array_equal(alarms.flagged, alarms.p_values <= 0.01)
    assert 0.003 < alarms.flagged.mean() < 0.01


def test_a_step_that_is_odd_at_one_scale_alone_is_an_alarm() -> None:
    rule = AlarmRule({LONG: scale(1), SHORT: scale(2), STEP: scale(3)}, rate=0.01, adapt=64.0)
    for name in rule.scales:
        parts = {other: scores(np.zeros(20)) for other in rule.scales}
        odd = np.zeros(20)
        odd[7] = 9.0
        assert np.flatnonzero(rule.judge(parts | {name: scores(odd)}, Standing()).flagged).tolist() == [7]


def test_what_is_unknown_has_no_p_value_and_no_alarm() -> None:
    rule = AlarmRule({LONG: scale(1), STEP: scale(3)}, rate=0.01, adapt=64.0)
    unknown = np.array([np.nan, 9.0])
    alarms = rule.judge({LONG: scores(unknown), STEP: scores(unknown)}, Standing())
    assert alarms.flagged.tolist() == [False, True]
    assert np.isnan(alarms.p_values[0])


def test_a_single_step_beside_an_alarm_of_windows_is_none() -> None:
    rule = AlarmRule({LONG: scale(1), STEP: scale(3)}, rate=0.01, adapt=64.0)
    windows, steps = np.zeros(60), np.zeros(60)
    windows[20:25] = 9.0
    steps[[26, 40]] = 9.0
    alarms = rule.judge({LONG: scores(windows), STEP: scores(steps)}, Standing())
    assert np.flatnonzero(alarms.flagged).tolist() == [20, 21, 22, 23, 24, 40]
    np.testing.assert_array_equal(alarms.flagged, alarms.p_values <= 0.01)


def test_the_share_of_missing_scales_falls_to_the_others() -> None:
    assert sum(share for _, share in AlarmRule({LONG: scale()}, 0.01, None).shares()) == pytest.approx(
        sum(
            share
            for _, share in AlarmRule({LONG: scale(), SHORT: scale(), STEP: scale()}, 0.01, None).shares()
        )
    )


def test_short_windows_need_long_ones_beside_them() -> None:
    assert short_steps(20) is None
    assert short_steps(200) == 16


def shifted(steps: int, first: int, height: float, seed: int = 5) -> np.ndarray:  # type: ignore[type-arg]
    values = np.random.default_rng(seed).normal(0, 1, steps)
    values[first:] += height
    return values


def long_rule(adapt: float | None = 64.0, after: float | None = 300.0) -> AlarmRule:
    patience = None if after is None else Patience(after, 8, adapt or 64)
    return AlarmRule({LONG: scale(1)}, 0.001, adapt, patience)


@pytest.mark.parametrize("adapt", [16.0, 64.0, None])
def test_a_level_that_stays_is_one_event_and_then_normal(adapt: float | None) -> None:
    alarms = long_rule(adapt).judge({LONG: scores(shifted(2000, 200, 8.0))}, Standing())
    (adopted,) = alarms.adopted
    assert (adopted, alarms.adopted[adopted]) == (500, 300)
    assert alarms.flagged[200:500].all()
    assert alarms.continued[201:500].all()
    assert (alarms.p_values[200:500] <= 0.001).all()
    assert alarms.flagged[500:].mean() < 0.02
    assert alarms.silenced[500:].mean() > 0.9


def test_a_further_shift_is_a_new_event() -> None:
    values = shifted(2000, 200, 8.0)
    values[1000:] += 8
    alarms = long_rule().judge({LONG: scores(values)}, Standing())
    assert list(alarms.adopted) == [500, 1300]
    assert alarms.flagged[1000:1300].all()


def test_without_it_what_lasts_is_adapted_to_as_before() -> None:
    alarms = long_rule(after=None).judge({LONG: scores(shifted(2000, 200, 8.0))}, Standing())
    assert alarms.adopted == {}
    assert 0 < alarms.flagged[200:500].sum() < 300


@pytest.mark.slow
@given(st.lists(st.integers(0, 900), max_size=4), st.sampled_from([5.0, 100.0]), st.booleans())
def test_cuts_of_what_is_held_do_not_matter(cuts: list[int], after: float, adapts: bool) -> None:
    rule = long_rule(64.0 if adapts else None, after)
    values = np.concatenate([shifted(500, 60, 6.0, 1), shifted(400, 150, 9.0, 2)])
    whole = rule.judge({LONG: scores(values)}, Standing())
    standing, flagged, continued, adopted = Standing(), [], [], {}
    ends = [0, *sorted(cuts), len(values)]
    for first, end in itertools.pairwise(ends):
        part = rule.judge({LONG: scores(values[first:end])}, standing)
        standing = part.standing
        flagged.append(part.flagged)
        continued.append(part.continued)
        adopted |= {step + first: lasted for step, lasted in part.adopted.items()}
    np.testing.assert_array_equal(whole.flagged, np.concatenate(flagged))
    np.testing.assert_array_equal(whole.continued, np.concatenate(continued))
    assert whole.adopted == adopted
    assert whole.standing.lasting == standing.lasting
