"""What a series usually is at its place in the day or the week: a scale of time without a network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.calendar import DAY, WEEK, CycleBins

# What is learned must have been seen so often; cycles count of which half the bins are known.
_LEAST_CYCLES, _KNOWN = 3, 0.5
# The share of a channel's variance that the place in the cycle must explain, on held-out cycles; of the
# week, beyond what the place in the day explains.
_DAY_GAIN, _WEEK_GAIN = 0.2, 0.1
_MOST_FOLDS = 10
# Residuals are averaged over about so many seconds, at least so many steps.
_SPAN_SECONDS, _LEAST_SPAN = 7200.0, 3
# Alarms last up to so many seconds before they are taken for a new normal.
_HOLD_SECONDS = 1.5 * DAY
# What is usual is this quantile of residuals, of a bin and so many beside it; never less than such a share
# of the channel's.
_USUAL, _BESIDE, _LEAST_SHARE = 0.9, 2, 0.5
_LEAST_USUAL, _FLOOR = 1e-3, 0.01


@dataclass(frozen=True)
class CalendarModel:
    """What `channels` [used channels] usually are, by bins of a cycle: [bins, used channels] each.

    `expected`: their value; `usual`: how far the mean of `span` steps lies from it.
    """

    bins: CycleBins
    channels: Integers
    expected: Floats
    usual: Floats
    span: int

    @property
    def hold(self) -> float:
        """For how many steps an alarm may last."""
        return _HOLD_SECONDS / self.bins.step

    def window_scores(self, segment: Matrix, local: Floats) -> Floats:
        """Scores of the windows of `span` steps of a segment [steps, channels], by their starts.

        `local`: when its steps are, by the local clock. The largest mean residual of a channel, in usual
        ones; NaN where unknown.
        """
        residuals = segment[:, self.channels] - self.bins.at(local, self.expected)
        return self._ratios(residuals, local)

    def _ratios(self, residuals: Floats, local: Floats) -> Floats:
        means, middles = _window_means(residuals, local, self.span)
        ratios = np.abs(means) / self.bins.at(middles, self.usual)
        unknown = np.isnan(ratios).all(axis=1)
        largest = np.where(np.isnan(ratios), 0.0, ratios).max(axis=1)
        return np.where(unknown, np.nan, largest + _FLOOR)

    def tensors(self) -> dict[str, np.ndarray[Any, Any]]:
        """Under their names in the model file."""
        return {
            "series.calendar.bins": np.array([self.bins.cycle, self.bins.step, self.span]),
            "series.calendar.channels": self.channels,
            "series.calendar.expected": self.expected,
            "series.calendar.usual": self.usual,
        }

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, np.ndarray[Any, Any]]) -> CalendarModel | None:
        """From what `tensors` gave; None where there is none."""
        if "series.calendar.bins" not in tensors:
            return None
        cycle, step, span = tensors["series.calendar.bins"].tolist()
        channels, expected, usual = (
            tensors[f"series.calendar.{name}"] for name in ("channels", "expected", "usual")
        )
        return cls(CycleBins(cycle, step), channels, expected, usual, int(span))


@dataclass(frozen=True)
class LearnedCalendar:
    """A model, held-out window scores of each segment [windows], and how many cycles it was learned from."""

    model: CalendarModel
    windows: Sequence[Floats]
    cycles: int


def fit_calendar(
    segments: Sequence[Matrix], local: Sequence[Floats], series: Integers, step: float, window: int
) -> LearnedCalendar | None:
    """Learn from segments [steps, channels] whose steps are at `local` [steps] seconds by the local clock.

    `series` [segments]: whose they are. `window`: the most steps that a score may be taken over. None
    where too few cycles were seen, or where the place in them explains too little.
    """
    values = np.concatenate(segments).astype(np.float64)
    times = np.concatenate(local)
    owners = np.repeat(series, [len(part) for part in segments])
    weeks = _Cycles.of(CycleBins(WEEK, step), values, times, owners)
    days = _Cycles.of(CycleBins(DAY, step), values, times, owners) if step < DAY / 2 else None
    if not values.shape[1] or (days is None and step > 1.5 * DAY):
        return None
    constant = np.broadcast_to(_quiet_median(values), values.shape)
    usual_errors = _mean_squares(values - constant)
    by_day = None if days is None else days.residuals(values, times)
    day_errors = usual_errors if by_day is None else _mean_squares(by_day)
    by_week = weeks.residuals(values, times)
    week_errors = np.full_like(usual_errors, np.inf) if by_week is None else _mean_squares(by_week)
    weekly = week_errors < (1 - _WEEK_GAIN) * np.minimum(day_errors, usual_errors)
    errors = np.where(weekly, week_errors, day_errors)
    channels = np.flatnonzero((usual_errors > 0) & (errors < (1 - _DAY_GAIN) * usual_errors))
    if not len(channels):
        return None
    of_week = weekly[channels]
    if by_week is not None and of_week.any():
        # The day of channels without a week, all week long.
        daily = weeks.expected if days is None else np.tile(days.expected, (7, 1))
        expected = np.where(weekly, weeks.expected, daily)
        rest = by_week if by_day is None else np.where(weekly, by_week, by_day)
        cycles, chosen = weeks.complete, weeks.bins
    else:
        assert days is not None
        assert by_day is not None
        expected, rest, cycles, chosen = days.expected, by_day, days.complete, days.bins
    span = min(max(_LEAST_SPAN, round(_SPAN_SECONDS / step)), window)
    ends = np.cumsum([len(part) for part in segments])[:-1]
    residuals = np.split(rest[:, channels], ends)
    usual = _usual(residuals, local, chosen, span)
    model = CalendarModel(chosen, channels, expected[:, channels], usual, span)
    windows = [model._ratios(part, when) for part, when in zip(residuals, local, strict=True)]
    return LearnedCalendar(model, windows, cycles)


@dataclass(frozen=True)
class _Cycles:
    """Means of cells by cycle and bin [cycles of series, bins, channels], NaN where unknown.

    `numbers` [cycles of series]: which cycles these are; `cycle_of` [steps]: that of each step.
    """

    bins: CycleBins
    means: Floats
    numbers: Integers
    cycle_of: Integers

    @classmethod
    def of(cls, bins: CycleBins, values: Floats, local: Floats, owners: Integers) -> _Cycles:
        """From cells [steps, channels] at `local` [steps] of series `owners` [steps]."""
        cycle_of, places = bins.of(local)
        pairs, rows = np.unique(np.stack([owners, cycle_of]), axis=1, return_inverse=True)
        cells = rows.reshape(-1) * bins.count + places
        known = ~np.isnan(values)
        size = pairs.shape[1] * bins.count
        means = np.full((size, values.shape[1]), np.nan)
        for channel in range(values.shape[1]):
            of_known = cells[known[:, channel]]
            counts = np.bincount(of_known, minlength=size)
            sums = np.bincount(of_known, values[known[:, channel], channel], minlength=size)
            means[counts > 0, channel] = sums[counts > 0] / counts[counts > 0]
        return cls(bins, means.reshape(pairs.shape[1], bins.count, -1), pairs[1], cycle_of)

    @property
    def complete(self) -> int:
        """How many cycles are known well enough."""
        well = (~np.isnan(self.means).all(axis=2)).mean(axis=1) >= _KNOWN
        return len(np.unique(self.numbers[well]))

    @property
    def expected(self) -> Floats:
        """What is usual by bin [bins, channels]."""
        return _expected(self.means)

    def residuals(self, values: Floats, local: Floats) -> Floats | None:
        """How far cells [steps, channels] lie from what other cycles say; None for too few cycles."""
        if self.complete < _LEAST_CYCLES:
            return None
        distinct = np.unique(self.numbers)
        residuals = np.full(values.shape, np.nan)
        for fold in np.array_split(distinct, min(_MOST_FOLDS, len(distinct))):
            held_out = np.isin(self.cycle_of, fold)
            expected = _expected(self.means[~np.isin(self.numbers, fold)])
            residuals[held_out] = values[held_out] - self.bins.at(local[held_out], expected)
        return residuals


def _expected(means: Floats) -> Floats:
    """Medians over cycles [bins, channels]; of bins never seen, those of the channel, 0 without any."""
    medians = _quiet_median(means)
    return np.asarray(np.nan_to_num(np.where(np.isnan(medians), _quiet_median(medians), medians)))


def _quiet_median(values: Floats) -> Floats:
    """Medians over the first axis; NaN where nothing is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=0))


