"""From scores at several scales of time to alarms: one joint p-value, local, and true to the rate asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.models.device import on_host
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.scoring.calendar_scale import CalendarModel
from aedetect.scoring.calibration import Calibration, without_highest
from aedetect.scoring.lasting import Lasting, Patience, hold
from aedetect.scoring.locality import Locality, StepScores
from aedetect.scoring.reminders import LastAlarm, remind
from aedetect.scoring.scale_shares import CALENDAR, LONG, SHORT, STEP, scales_stored, shares_of
from aedetect.scoring.step_deviation import NEIGHBOURS
from aedetect.scoring.tracking import Level, Pace, track

_Part = TypeVar("_Part", "StepScores", "_Marked")
# Steps of a short window; long ones that are hardly longer need none beside them.
SHORT_STEPS, _LEAST_LONG = 16, 24


@dataclass(frozen=True)
class _Manner:
    """How alarms of a scale come and go.

    Its level moves up by `rise` spreads with each flagged step, or by the share `approach` of the way to the
    score; down by `fall` spreads with each other step, `forget` where scores are as learned. Above a raised
    level, alarms begin beyond `margin` spreads.
    """

    rise: float
    approach: float
    fall: float
    forget: float
    margin: float


_MANNERS = {
    LONG: _Manner(rise=0.09, approach=0.12, fall=7.5e-5, forget=1.5e-3, margin=0.0),
    SHORT: _Manner(rise=0.017, approach=0.0, fall=3e-5, forget=3e-5, margin=0.1),
    STEP: _Manner(rise=0.06, approach=0.0, fall=5e-5, forget=5e-5, margin=0.0),
    CALENDAR: _Manner(rise=0.017, approach=0.0, fall=3e-5, forget=3e-5, margin=0.1),
}
# Alarms are clear beyond so many spreads.
_CLEAR = 1.0
# The rises are those of this many steps to adapt to what is new.
USUAL_ADAPT = 64
_LEAST_SPREAD = 0.05
_LEAST_SCORE = 1e-12


def log_scores(scores: Floats) -> Floats:
    """Natural logarithms of scores (any shape); NaN stays NaN."""
    return np.asarray(np.log(np.maximum(scores, _LEAST_SCORE)))


@dataclass(frozen=True)
class TimeScale:
    """Scores of one scale on held-out normal time. All are logarithms.

    `calibration`: those of steps; `locality`: which of them are off themselves; `spread`: from the tenth to
    the ninetieth hundredth of the windows' scores. `hold`: for so many steps an alarm may last, and levels
    adapt no faster.
    """

    calibration: Calibration
    locality: Locality
    spread: float
    hold: float = 0.0

    @classmethod
    def of(
        cls, held_out: Sequence[StepScores], windows: Floats, left_out: float, hold: float = 0.0
    ) -> TimeScale:
        """From spans of held-out steps, and all held-out windows' scores [windows]; logarithms, no NaN.

        `left_out`: the share of the steps, those of the highest scores, that are taken for anomalies.
        """
        spread = float(np.subtract(*np.quantile(windows, [0.9, 0.1])))
        scores = without_highest(np.concatenate([part.score for part in held_out]), left_out)
        return cls(Calibration(scores), Locality.of(held_out), max(spread, _LEAST_SPREAD), hold)

    def recalibrated(self, held_out: Sequence[StepScores]) -> TimeScale:
        """This scale with the scores of other normal steps; how far windows spread stays."""
        scores = np.sort(np.concatenate([part.score for part in held_out]))
        return TimeScale(Calibration(scores), Locality.of(held_out), self.spread, self.hold)

    def pace(self, name: str, adapt: float | None, refill: float) -> Pace:
        """How fast its level moves where `adapt` steps of alarms are allowed for; not at all with None.

        `refill`: how many more each other step makes up for.
        """
        if adapt is None:
            return Pace(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        adapt = max(adapt, self.hold)
        manner = _MANNERS[name]
        unit = USUAL_ADAPT / adapt * self.spread
        approach = min(manner.approach * USUAL_ADAPT / adapt, 1.0)
        moves = (manner.rise * unit, approach, manner.fall * unit, manner.forget * unit)
        return Pace(*moves, manner.margin * self.spread, _CLEAR * self.spread, adapt, refill)


@dataclass(frozen=True)
class Standing:
    """Where alarms stand after a step: the levels by scale, how long ago the last alarm was, what lasts."""

    levels: Mapping[str, Level] = field(default_factory=dict)
    last: LastAlarm = field(default_factory=LastAlarm)
    lasting: Lasting = field(default_factory=Lasting)


@dataclass(frozen=True)
class Alarms:
    """What is said of the steps of one segment; [steps] each.

    `silenced`: steps that would be flagged, had the series not been like that for long already.
    `continued`: flagged steps that are of the alarm before. `standing`: after the last step. `adopted`: the
    steps from which on an event that lasted counts as normal, as was asked for, and how many steps it had
    lasted by then.
    """

    p_values: Floats
    flagged: Mask
    silenced: Mask
    continued: Mask
    standing: Standing
    adopted: Mapping[int, float] = field(default_factory=dict)

    def after_unjudged(self, steps: int) -> Alarms:
        """These, after so many steps of which nothing is said."""
        nothing = np.zeros(steps, dtype=np.bool_)
        return Alarms(
            np.r_[np.full(steps, np.nan), self.p_values],
            np.r_[nothing, self.flagged],
            np.r_[nothing, self.silenced],
            np.r_[nothing, self.continued],
            self.standing,
            {step + steps: lasted for step, lasted in self.adopted.items()},
        )


@dataclass(frozen=True)
class _Marked:
    """Of one scale, which steps [steps] are off themselves, and what they exceed its learned threshold by."""

    local: Mask
    excess: Floats

    def part(self, which: slice) -> _Marked:
        return _Marked(self.local[which], self.excess[which])


@dataclass(frozen=True)
class _Tracks:
    """What the levels of all scales come to, [steps] each; by scale, `limits` as those of `Tracked`, and
    `said`: which steps may be of an alarm of it."""

    p_values: Floats
    flagged: Mask
    silenced: Mask
    limits: Mapping[str, Floats]
    said: Mapping[str, Mask]
    levels: Mapping[str, Level]


@dataclass(frozen=True)
class AlarmRule:
    """The scales of a model by name, at an alert rate.

    `adapt`: steps to adapt in, None for never. `patience`: for how long an event is held before what it shows
    counts as normal; None where it is not held, but what it shows is adapted to.
    """

    scales: Mapping[str, TimeScale]
    rate: float
    adapt: float | None
    patience: Patience | None = None

    def judge(self, scores: Mapping[str, StepScores], begin: Standing) -> Alarms:
        """Alarms among the steps of a segment, from their `scores` by scale; NaN where unknown.

        A step is flagged where its joint p-value is at most the rate: the smallest of the scales', each
        divided by its share. Single steps beside alarms of windows differ from those in them, which is no
        alarm. What is silenced for long is flagged again now and then, or, with `patience`, held until it has
        lasted for so long. `begin`: after what went before.
        """
        marked = {}
        for name, _ in self.shares():
            with np.errstate(invalid="ignore"):
                local = self.scales[name].locality.marks(scores[name])
                marked[name] = _Marked(local, scores[name].score - self.learned_threshold(name))
        if self.patience is not None:
            return self._held(scores, marked, begin, self.patience)
        tracks = self._tracked(scores, marked, begin.levels)
        flagged, silenced = tracks.flagged, tracks.silenced
        if self.adapt is None:
            none = np.zeros_like(flagged)
            return Alarms(tracks.p_values, flagged, silenced, none, Standing(tracks.levels))
        again = remind(flagged, silenced, begin.last, self.adapt)
        p_values = np.where(again.flagged, self._as_learned(scores, again.flagged), tracks.p_values)
        standing = Standing(tracks.levels, again.last)
        return Alarms(p_values, flagged | again.flagged, silenced & ~again.flagged, again.continued, standing)

    def _tracked(
        self, scores: Mapping[str, StepScores], marked: Mapping[str, _Marked], begin: Mapping[str, Level]
    ) -> _Tracks:
        """The alarms that follow from the levels alone, which are at `begin`, by scale."""
        some = next(iter(scores.values())).score
        p_values = np.where(np.isnan(some), np.nan, 1.0)
        flagged, silenced = np.zeros(len(some), np.bool_), np.zeros(len(some), np.bool_)
        levels, limits, said = {}, {}, {}
        for name, share in self.shares():
            scale, local, excess = self.scales[name], marked[name].local, marked[name].excess
            with np.errstate(invalid="ignore"):
                pace = scale.pace(name, self.adapt, self.rate * share)
                one = track(excess, local, begin.get(name, Level()), pace)
                silenced |= local & (excess > 0) & ~one.flagged
            levels[name], limits[name] = one.level, one.limits
            shifted = scale.calibration.p_values(scores[name].score - one.limits) / share
            said[name] = local & ~(_beside(flagged) if name == STEP else np.zeros(len(local), np.bool_))
            p_values = np.fmin(p_values, np.where(said[name], shifted, np.nan))
            flagged |= one.flagged & said[name]
        return _Tracks(p_values, flagged, silenced & ~flagged, limits, said, levels)

    def _held(
        self,
        scores: Mapping[str, StepScores],
        marked: Mapping[str, _Marked],
        begin: Standing,
        patience: Patience,
    ) -> Alarms:
        """Alarms that are held while what began them lasts, up to where it counts as normal."""
        steps, first, standing = len(next(iter(scores.values())).score), 0, begin
        p_values = np.full(steps, np.nan)
        flagged, silenced, continued = (np.zeros(steps, np.bool_) for _ in range(3))
        adopted: dict[int, float] = {}
        while True:
            rest, marks = _part(scores, slice(first, None)), _part(marked, slice(first, None))
            tracks = self._tracked(rest, marks, standing.levels)
            excess = {name: np.where(tracks.said[name], one.excess, np.nan) for name, one in marks.items()}
            held = hold(tracks.flagged, excess, tracks.limits, standing.lasting, patience)
            part = slice(first, first + len(held.flagged))
            flagged[part], continued[part] = held.flagged, held.continued
            p_values[part] = tracks.p_values[: len(held.flagged)]
            silenced[part] = tracks.silenced[: len(held.flagged)] & ~held.flagged
            if held.adopted is None:
                standing = Standing(tracks.levels, lasting=held.lasting)
                break
            before = slice(0, held.adopted)
            levels = self._tracked(_part(rest, before), _part(marks, before), standing.levels).levels
            standing = Standing(held.lasting.raised(levels))
            first += held.adopted
            adopted[first] = held.lasting.began
        flagged_p_values = self._as_learned(scores, flagged)
        p_values = np.where(flagged, np.fmin(p_values, flagged_p_values), p_values)
        return Alarms(p_values, flagged, silenced, continued, standing, adopted)

    def _as_learned(self, scores: Mapping[str, StepScores], which: Mask) -> Floats:
        """Joint p-values [steps] of `which` steps [steps] had no level been raised; 1 for the others."""
        p_values = np.ones(len(which))
        for name, share in self.shares():
            exceeding = which & self.exceeds(name, scores[name])
            learned = self.scales[name].calibration.p_values(scores[name].score[exceeding]) / share
            p_values[exceeding] = np.fmin(p_values[exceeding], learned)
        return p_values

    def learned_threshold(self, name: str) -> float:
        """The logarithm of a score that a scale's steps have to exceed where its level was not raised."""
        return self.scales[name].calibration.threshold(self.rate * dict(self.shares())[name])

    def exceeds(self, name: str, scores: StepScores) -> Mask:
        """Which steps [steps] are off themselves, and by scores above the learned threshold of a scale."""
        with np.errstate(invalid="ignore"):
            return np.asarray(
                self.scales[name].locality.marks(scores) & (scores.score > self.learned_threshold(name))
            )

    def shares(self) -> Iterator[tuple[str, float]]:
        """Each scale, and what it takes of the rate; see `shares_of`."""
        return shares_of(self.scales)


