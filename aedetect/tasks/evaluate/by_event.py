"""How good verdicts on time series are, by events: found or missed, how soon, how much of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.evaluate.metrics.at_threshold import share_interval
from aedetect.tasks.evaluate.metrics.ranges import (
    Spans,
    event_recall,
    range_precision,
    range_recall,
    spans,
    time_to_detection,
)
from aedetect.tasks.evaluate.metrics.ranking import Interval
from aedetect.tasks.evaluate.metrics.vus import USUAL_PERIOD, period, vus_pr

_DAY = 86_400.0


@dataclass(frozen=True)
class SeriesFigures:
    """Scores by event, over all series.

    `events` are labelled ranges of a series, `caught` those with a flagged row. Delays in seconds from the
    start of a caught event to its first flagged row. `alarms`: events found by the model, of which
    `false` have no row within a window of a label; `days`: how long the series run, without labels.
    `away`: normal rows farther than a window from any label, `away_flagged` of them flagged. Range-based
    precision and recall after Tatbul et al. (2018); `vus_pr` is the mean over series with an event, its
    tolerance `tolerance` steps; None where there is nothing to measure. Unless `causal`, a row may be
    flagged for what comes after it: delays are then those of hindsight.
    """

    series: int
    events: int
    caught: int
    median_delay: float | None
    longest_delay: float | None
    alarms: int
    false: int
    days: float
    range_precision: float | None
    range_recall: float | None
    vus_pr: float | None
    tolerance: int
    window: int
    away: int
    away_flagged: int
    causal: bool

    @property
    def recall(self) -> Interval:
        return share_interval(self.caught, self.events)

    @property
    def away_rate(self) -> Interval:
        return share_interval(self.away_flagged, self.away)

    def as_dict(self) -> dict[str, Any]:
        figures = asdict(self)
        recall = self.recall
        figures["event_recall"] = None if math.isnan(recall.value) else {
            "value": recall.value, "low": recall.low, "high": recall.high
        }  # fmt: skip
        figures["false_events_a_day"] = self.false / self.days if self.days > 0 else None
        return figures


def series_figures(session: SeriesSession, labels: Mask, labelled: Mask) -> SeriesFigures:
    """Figures of all that `session` has judged; `labels` and `labelled` [rows], whether a row has a label.

    Rows without a label or a time are left out; those without a score count as not flagged, and for
    VUS-PR as the least strange.
    """
    window = session.window
    delays: list[Floats] = []
    caught = events = false = alarms = away = away_flagged = found_series = 0
    seconds = 0.0
    weighted: dict[str, list[tuple[float, int]]] = {"precision": [], "recall": []}
    surfaces: list[float] = []
    tolerance = _tolerance(session, labelled)
    for rows in _by_series(session, labelled):
        found_series += 1
        marks, flags, times = labels[rows], session.flagged[rows], session.seconds[rows]
        near = _near(marks, window)
        own = spans(marks)
        if len(own):
            events += len(own)
            caught += round(event_recall(flags, marks) * len(own))
            delays.append(time_to_detection(flags, marks, times))
            weighted["recall"].append((range_recall(flags, marks), len(own)))
            scores = session.scores[rows]
            known = scores[np.isfinite(scores)]
            if len(known):
                least, most = float(known.min()), float(known.max())
                surfaces.append(vus_pr(np.nan_to_num(scores, nan=least, posinf=most), marks, tolerance))
        runs = spans(flags)
        if len(runs):
            weighted["precision"].append((range_precision(flags, marks), len(runs)))
        numbers = session.event_of[rows]
        mine = np.unique(numbers[numbers > 0])
        alarms += len(mine)
        false += len(np.setdiff1d(mine, numbers[near & flags]))
        calm = ~near & np.isfinite(session.scores[rows])
        away += int(calm.sum())
        away_flagged += int((calm & flags).sum())
        steps = np.diff(times, append=times[-1:])
        seconds += float(np.minimum(steps, session.step * 3)[~marks].sum())
    delay = np.concatenate([np.empty(0), *delays])
    delay = delay[~np.isnan(delay)]
    return SeriesFigures(
        found_series,
        events,
        caught,
        float(np.median(delay)) if len(delay) else None,
        float(delay.max()) if len(delay) else None,
        alarms,
        false,
        seconds / _DAY,
        _mean(weighted["precision"]),
        _mean(weighted["recall"]),
        float(np.mean(surfaces)) if surfaces else None,
        tolerance,
        window,
        away,
        away_flagged,
        session.causal,
    )


def _by_series(session: SeriesSession, labelled: Mask) -> Iterator[Integers]:
    """The rows of each series in the order of time, those with a label and a time."""
    usable = np.flatnonzero(labelled & ~np.isnan(session.seconds))
    order = usable[np.lexsort((session.seconds[usable], session.series[usable]))]
    owners = session.series[order]
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(owners)) + 1)


def _near(marks: Mask, window: int) -> Mask:
    """Rows at most a window away from a labelled one: they share windows with it; [rows]."""
    near = np.zeros(len(marks), dtype=np.bool_)
    ranges: Spans = spans(marks)
    for start, stop in ranges.tolist():
        near[max(start - window, 0) : stop + window] = True
    return near


def _tolerance(session: SeriesSession, labelled: Mask) -> int:
    """The benchmark's tolerance, in steps: the period of the first channel, of the first series by name."""
    assert session.kept is not None
    each = list(_by_series(session, labelled))
    rows = (
        min(each, key=lambda rows: session.names[session.series[rows[0]]]) if each else np.empty(0, np.int64)
    )
    values = session.kept.rows.values[rows][:, :1].astype(np.float64)
    if not values.size:
        return USUAL_PERIOD
    known = values[~np.isnan(values)]
    return period(np.nan_to_num(values[:, 0], nan=float(known.mean()) if len(known) else 0.0))


def _mean(parts: list[tuple[float, int]]) -> float | None:
    total = sum(count for _, count in parts)
    return sum(value * count for value, count in parts) / total if total else None
