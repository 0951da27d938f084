"""Events of a series: which were found, how soon, and how much of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.tasks.evaluate.metrics.ranges import (
    event_recall,
    range_precision,
    range_recall,
    spans,
    time_to_detection,
)


def marks(text: str) -> np.ndarray:
    return np.array([letter == "x" for letter in text])


LABELS = marks("..xxxx....xx...x")
FLAGS = marks(".xx.x......xx...")


def test_spans():
    assert spans(LABELS).tolist() == [[2, 6], [10, 12], [15, 16]]
    assert spans(marks("...")).shape == (0, 2)


@given(st.lists(st.booleans(), max_size=40))
def test_spans_are_the_marks(values):
    rebuilt = np.zeros(len(values), bool)
    for start, stop in spans(np.array(values, dtype=bool)):
        rebuilt[start:stop] = True
    assert rebuilt.tolist() == values


def test_events_touched_are_found():
    assert event_recall(FLAGS, LABELS) == pytest.approx(2 / 3)
    assert np.isnan(event_recall(FLAGS, marks("." * 16)))


def test_detection_takes_until_the_first_flag_within():
    np.testing.assert_equal(time_to_detection(FLAGS, LABELS), [0.0, 1.0, np.nan])
    times = 60.0 * np.arange(16)
    np.testing.assert_equal(time_to_detection(FLAGS, LABELS, times), [0.0, 60.0, np.nan])


def test_range_recall_by_hand():
    """Of 4 steps 2 flagged, in 2 pieces; of 2 steps 1, in one; of the last none."""
    assert range_recall(FLAGS, LABELS) == pytest.approx((2 / 4 / 2 + 1 / 2 + 0) / 3)
    touched = ((0.5 + 0.5 * 0.25) + (0.5 + 0.5 * 0.5) + 0) / 3
    assert range_recall(FLAGS, LABELS, existence=0.5) == pytest.approx(touched)


def test_range_precision_by_hand():
    assert range_precision(FLAGS, LABELS) == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert np.isnan(range_precision(marks("...."), marks(".xx.")))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_flagging_exactly_the_events_is_perfect(rows):
    labels = np.array([label for _, label in rows])
    if labels.any():
        assert (range_recall(labels, labels), range_precision(labels, labels)) == (1.0, 1.0)
        assert time_to_detection(labels, labels).sum() == 0
    flags = np.array([flag for flag, _ in rows])
    if flags.any() and labels.any():
        assert 0 <= range_recall(flags, labels) <= event_recall(flags, labels)
