"""What stays odd is flagged again now and then, for a while."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.scoring.reminders import LastAlarm, Reminded, remind

EVERY = 10.0


def reminded(marks: str, begin: LastAlarm | None = None, every: float = EVERY) -> Reminded:
    """`x` is flagged, `o` odd but silenced."""
    steps = np.array(list(marks), dtype="U1")
    return remind(steps == "x", steps == "o", begin or LastAlarm(), every)


def test_a_state_that_lasts_is_flagged_once_in_every_so_many_steps_for_sixteen_times_as_long() -> None:
    result = reminded("xxx" + "o" * 200)
    assert np.flatnonzero(result.flagged).tolist() == list(range(12, 160, 10))
    assert np.flatnonzero(result.continued).tolist() == [1, 2, *np.flatnonzero(result.flagged)]


def test_what_is_over_is_not_flagged_again() -> None:
    assert not reminded("xxx" + "o" * 3 + "." * 30 + "o" * 30).flagged.any()
    assert not reminded("o" * 100).flagged.any()
    # Odd again just when a reminder would be due, but not for most of the time before.
    assert not reminded("x" + "o" * 3 + "." * 6 + "o").flagged.any()


def test_alarms_while_a_state_lasts_are_of_the_alarm_before() -> None:
    result = reminded("x" + "o" * 6 + "xx" + "." * 30 + "x")
    assert np.flatnonzero(result.continued).tolist() == [7, 8]


@given(st.text("xo.", min_size=1, max_size=300), st.data(), st.sampled_from([1.0, 2.5, 10.0]))
def test_a_cut_does_not_matter(marks: str, data: st.DataObject, every: float) -> None:
    cut = data.draw(st.integers(0, len(marks)))
    whole, before = reminded(marks, every=every), reminded(marks[:cut], every=every)
    after = reminded(marks[cut:], before.last, every)
    np.testing.assert_array_equal(whole.flagged, np.r_[before.flagged, after.flagged])
    np.testing.assert_array_equal(whole.continued, np.r_[before.continued, after.continued])
    assert whole.last == after.last
