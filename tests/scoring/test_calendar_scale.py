"""What a series usually is at its place in the day or the week."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.calendar import DAY, WEEK
from aedetect.scoring.calendar_scale import CalendarModel, LearnedCalendar, fit_calendar

STEP = 900.0
MONDAY = 4 * DAY
ONE = np.zeros(1, dtype=np.int64)


def _times(days: float, start: float = MONDAY) -> np.ndarray:
    return start + np.arange(round(days * DAY / STEP)) * STEP


def _weekly(local: np.ndarray, seed: int = 0) -> np.ndarray:
    """One channel with a week, one with a day only, one of noise."""
    rng = np.random.default_rng(seed)
    weekend = (local - MONDAY) % WEEK >= 5 * DAY
    wave = np.sin(local / DAY * 2 * np.pi)
    load = (1.2 + wave) * np.where(weekend, 0.3, 1.0)
    channels = np.stack([load, wave, np.zeros(len(local))], axis=1)
    return (channels + rng.normal(0, 0.1, channels.shape)).astype(np.float32)


def _fit(days: float) -> LearnedCalendar | None:
    local = _times(days)
    return fit_calendar([_weekly(local)], [local], ONE, STEP, 96)


def test_a_week_is_learned_from_three_of_them() -> None:
    learned = _fit(28)
    assert learned is not None
    assert learned.model.bins.cycle == WEEK
    assert learned.cycles == 4
    assert learned.model.channels.tolist() == [0, 1]


def test_a_day_is_learned_where_too_few_weeks_were_seen() -> None:
    learned = _fit(13)
    assert learned is not None
    assert learned.model.bins.cycle == DAY
    assert _fit(2) is None


def test_noise_has_no_calendar() -> None:
    local = _times(28)
    noise = np.random.default_rng(1).normal(0, 1, (len(local), 2)).astype(np.float32)
    noise[::5, 0] = np.nan
    assert fit_calendar([noise], [local], ONE, STEP, 96) is None
    assert fit_calendar([np.full_like(noise, np.nan)], [local], ONE, STEP, 96) is None
    assert fit_calendar([noise[:, :0]], [local], ONE, STEP, 96) is None


def test_a_wednesday_like_a_sunday_stands_out() -> None:
    learned = _fit(42)
    assert learned is not None
    new = _times(7, MONDAY + 10 * WEEK)
    values = _weekly(new, seed=7)
    wednesday = slice(2 * 96, 3 * 96)
    assert np.quantile(learned.model.window_scores(values, new), 0.99) < 3
    values[wednesday] = _weekly(new + 4 * DAY, seed=8)[wednesday]
    scores = learned.model.window_scores(values, new)
    assert np.median(scores[wednesday]) > 4
    assert np.quantile(scores[3 * 96 :], 0.99) < 3


def test_days_of_the_week_of_daily_steps() -> None:
    local = MONDAY + np.arange(70) * DAY
    week = np.array([5, 5, 5, 5, 6, 1, 0.0])
    values = np.tile(week, 10)[:, None] + np.random.default_rng(0).normal(0, 0.2, (70, 1))
    learned = fit_calendar([values.astype(np.float32)], [local], ONE, DAY, 14)
    assert learned is not None
    assert np.abs(learned.model.expected.ravel() - week).max() < 0.3


def test_holes_and_short_segments_are_unknown() -> None:
    learned = _fit(28)
    assert learned is not None
    local = _times(1)
    values = _weekly(local)
    values[20:60] = np.nan
    scores = learned.model.window_scores(values, local)
    assert np.isnan(scores[22:50]).all()
    assert not np.isnan(scores[:10]).any()
    assert len(learned.model.window_scores(values[:3], local[:3])) == 0


def test_tensors_bring_it_back() -> None:
    learned = _fit(28)
    assert learned is not None
    again = CalendarModel.of_tensors(learned.model.tensors())
    assert again is not None
    local = _times(2)
    values = _weekly(local)
    np.testing.assert_array_equal(
        again.window_scores(values, local), learned.model.window_scores(values, local)
    )
    assert CalendarModel.of_tensors({}) is None
