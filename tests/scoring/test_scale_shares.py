"""What each scale of time takes of the alert rate."""

from __future__ import annotations

import pytest

from aedetect.scoring.scale_shares import CALENDAR, LONG, SHORT, STEP, scales_stored, shares_of, single_share


def test_the_share_of_a_missing_scale_falls_to_the_others() -> None:
    usual, without = dict(shares_of([LONG, SHORT, STEP])), dict(shares_of([LONG, STEP]))
    assert sum(without.values()) == pytest.approx(sum(usual.values()))
    assert without[LONG] / without[STEP] == pytest.approx(usual[LONG] / usual[STEP])


def test_a_calendar_takes_nothing_from_the_others_and_single_steps_come_last() -> None:
    with_calendar = dict(shares_of([STEP, LONG, SHORT, CALENDAR]))
    assert list(with_calendar)[-1] == STEP
    del with_calendar[CALENDAR]
    assert with_calendar == dict(shares_of([LONG, SHORT, STEP]))
    assert sum(dict(shares_of([LONG, SHORT, STEP, CALENDAR])).values()) < 1


def test_what_a_model_file_has() -> None:
    assert scales_stored({"series.step.scores", "series.short.scores", "members.0.x"}) == [SHORT, STEP]
    assert scales_stored({"series.peaks"}) == []
    assert single_share([]) is None
    assert single_share([SHORT, STEP]) == dict(shares_of([LONG, SHORT, STEP]))[STEP]
