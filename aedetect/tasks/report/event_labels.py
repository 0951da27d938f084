"""Events of time series held against labels: which were rightly told, and which labelled ones were missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aedetect.data.arrays import Integers, Mask
from aedetect.data.labels import ANOMALY, NO_LABEL, Marks
from aedetect.data.series.readings import any_of
from aedetect.scoring.events import Event
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.evaluate.metrics.ranges import spans

# 'near': no row of it is labelled, but one within a window of it, as windows reach that far.
EventOutcome = Literal["hit", "near", "false alarm"]


@dataclass(frozen=True)
class LabelledStretch:
    """Rows of a series in a row that are labelled anomalies, from `start` to `end` in seconds since 1970.

    `rows`: how many. `highest`: their highest score, NaN where none has one. `caught`: whether one of them
    was flagged.
    """

    series: int
    start: float
    end: float
    rows: int
    highest: float
    caught: bool


@dataclass(frozen=True)
class _Series:
    """The rows of one series with a label and a time, in the order of time; [rows] each but `number`."""

    number: int
    rows: Integers
    marks: Mask
    flags: Mask


class EventLabels:
    """The labels of all rows that a session has scored; `marks` [rows]: ANOMALY, NORMAL or NO_LABEL."""

    def __init__(self, session: SeriesSession, marks: Marks):
        self._session = session
        # In long tables several rows share an instant, of which one stands for all.
        standing = session.standing
        self._standing = standing
        self._marks = any_of(standing, marks == ANOMALY)
        self._labelled = any_of(standing, marks != NO_LABEL)
        self._flags = any_of(standing, session.flagged)
        self._near = np.zeros(len(marks), dtype=np.bool_)
        self.stretches: list[LabelledStretch] = []
        for one in self._by_series():
            for start, stop in spans(one.marks).tolist():
                within = one.rows[max(start - session.window, 0) : stop + session.window]
                self._near[within] = True
                self.stretches.append(self._stretch(one, start, stop))

    @property
    def missed(self) -> list[LabelledStretch]:
        """The stretches of which no row was flagged, the lowest score first."""
        missed = [one for one in self.stretches if not one.caught]
        return sorted(missed, key=lambda one: (not np.isnan(one.highest), one.highest))

    def outcome(self, event: Event) -> EventOutcome:
        """Whether an event was rightly told."""
        rows = self._standing[event.rows]
        if self._marks[rows].any():
            return "hit"
        return "near" if self._near[rows].any() else "false alarm"

    def _stretch(self, one: _Series, start: int, stop: int) -> LabelledStretch:
        rows = one.rows[start:stop]
        scores = self._session.scores[rows]
        seconds = self._session.seconds[rows]
        known = scores[~np.isnan(scores)]
        return LabelledStretch(
            one.number,
            float(seconds[0]),
            float(seconds[-1]),
            len(rows),
            float(known.max()) if len(known) else float("nan"),
            bool(one.flags[start:stop].any()),
        )

    def _by_series(self) -> Iterator[_Series]:
        session = self._session
        usable = np.flatnonzero(self._labelled & ~np.isnan(session.seconds))
        order = usable[np.lexsort((session.seconds[usable], session.series[usable]))]
        numbers = session.series[order]
        for rows in np.split(order, np.flatnonzero(np.diff(numbers)) + 1):
            if len(rows):
                yield _Series(int(session.series[rows[0]]), rows, self._marks[rows], self._flags[rows])