def _mean_squares(residuals: Floats) -> Floats:
    """Of each channel [channels]; 0 where nothing is known."""
    known = ~np.isnan(residuals)
    squares = np.square(np.where(known, residuals, 0.0)).sum(axis=0)
    return np.asarray(squares / np.maximum(known.sum(axis=0), 1))


def _window_means(residuals: Floats, local: Floats, span: int) -> tuple[Floats, Floats]:
    """Means [windows, channels] of the windows of `span` steps, and when their middles are [windows].

    NaN where less than half is known.
    """
    if len(residuals) < span:
        return np.empty((0, residuals.shape[1])), np.empty(0)
    # Pandas takes long to load, and only series need it.
    import pandas as pd

    rolling = pd.DataFrame(residuals).rolling(span, min_periods=(span + 1) // 2)
    means = rolling.mean().to_numpy()[span - 1 :]
    return means, local[(span - 1) // 2 : (span - 1) // 2 + len(means)]


def _usual(residuals: Sequence[Floats], local: Sequence[Floats], bins: CycleBins, span: int) -> Floats:
    """How far means of `span` residuals usually lie from 0, by bin and its neighbours [bins, channels]."""
    import pandas as pd

    parts = [_window_means(part, when, span) for part, when in zip(residuals, local, strict=True)]
    sizes = np.abs(np.concatenate([means for means, _ in parts]))
    places = bins.of(np.concatenate([middles for _, middles in parts]))[1]
    overall = np.nan_to_num(pd.DataFrame(sizes).quantile(_USUAL).to_numpy(dtype=np.float64))
    by_bin = pd.DataFrame(sizes).groupby(places).quantile(_USUAL).reindex(range(bins.count))
    usual = by_bin.to_numpy(dtype=np.float64)
    # Neighbours in a circle; a sharp turn of the day is no place to be strict.
    beside = _BESIDE if bins.fine else 0
    around = np.stack([np.roll(usual, move, axis=0) for move in range(-beside, beside + 1)])
    usual = np.where(np.isnan(around), 0.0, around).max(axis=0)
    return np.asarray(np.maximum(np.maximum(usual, _LEAST_SHARE * overall), _LEAST_USUAL))
