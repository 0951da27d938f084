"""How good scores of time series are, by events: found or missed, how soon, how much of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.series.readings import any_of
from aedetect.scoring.timed_rows import TimedRows
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
from aedetect.tasks.evaluate.metrics.vus import USUAL_TOLERANCE, benchmark_tolerance, vus_pr

_DAY = 86_400.0


@dataclass(frozen=True)
class EventFigures:
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


@dataclass(frozen=True)
class _OneSeries:
    """What is counted of one series; `runs`: its stretches of flagged rows. See EventFigures."""

    events: int
    caught: int
    delays: Floats
    range_recall: float
    runs: int
    range_precision: float
    surface: float | None
    alarms: int
    false: int
    away: int
    away_flagged: int
    seconds: float


@dataclass(frozen=True)
class _Judged:
    """Of rows [rows] that stand for an instant, which in long tables are several: their scores, whether one
    of them is labelled an anomaly, or flagged, and the number of its event."""

    scores: Floats
    marks: Mask
    flags: Mask
    numbers: Integers


@dataclass(frozen=True)
class RowVerdicts:
    """What a model says of rows [rows]: scores, NaN where there is none, flags, numbers of events or 0."""

    scores: Floats
    flagged: Mask
    events: Integers


def event_figures(rows: TimedRows, verdicts: RowVerdicts, labels: Mask, labelled: Mask) -> EventFigures:
    """Figures of all `rows`; `labels` and `labelled` [rows], whether a row has a label.

    Rows without a label or a time are left out; those without a score count as not flagged, and for
    VUS-PR as the least strange.
    """
    standing, flagged = rows.standing, verdicts.flagged
    numbers = np.zeros(len(labels), dtype=np.int64)
    numbers[standing[flagged]] = verdicts.events[flagged]
    judged = _Judged(verdicts.scores, any_of(standing, labels & labelled), any_of(standing, flagged), numbers)
    labelled = any_of(standing, labelled)
    tolerance = _tolerance(rows, labelled)
    each = [_of_series(rows, judged, those, tolerance) for those in _by_series(rows, labelled)]
    delays = np.concatenate([np.empty(0), *(one.delays for one in each)])
    delays = delays[~np.isnan(delays)]
    surfaces = [one.surface for one in each if one.surface is not None]
    return EventFigures(
        len(each),
        sum(one.events for one in each),
        sum(one.caught for one in each),
        float(np.median(delays)) if len(delays) else None,
        float(delays.max()) if len(delays) else None,
        sum(one.alarms for one in each),
        sum(one.false for one in each),
        sum(one.seconds for one in each) / _DAY,
        _mean([(one.range_precision, one.runs) for one in each]),
        _mean([(one.range_recall, one.events) for one in each]),
        float(np.mean(surfaces)) if surfaces else None,
        tolerance,
        rows.window,
        sum(one.away for one in each),
        sum(one.away_flagged for one in each),
        rows.causal,
    )


def _of_series(read: TimedRows, judged: _Judged, rows: Integers, tolerance: int) -> _OneSeries:
    """Of the series whose rows, in the order of time, are `rows`."""
    marks, flags, times = judged.marks[rows], judged.flags[rows], read.seconds[rows]
    events, runs = spans(marks), spans(flags)
    near = _near(events, len(marks), read.window)
    numbers = judged.numbers[rows]
    alarms = np.unique(numbers[numbers > 0])
    calm = ~near & np.isfinite(judged.scores[rows])
    # A pause is no time in which the series could have raised an alarm.
    steps = np.minimum(np.diff(times, append=times[-1:]), read.step * 3)
    return _OneSeries(
        len(events),
        round(event_recall(flags, marks) * len(events)) if len(events) else 0,
        time_to_detection(flags, marks, times),
        range_recall(flags, marks),
        len(runs),
        range_precision(flags, marks),
        _surface(judged.scores[rows], marks, tolerance),
        len(alarms),
        len(np.setdiff1d(alarms, numbers[near & flags])),
        int(calm.sum()),
        int((calm & flags).sum()),
        float(steps[~marks].sum()),
    )


def _surface(scores: Floats, marks: Mask, tolerance: int) -> float | None:
    known = scores[np.isfinite(scores)]
    if not (marks.any() and len(known)):
        return None
    return vus_pr(np.nan_to_num(scores, nan=float(known.min()), posinf=float(known.max())), marks, tolerance)


def _by_series(rows: TimedRows, labelled: Mask) -> Iterator[Integers]:
    """The rows of each series in the order of time, those with a label and a time."""
    usable = np.flatnonzero(labelled & ~np.isnan(rows.seconds))
    order = usable[np.lexsort((rows.seconds[usable], rows.series[usable]))]
    owners = rows.series[order]
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(owners)) + 1)


def _near(events: Spans, rows: int, window: int) -> Mask:
    """Which of so many rows lie at most a window away from an event: they share windows with it; [rows]."""
    near = np.zeros(rows, dtype=np.bool_)
    for start, stop in events.tolist():
        near[max(start - window, 0) : stop + window] = True
    return near


def _tolerance(read: TimedRows, labelled: Mask) -> int:
    """The benchmark's tolerance, in steps: by the first channel of the first series by name."""
    each = list(_by_series(read, labelled))
    if not each:
        return USUAL_TOLERANCE
    rows = min(each, key=lambda rows: read.names[read.series[rows[0]]])
    values = read.data.rows.values[rows][:, :1].astype(np.float64)
    if not values.size:
        return USUAL_TOLERANCE
    known = values[~np.isnan(values)]
    return benchmark_tolerance(np.nan_to_num(values[:, 0], nan=float(known.mean()) if len(known) else 0.0))


def _mean(weighted: Sequence[tuple[float, int]]) -> float | None:
    """The mean of values by their weights; those without weight may be NaN."""
    total = sum(weight for _, weight in weighted)
    return sum(value * weight for value, weight in weighted if weight) / total if total else None
