"""Where the threshold lies, and what it promises: the one rule from settings to a threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aedetect.config import ThresholdConfig
from aedetect.data.arrays import Floats
from aedetect.data.series.scaling import SeriesState
from aedetect.errors import UsageError
from aedetect.scoring.calibration import Calibration

_SECONDS_A_DAY, _MOST_SHARE = 86_400.0, 0.999
# Of the events a day that are accepted, so many may be single steps; the others are left to windows.
_OF_SINGLE_STEPS = 0.5


@dataclass(frozen=True)
class Spans:
    """What false events of time series are counted by.

    `peaks` [spans]: the largest score of each span of normal rows that is a window, `steps` or `seconds`,
    long. A longer false event would be the same event, so that one a span is the most there can be.
    """

    peaks: Floats
    steps: int
    seconds: float

    def threshold(self, events_per_day: float) -> float:
        """The score that so many spans of normal rows a day exceed."""
        share = events_per_day * self.seconds / _SECONDS_A_DAY
        return Calibration(np.sort(self.peaks)).threshold(min(share, _MOST_SHARE))

    def steps_share(self, events_per_day: float) -> float:
        """The share of steps that may be flagged where each is an event."""
        return events_per_day * self.seconds / self.steps / _SECONDS_A_DAY


@dataclass(frozen=True)
class ThresholdPolicy:
    """From settings and calibration scores to a threshold.

    `value` counts where it is set. Otherwise the threshold is that of `alert_rate`, raised to that of
    `alarms_per_day` where it is set: one event without end would be few events a day, so that a count of
    events alone may never loosen it. `spans` is None for models of tables, which have no events to count a
    day. `single_share`: what single steps take of the alert rate in a model that raises alarms by the
    p-values of its scales of time, as those of series do; None in others.
    """

    settings: ThresholdConfig
    calibration: Calibration
    spans: Spans | None = None
    single_share: float | None = None

    @property
    def by_p_value(self) -> bool:
        """Whether p-values decide, and not the threshold: it was not set by hand."""
        return self.single_share is not None and self.settings.value is None

    @property
    def fact(self) -> tuple[str, str]:
        """What rows are flagged by, as a name and a value for a table."""
        if self.by_p_value:
            return "flags", f"rows with a p-value of at most {self.flagging_rate:.3g} ({self.origin})"
        return "threshold", f"{self.value:.6g} ({self.origin})"

    @property
    def value(self) -> float:
        """Scores above this are flagged. Raises UsageError for events a day of a model of tables."""
        if self.settings.value is not None:
            return self.settings.value
        if self.settings.alarms_per_day is not None:
            windows = 1.0 if self.single_share is None else 1 - _OF_SINGLE_STEPS
            return max(self._counted.threshold(windows * self.settings.alarms_per_day), self._of_rate)
        return self._of_rate

    @property
    def promised_rate(self) -> float | None:
        """The share of normal rows that was asked for; None where something else was."""
        if self.settings.value is not None or self.settings.alarms_per_day is not None:
            return None
        return self.settings.alert_rate

    @property
    def expected_rate(self) -> float:
        """The share of normal rows expected above the threshold, to the digits that calibration gives."""
        above = np.array([np.nextafter(self.value, np.inf)])
        return float(f"{float(self.calibration.p_values(above)[0]):.6g}")

    def rates(self) -> dict[str, float | None]:
        """For --json: the share of normal rows asked for, None where none was, and the one expected."""
        return {"alert_rate": self.promised_rate, "expected_alert_rate": self.expected_rate}

    @property
    def flagging_rate(self) -> float:
        """The share of normal rows of series to flag at most: as asked, or less where alarms are counted."""
        if self.settings.alarms_per_day is None:
            return self.settings.alert_rate
        rate = min(self.settings.alert_rate, self.expected_rate)
        if self.single_share is None:
            return rate
        of_steps = self._counted.steps_share(_OF_SINGLE_STEPS * self.settings.alarms_per_day)
        return min(rate, of_steps / self.single_share)

    @property
    def origin(self) -> str:
        """What was asked for, in a few words."""
        if self.settings.value is not None:
            return "set by hand"
        if self.settings.alarms_per_day is not None:
            return f"{self._events_a_day}, alert rate at most {self.settings.alert_rate:g}"
        return f"alert rate {self.settings.alert_rate:g}"

    @property
    def promise(self) -> str:
        """What the threshold comes to, in words."""
        if self.settings.value is not None:
            return "as set by hand"
        if self.settings.alarms_per_day is not None:
            return f"{self._events_a_day} on each series, and at most {self._rate_in_words}"
        return self._rate_in_words

    @property
    def warnings(self) -> list[str]:
        """Where the calibration scores are too few for what was asked."""
        rate, rows = self.promised_rate, len(self.calibration.scores)
        if rate is None:
            return []
        said = []
        if rate < self.calibration.smallest_rate:
            said.append(
                f"an alert rate of {rate:g} is finer than {rows:,} calibration rows can show (at best "
                f"{self.calibration.smallest_rate:.2g}); the threshold follows a fitted tail beyond them"
            )
        # Rows of a window are strange together: as many rows as that are as good as one. Where the
        # share expected is more than twice the one asked for, it is said; what adapts makes up for it.
        windows = rows / self.spans.steps if self.spans is not None and not self.by_p_value else np.inf
        if rate < 0.5 / (1 + windows):
            said.append(
                f"the threshold rests on {windows:,.0f} windows of normal rows, too few to hold an "
                f"alert rate of {rate:g}: now and then more rows will be flagged; learn from more rows, or "
                "with a shorter --window"
            )
        return said

    @property
    def _of_rate(self) -> float:
        return self.calibration.threshold(self.settings.alert_rate)

    @property
    def _rate_in_words(self) -> str:
        return f"{100 * self.settings.alert_rate:.6g}% of normal rows"

    @property
    def _events_a_day(self) -> str:
        count = self.settings.alarms_per_day
        return f"at most {count:g} false event{'s' * (count != 1)} a day"

    @property
    def _counted(self) -> Spans:
        if self.spans is None:
            raise UsageError(
                f"{self.settings.alarms_per_day:g} alarms per day: this is no model of time series; give "
                "an alert rate"
            )
        return self.spans


def policy_of(
    settings: ThresholdConfig,
    calibration: Calibration,
    state: SeriesState | None,
    peaks: Floats,
    scale: float,
    single_share: float | None,
) -> ThresholdPolicy:
    """The policy of a model, from what its file holds; `peaks` [spans] are unscaled, none of tables."""
    if state is None:
        return ThresholdPolicy(settings, calibration)
    spans = Spans(np.sort(peaks) / scale, state.window, state.step * state.window)
    return ThresholdPolicy(settings, calibration, spans, single_share)


def set_to(settings: ThresholdConfig, value: float | None, alert_rate: float | None) -> ThresholdConfig:
    """The settings with a threshold given as such, or for an alert rate; as they are where both are None.

    Raises UsageError for an alert rate outside (0, 1) and a threshold that is not finite.
    """
    if value is not None:
        if not np.isfinite(value):
            raise UsageError(f"threshold {value}: must be a finite number")
        return settings.model_copy(update={"value": value})
    if alert_rate is not None:
        if not 0 < alert_rate < 1:
            raise UsageError(f"alert rate {alert_rate}: must lie between 0 and 1")
        return ThresholdConfig(alert_rate=alert_rate)
    return settings