def _part(by_scale: Mapping[str, _Part], which: slice) -> dict[str, _Part]:
    """What there is of some steps, by scale."""
    return {name: one.part(which) for name, one in by_scale.items()}


def _beside(flagged: Mask) -> Mask:
    """Which steps [steps] are within half of what a single one is compared with of those flagged."""
    if not len(flagged):
        return flagged
    reach = np.ones(2 * (NEIGHBOURS // 2) + 1)
    return np.asarray(np.convolve(flagged, reach, "full")[NEIGHBOURS // 2 :][: len(flagged)] > 0)


@dataclass(frozen=True)
class AlarmParts:
    """What a model has beside its long windows to raise alarms by.

    `short`: autoencoders of short windows, none where long ones are short; `usual` [channels]: see
    `step_deviation`. `scales`: SHORT, STEP and CALENDAR; `long_locality` and `long_spread`: see `TimeScale`.
    `calendar`: None where none was learned.
    """

    short: Sequence[WindowEvaluation]
    usual: Floats
    scales: Mapping[str, TimeScale]
    long_locality: Locality
    long_spread: float
    calendar: CalendarModel | None = None

    def with_long(self, calibration: Calibration) -> dict[str, TimeScale]:
        """All scales, with the calibration of long windows [rows], unscaled scores."""
        held_out = Calibration(log_scores(calibration.scores))
        return {LONG: TimeScale(held_out, self.long_locality, self.long_spread), **self.scales}

    @classmethod
    def of_tensors(
        cls, tensors: Mapping[str, np.ndarray[Any, Any]], short: Sequence[WindowEvaluation]
    ) -> AlarmParts:
        """From what `tensors` gave. Raises KeyError or ValueError where that is damaged."""
        names = scales_stored(tensors)
        limits = {name: tensors[f"series.{name}.limits"].tolist() for name in (LONG, *names)}
        scales = {}
        for name in names:
            held_out = Calibration(np.asarray(tensors[f"series.{name}.scores"], dtype=np.float64))
            clear, near, *rest = limits[name]
            scales[name] = TimeScale(held_out, Locality(clear, near), *rest)
        calendar = CalendarModel.of_tensors(tensors)
        clear, near, spread = limits[LONG]
        locality = Locality(clear, near)
        return cls(short, tensors["series.step.usual"], scales, locality, spread, calendar)

    def recalibrated(self, held_out: Mapping[str, Sequence[StepScores]]) -> AlarmParts:
        """These parts with the scores of other normal steps, by scale."""
        scales = {name: scale.recalibrated(held_out[name]) for name, scale in self.scales.items()}
        return replace(self, scales=scales, long_locality=Locality.of(held_out[LONG]))

    def tensors(self) -> dict[str, np.ndarray[Any, Any]]:
        """Under their names in the model file."""
        tensors: dict[str, np.ndarray[Any, Any]] = {
            "series.step.usual": self.usual,
            "series.long.limits": np.array([*astuple(self.long_locality), self.long_spread]),
        }
        for name, scale in self.scales.items():
            tensors[f"series.{name}.scores"] = scale.calibration.scores.astype(np.float32)
            tensors[f"series.{name}.limits"] = np.array([*astuple(scale.locality), scale.spread, scale.hold])
        if self.calendar is not None:
            tensors |= self.calendar.tensors()
        for index, model in enumerate(self.short):
            for name, values in model.arrays.values.items():
                tensors[f"series.short.{index}.{name}"] = on_host(values)
        return tensors


def short_steps(window: int) -> int | None:
    """Steps of the short windows beside long ones of `window` steps; None where these need none."""
    return SHORT_STEPS if window >= _LEAST_LONG else None
