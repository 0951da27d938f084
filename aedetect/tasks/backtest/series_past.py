"""Series as they are judged at every rate, once their scores are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.one_series import OneSeries
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.backtest.past import Past
from aedetect.tasks.backtest.periods import on_the_wall


class SeriesPast:
    """Counts in `past` what fires at each of its rates, one series after the other; `models`: by rate."""

    def __init__(self, past: Past, models: Sequence[FittedModel]):
        self._past = past
        self._models = models
        self._places = {id(source): place for place, source in enumerate(past.inputs)}
        self._inputs: tuple[Integers, Integers] | None = None

    def see(self, session: SeriesSession, one: OneSeries) -> None:
        """A series was scored; `session` has entered its verdicts at one rate."""
        if self._inputs is None:
            self._inputs = self._inputs_of(session)
        dumps_of, firsts = self._inputs
        dumps = dumps_of[np.searchsorted(firsts, one.places, side="right") - 1]
        clock = session.clock
        unknown = np.full(len(one.places), np.nan)
        local = (
            unknown
            if self._past.days_by is None
            else on_the_wall(one.rows.seconds, clock.zone or clock.shown_in)
        )
        self._past.add_rows(local, dumps, np.asarray(session.unscorable[one.places]))
        for rate, model in enumerate(self._models):
            flagged, events = session.judged_at(model, one)
            self._past.add_flagged(local[flagged], dumps[flagged], rate)
            # An event is of the day and of the input in which it begins.
            first = np.array([event.rows[0] for event in events], dtype=np.int64)
            self._past.add_events(local[first], dumps[first], rate)

    def _inputs_of(self, session: SeriesSession) -> tuple[Integers, Integers]:
        """The places of the inputs that have rows, and the number of the first row of each among all."""
        spans = [(*session.span(source), self._places[id(source)]) for source in self._past.inputs]
        spans = sorted(span for span in spans if span[1])
        return np.array([place for _, _, place in spans]), np.array([first for first, _, _ in spans])
