"""Scores on a time series against labelled events: found or missed, how soon, how much of each."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask

Spans = Integers


def spans(marks: Mask) -> Spans:
    """Runs of true values in `marks` [steps], as [events, 2]: first step, and the one after the last."""
    edges = np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)


def event_recall(flags: Mask, labels: Mask) -> float:
    """Share of the labelled events with at least one flagged step; NaN where there are none."""
    events = spans(labels)
    return float(_flagged_within(flags, events).astype(bool).mean()) if len(events) else float("nan")


def time_to_detection(flags: Mask, labels: Mask, times: Floats | None = None) -> Floats:
    """For each labelled event, the time from its start to its first flagged step; [events].

    In steps, or in the unit of `times` [steps]. NaN for an event that was missed.
    """
    moments = np.arange(len(flags), dtype=np.float64) if times is None else times
    delays = []
    for start, stop in spans(labels):
        within = np.flatnonzero(flags[start:stop])
        delays.append(moments[start + within[0]] - moments[start] if len(within) else np.nan)
    return np.array(delays, dtype=np.float64)


def range_recall(flags: Mask, labels: Mask, existence: float = 0.0) -> float:
    """Range-based recall (Tatbul et al., 2018), without positional bias; NaN without labelled events.

    Each labelled event is worth `existence` for being touched at all, and the rest for the share
    of it that is flagged, divided by the number of pieces that the flags cut it into.
    """
    return _range_reward(spans(labels), flags, existence)


def range_precision(flags: Mask, labels: Mask) -> float:
    """Range-based precision (Tatbul et al., 2018), without positional bias; NaN where nothing is flagged."""
    return _range_reward(spans(flags), labels, 0.0)


def _range_reward(ranges: Spans, marks: Mask, existence: float) -> float:
    if not len(ranges):
        return float("nan")
    covered = _flagged_within(marks, ranges)
    # A run of marks counts as a piece of the range in which it begins, or which it enters from the left.
    begins = marks & ~np.concatenate([[False], marks[:-1]])
    pieces = _flagged_within(begins, ranges) + (marks[ranges[:, 0]] & ~begins[ranges[:, 0]])
    overlap = covered / (ranges[:, 1] - ranges[:, 0]) / np.maximum(pieces, 1)
    return float((existence * (covered > 0) + (1 - existence) * overlap).mean())


def _flagged_within(flags: Mask, ranges: Spans) -> Spans:
    total = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(total[ranges[:, 1]] - total[ranges[:, 0]])
