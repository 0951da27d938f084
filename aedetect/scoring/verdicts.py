"""What is said of the rows of one series, from the scores of its segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.one_series import OneSeries, end_to_end
from aedetect.scoring.series_alarms import AlarmTracks


@dataclass(eq=False)
class Verdicts:
    """Of the rows of one series; [rows] each.

    `scores` and `p_values`: NaN where `unscorable`. `warmup`: the unscorable rows that come too early.
    `silenced`: rows that would be flagged, had the series not been like that for long. `continued`: flagged
    rows that are of the alarm before. `adopted`: by its number, a row from which on what lasted counts as
    normal, as was asked for, and how many seconds it had lasted by then.
    """

    scores: Floats
    p_values: Floats
    flagged: Mask
    silenced: Mask
    continued: Mask
    unscorable: Mask
    warmup: Mask
    adopted: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, one: OneSeries, fitted: FittedModel, tracks: AlarmTracks | None) -> Verdicts:
        """Judge a series by its alarms, or for models without `tracks` by the threshold."""
        rows, strange, raw = one.rows, one.strange, one.raw()
        # To tell a gross cell, nothing of what went before need be known.
        warmup = np.isnan(raw) & ~rows.unscorable & ~strange
        unscorable = rows.unscorable | warmup
        if strange.any():
            # Gross cells are set aside to judge what lies beside them; scores are smooth, and rank all rows.
            read_scores = one.raw_as_read()
            raw = np.where(np.isnan(read_scores) | np.isnan(raw) & ~strange, raw, read_scores)
        scores = raw / float(fitted.scale)
        beyond = rows.infinite | strange & np.isnan(scores)
        scores = np.where(beyond, np.fmax(scores, fitted.out_of_range_score), scores)
        scores = np.where(unscorable, np.nan, scores)
        p_values = fitted.calibration.p_values(scores)
        with np.errstate(invalid="ignore"):
            flagged = np.asarray(scores > fitted.threshold)
        silenced, continued = (np.zeros(len(scores), dtype=np.bool_) for _ in range(2))
        verdicts = cls(scores, p_values, flagged, silenced, continued, unscorable, warmup)
        if tracks is not None:
            # Rows with gross or infinite cells are stranger than any normal ones, whatever their scores.
            verdicts._take_alarms(one, fitted, tracks, (rows.infinite | strange) & ~unscorable)
        return verdicts

    def _take_alarms(self, one: OneSeries, fitted: FittedModel, tracks: AlarmTracks, beyond: Mask) -> None:
        """Flag what the alarms do, and the rows marked in `beyond` [rows]."""
        timeline = one.timeline
        alarms = [
            tracks.judge(one.number, timeline.seconds[part], scores.by_scale)
            for part, scores in zip(timeline.segments, one.segments, strict=True)
        ]

        def marked(steps: list[Mask]) -> Mask:
            return np.asarray(timeline.of_rows(end_to_end(steps), False).astype(np.bool_))

        self.flagged = (marked([each.flagged for each in alarms]) & ~self.unscorable) | beyond
        self.silenced = marked([each.silenced for each in alarms])
        self.continued = marked([each.continued for each in alarms])
        slots = timeline.slot_of[timeline.order]
        step_seconds = fitted.series.state.step if fitted.series is not None else 0.0
        adopted: dict[int, float] = {}
        for part, each in zip(timeline.segments, alarms, strict=True):
            for step, lasted in each.adopted.items():
                # The slot may be one without a row.
                place = int(np.searchsorted(slots, part.start + step))
                adopted[int(timeline.order[place])] = lasted * step_seconds
        self.adopted = adopted
        joint = timeline.of_rows(end_to_end([each.p_values for each in alarms]), np.nan)
        extreme = fitted.calibration.p_values(np.fmax(self.scores, fitted.out_of_range_score))
        joint = np.where(beyond, np.fmin(joint, extreme), joint)
        self.p_values = np.where(self.unscorable, np.nan, joint)
