"""Alarms of series, with what is carried over from one run to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np

from aedetect.config import SeriesConfig
from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.calendar import local_seconds
from aedetect.data.series.context import AlarmState, LastingState
from aedetect.models.ensemble import window_scores
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.scoring.alarms import SHORT_STEPS, AlarmRule, Alarms, Standing, log_scores
from aedetect.scoring.beside import least_beside
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.lasting import Lasting, Shown
from aedetect.scoring.locality import StepScores
from aedetect.scoring.reminders import LastAlarm
from aedetect.scoring.row_scores import largest_around, least_over_rows, row_scores
from aedetect.scoring.scale_shares import CALENDAR, LONG, SHORT, STEP
from aedetect.scoring.step_deviation import alone_cells, step_deviations, step_scores
from aedetect.scoring.tracking import Level


@dataclass(frozen=True)
class SegmentScores:
    """Scores of the steps of a segment.

    `raw` [steps]: unscaled, of long windows; NaN where there is none. `by_scale`: logarithms, of all
    scales; empty for models without.
    """

    raw: Floats
    by_scale: Mapping[str, StepScores]

    def without_first(self, steps: int) -> SegmentScores:
        """With the first `steps` unknown, and those that are unknown to the long windows."""
        raw = self.raw.copy()
        raw[:steps] = np.nan
        unknown = np.isnan(raw)
        return SegmentScores(raw, {name: part.without(unknown) for name, part in self.by_scale.items()})


def step_scores_of(score: Floats, windows: Floats, window: int, causal: bool) -> StepScores:
    """Logarithms of the scores of steps [steps], beside what their windows [windows] say, by their starts."""
    least = least_over_rows(windows, window, causal)
    around = least if causal else largest_around(least, window - 1)
    return StepScores(log_scores(score), log_scores(least), log_scores(around))


def window_step_scores(windows: Floats, window: int, settings: SeriesConfig) -> StepScores:
    """Logarithms of scores of steps, from those of the windows [windows] of a segment by their starts."""
    score = row_scores(windows, window, settings.causal, settings.smoothing)
    return step_scores_of(score, windows, window, settings.causal)


def long_scores(fitted: FittedModel, segment: Matrix, window: int) -> tuple[Floats, Floats]:
    """Unscaled scores of the steps [steps] and of the windows [windows] of a segment [steps, channels].

    Call it within `models.threads.single_threaded`.
    """
    settings = fitted.config.series
    if len(segment) < window:
        return np.full(len(segment), np.nan), np.empty(0)
    windows = window_scores(fitted.members, segment, window, fitted.device)
    return row_scores(windows, window, settings.causal, settings.smoothing), windows


@dataclass(frozen=True)
class ScaleScores:
    """Scores of the steps of a segment before any alert rate is asked: what all rates have in common.

    `raw` [steps]: as of `SegmentScores`. `by_scale`: logarithms, empty for models without. `segment`
    [steps, channels]: as the windows of the scales see it.
    """

    raw: Floats
    by_scale: Mapping[str, StepScores]
    segment: Matrix

    def at(self, fitted: FittedModel) -> SegmentScores:
        """The scores at the alert rate of a model, which must be the one they are of at this or another rate.

        Possible alarms of a scale of windows are also judged without what could be alarms of the others.
        Call it within `models.threads.single_threaded`.
        """
        alarms = fitted.series.alarms if fitted.series else None
        if alarms is None or not len(self.segment):
            return SegmentScores(self.raw, self.by_scale)
        by_scale = {name: scores for name, scores in self.by_scale.items() if name != LONG}
        if alarms.short:
            # All their windows near an end hold what is odd there; elsewhere they tell where it begins.
            count = len(self.segment)
            near = np.r_[0 : min(SHORT_STEPS, count), max(count - SHORT_STEPS, 0) : count]
            by_scale[SHORT] = _without_odd(fitted, alarms.short, self.segment, by_scale, SHORT, near)
        by_scale[LONG] = self.by_scale[LONG]
        by_scale[LONG] = _without_odd(fitted, fitted.members, self.segment, by_scale, LONG)
        return SegmentScores(self.raw, by_scale)


def segment_scores(fitted: FittedModel, segment: Matrix, seconds: Floats, window: int) -> SegmentScores:
    """Scores of a segment [steps, channels] at `seconds` [steps]; unknown where it is shorter than a window.

    The one rule from windows to scores of rows: calibrating and scoring use it. Call it within
    `models.threads.single_threaded`.
    """
    return scale_scores(fitted, segment, seconds, window).at(fitted)


def scale_scores(fitted: FittedModel, segment: Matrix, seconds: Floats, window: int) -> ScaleScores:
    """The same before an alert rate is asked."""
    settings, alarms = fitted.config.series, fitted.series.alarms if fitted.series else None
    raw, windows = long_scores(fitted, segment, window)
    if alarms is None:
        return ScaleScores(raw, {}, segment)
    if len(segment) < window:
        unknown = dict.fromkeys((LONG, *alarms.scales), StepScores(raw, raw, raw))
        return ScaleScores(raw, unknown, segment[:0])
    deviations = step_deviations(segment, settings.causal)
    steps = step_scores(deviations, alarms.usual)
    by_scale = {STEP: StepScores(steps, steps, steps)}
    long, normal = raw, alarms.scales[STEP].calibration
    alone = alone_cells(segment, deviations, alarms.usual, normal, settings.causal)
    if alone.any():
        # Their own step tells; windows tell of the steps beside them.
        segment = np.where(alone, np.float32(np.nan), segment)
        long, windows = long_scores(fitted, segment, window)
    if alarms.short:
        of_short = window_scores(alarms.short, segment, SHORT_STEPS, fitted.device)
        by_scale[SHORT] = window_step_scores(of_short, SHORT_STEPS, settings)
    if alarms.calendar is not None and fitted.series is not None:
        local = local_seconds(seconds, fitted.series.state.clock.zone)
        of_calendar = alarms.calendar.window_scores(segment, local)
        by_scale[CALENDAR] = window_step_scores(of_calendar, alarms.calendar.span, settings)
    by_scale[LONG] = step_scores_of(long, windows, window, settings.causal)
    return ScaleScores(raw, by_scale, segment)


def _without_odd(
    fitted: FittedModel,
    models: Sequence[WindowEvaluation],
    segment: Matrix,
    by_scale: Mapping[str, StepScores],
    name: str,
    places: Integers | slice = slice(None),
) -> StepScores:
    """The scores of a scale of windows; possible alarms at `places` are also judged without odd steps.

    Odd is what could be an alarm of the other scales. Causal windows are left as they are.
    """
    rule, scores = fitted.alarm_rule, by_scale[name]
    if rule is None or fitted.config.series.causal:
        return scores
    odd = np.any([rule.exceeds(other, each) for other, each in by_scale.items() if other != name], axis=0)
    asked = np.zeros(len(odd), np.bool_)
    asked[places] = (rule.exceeds(name, scores) & ~odd)[places]
    if not asked.any() or not all(model.takes_missing for model in models):
        return scores
    beside = least_beside(models, segment, asked, odd, fitted.device)
    return replace(scores, least=np.fmin(scores.least, log_scores(beside)))


class AlarmTracks:
    """Alarms of the segments of all series, and where their levels stood at any time.

    Series by their numbers; segments are given in the order of time. `begin`: where earlier runs
    left series; what lies before is not judged again.
    """

    def __init__(self, rule: AlarmRule, begin: Mapping[int, AlarmState]):
        self._rule = rule
        self._begin = begin
        self._standing: dict[int, Standing] = {}
        self._judged: dict[int, list[tuple[Floats, Mapping[str, StepScores]]]] = {}

    def judge(self, series: int, seconds: Floats, scores: Mapping[str, StepScores]) -> Alarms:
        """Alarms among the steps of a segment, which are at `seconds` [steps] since 1970."""
        state = self._begin.get(series, AlarmState())
        first = int(np.searchsorted(seconds, state.until, side="right"))
        judged = {name: part.part(slice(first, None)) for name, part in scores.items()}
        alarms = self._rule.judge(judged, self._standing.get(series, _standing_of(state)))
        self._standing[series] = alarms.standing
        self._judged.setdefault(series, []).append((seconds[first:], judged))
        return alarms.after_unjudged(first)

    def state_at(self, series: int, until: float) -> AlarmState:
        """Where the alarms of a series stood after its last step that is not after `until`."""
        state = self._begin.get(series, AlarmState())
        standing = _standing_of(state)
        for seconds, scores in self._judged.get(series, []):
            steps = slice(0, int(np.searchsorted(seconds, until, side="right")))
            part = {name: each.part(steps) for name, each in scores.items()}
            standing = self._rule.judge(part, standing).standing
        stated = {name: astuple(level) for name, level in standing.levels.items()}
        lasting = _stated_of(standing.lasting)
        return replace(
            state, levels=stated, last=astuple(standing.last), lasting=lasting, until=max(until, state.until)
        )


def _standing_of(state: AlarmState) -> Standing:
    levels = {name: Level(*stated) for name, stated in state.levels.items()}
    return Standing(levels, LastAlarm(*state.last), _lasting_of(state))


def _stated_of(lasting: Lasting) -> LastingState | None:
    if not lasting.goes_on:
        return None
    shown = {name: astuple(each) for name, each in lasting.shown.items()}
    return LastingState(lasting.began, lasting.quiet, lasting.floors, shown)


def _lasting_of(state: AlarmState) -> Lasting:
    if state.lasting is None:
        return Lasting()
    began, quiet, floors, shown = astuple(state.lasting)
    return Lasting(began, quiet, floors, {name: Shown(*each) for name, each in shown.items()})
