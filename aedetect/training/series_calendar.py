"""Learning what is usual at a place in the day or the week, and how far normal time lies from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aedetect.config import SeriesConfig
from aedetect.data.arrays import Matrix
from aedetect.data.series.calendar import DAY, WEEK, clock_changes, local_seconds
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock
from aedetect.data.series.window_length import USUAL_WINDOW
from aedetect.scoring.alarms import TimeScale, log_scores
from aedetect.scoring.calendar_scale import LearnedCalendar, fit_calendar
from aedetect.scoring.series_alarms import window_step_scores
from aedetect.training.request import TrainingRun


def learn_calendar(
    run: TrainingRun, clock: Clock, timeline: Timeline, step: float, segments: Sequence[Matrix], window: int
) -> LearnedCalendar | None:
    """What the segments [steps, channels] of a timeline teach of the day and the week, or None.

    That of the week is said.
    """
    if clock.kind == "count":
        return None
    local = local_seconds(timeline.seconds, clock.zone)
    times = [local[part] for part in timeline.segments]
    calendar = fit_calendar(segments, times, timeline.series, step, window)
    if calendar is not None and calendar.model.bins.cycle == WEEK:
        run.callback.notice(
            "rows are also compared with the usual for their time of the week "
            f"(learned from {calendar.cycles} weeks)"
        )
    return calendar


def follows_the_clock(clock: Clock, timeline: Timeline, step: float, segments: Sequence[Matrix]) -> bool:
    """Whether the segments [steps, channels] go by the clock on the wall, where that is moved twice a year.

    So do days, and what has a rhythm of the day or the week.
    """
    if clock.kind == "count" or not clock_changes(timeline.seconds, clock.zone):
        return False
    if step > DAY / 2:
        return True
    local = local_seconds(timeline.seconds, clock.zone)
    times = [local[part] for part in timeline.segments]
    return fit_calendar(segments, times, timeline.series, step, USUAL_WINDOW) is not None


def calendar_scale(calendar: LearnedCalendar, settings: SeriesConfig, left_out: float) -> TimeScale:
    """The scale of a calendar, from the scores of its held-out cycles; `left_out`: see `TimeScale.of`."""
    span = calendar.model.span
    held_out = []
    for windows in calendar.windows:
        if len(windows):
            scores = window_step_scores(windows, span, settings)
            held_out.append(scores.part(~np.isnan(scores.score)))
    windows = log_scores(np.concatenate(calendar.windows))
    return TimeScale.of(held_out, windows[~np.isnan(windows)], left_out, calendar.model.hold)
