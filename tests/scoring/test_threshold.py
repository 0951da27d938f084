"""One rule from settings to a threshold, and what is said of it is so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.config import ThresholdConfig
from aedetect.errors import UsageError
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.threshold import Spans, ThresholdPolicy, set_to

HOUR, DAY = 3600.0, 86_400.0
SCORES = np.sort(np.random.default_rng(0).exponential(1.0, 5000))


def policy(spans: Spans | None = None, **settings: float) -> ThresholdPolicy:
    return ThresholdPolicy(ThresholdConfig(**settings), Calibration(SCORES), spans)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0.2, 0.05, 0.01, 0.001])
def test_fresh_normal_rows_are_flagged_at_the_rate_asked(rate: float) -> None:
    fresh = np.random.default_rng(1).exponential(1.0, 200_000)
    found = policy(alert_rate=rate)
    # The calibration rows are a sample themselves: three standard errors of a share of 5,000.
    assert abs((fresh > found.value).mean() - rate) < 3 * np.sqrt(rate / len(SCORES)) + 1e-4
    assert found.promised_rate == rate
    assert found.expected_rate == pytest.approx(rate, rel=0.02)
    assert found.rates() == {"alert_rate": rate, "expected_alert_rate": found.expected_rate}


def test_a_threshold_set_by_hand_promises_nothing() -> None:
    found = policy(value=2.0, alert_rate=0.05)
    assert (found.value, found.promised_rate) == (2.0, None)
    assert found.expected_rate == pytest.approx((SCORES > 2.0).mean(), abs=1e-3)
    assert found.rates() == {"alert_rate": None, "expected_alert_rate": found.expected_rate}
    assert (found.promise, found.origin) == ("as set by hand", "set by hand")


def test_events_a_day_are_counted_by_spans() -> None:
    """An hour's spans, of which one in 24 may be exceeded a day: the 23rd of 24 of the peaks."""
    peaks = np.arange(1.0, 2401.0)
    found = policy(Spans(peaks, steps=6, seconds=HOUR), alarms_per_day=1.0)
    exceeded = (peaks > found.value).mean() * DAY / HOUR
    assert exceeded == pytest.approx(1.0, abs=0.02)
    assert found.promised_rate is None
    assert found.promise == "at most 1 false event a day on each series, and at most 1% of normal rows"
    assert found.origin == "at most 1 false event a day, alert rate at most 0.01"


def test_single_steps_are_events_of_their_own() -> None:
    """Of an hour's steps each is an event: half of one a day, at 6 steps an hour, is one step in 288."""
    settings = ThresholdConfig(alarms_per_day=1.0, alert_rate=0.5)
    spans = Spans(np.zeros(2400), steps=6, seconds=HOUR)
    found = ThresholdPolicy(settings, Calibration(SCORES), spans, single_share=0.07)
    assert found.flagging_rate == pytest.approx(1 / 288 / 0.07)
    assert ThresholdPolicy(settings, Calibration(SCORES), spans).flagging_rate == pytest.approx(0.5, rel=0.01)
    scarce = ThresholdConfig(alarms_per_day=100.0, alert_rate=0.01)
    assert ThresholdPolicy(scarce, Calibration(SCORES), spans, 0.07).flagging_rate == pytest.approx(
        0.01, rel=0.001
    )


def test_windows_have_the_other_half_of_the_events() -> None:
    peaks = np.arange(1.0, 2401.0)
    settings = ThresholdConfig(alarms_per_day=1.0)
    found = ThresholdPolicy(settings, Calibration(SCORES), Spans(peaks, 6, HOUR), single_share=0.07)
    assert (peaks > found.value).mean() * DAY / HOUR == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("alarms", [0.01, 1.0, 100.0])
def test_events_a_day_never_loosen_the_alert_rate(alarms: float) -> None:
    """Peaks below all scores: events a day alone would flag nearly every row, as one event without end."""
    found = policy(Spans(SCORES[:9] * 1e-3, steps=6, seconds=HOUR), alarms_per_day=alarms, alert_rate=0.02)
    assert found.value == policy(alert_rate=0.02).value
    assert found.expected_rate == pytest.approx(0.02, rel=0.02)


def test_tables_have_no_events_to_count() -> None:
    with pytest.raises(UsageError) as caught:
        policy(alarms_per_day=2.0).value  # noqa: B018
    assert str(caught.value) == ("2 alarms per day: this is no model of time series; give an alert rate")


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.01, "1% of normal rows"), (0.001, "0.1% of normal rows"), (0.25, "25% of normal rows"),
     (0.1, "10% of normal rows"), (0.0005, "0.05% of normal rows"), (1e-6, "0.0001% of normal rows")],
)  # fmt: skip
def test_the_promise_is_said_in_percent(rate: float, words: str) -> None:
    assert policy(alert_rate=rate).promise == words


def test_rates_finer_than_the_calibration_rows_are_told() -> None:
    assert policy(alert_rate=0.01).warnings == []
    assert policy(alert_rate=1e-5).warnings == [
        "an alert rate of 1e-05 is finer than 5,000 calibration rows can show (at best 0.0002); the "
        "threshold follows a fitted tail beyond them"
    ]
    few = policy(Spans(np.arange(50.0), steps=100, seconds=HOUR), alert_rate=0.005)
    assert few.warnings == [
        "the threshold rests on 50 windows of normal rows, too few to hold an alert rate of 0.005: now and "
        "then more rows will be flagged; learn from more rows, or with a shorter --window"
    ]


@given(st.floats(1e-6, 0.999), st.floats(1e-6, 0.999))
def test_a_smaller_rate_never_has_a_lower_threshold(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert policy(alert_rate=low).value >= policy(alert_rate=high).value


def test_a_threshold_asked_for_comes_before_a_rate_and_both_before_the_settings() -> None:
    trained = ThresholdConfig(alarms_per_day=3.0)
    assert set_to(trained, None, None) is trained
    assert set_to(trained, 1.5, None).value == 1.5
    assert set_to(trained, None, 0.2) == ThresholdConfig(alert_rate=0.2)


@pytest.mark.parametrize(
    ("value", "rate", "message"),
    [
        (float("nan"), None, "threshold nan: must be a finite number"),
        (None, 1.0, "alert rate 1.0: must lie between 0 and 1"),
        (None, 0.0, "alert rate 0.0: must lie between 0 and 1"),
    ],
)
def test_what_is_no_threshold_is_refused(value: float | None, rate: float | None, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        set_to(ThresholdConfig(), value, rate)
    assert str(caught.value) == message
