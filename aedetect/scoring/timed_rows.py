"""Whose the rows of series are, and when they were: what figures by event need beside verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aedetect.data.arrays import Floats, Integers
from aedetect.data.series.channels import Channels
from aedetect.data.series.entities import Name
from aedetect.data.series.row_store import RowStore
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.one_series import grid_of
from aedetect.scoring.series import SeriesData, SeriesSession
from aedetect.scoring.series_reader import SeriesReader


@dataclass(frozen=True)
class TimedRows:
    """The rows of all series [rows], in the order they are read, and the series by number.

    `standing`: the row that stands for each; see `SeriesSession.standing`.
    """

    fitted: FittedModel
    data: SeriesData
    standing: Integers
    names: Sequence[Name]

    @classmethod
    def of(cls, session: SeriesSession) -> TimedRows:
        """Those of a session that keeps its rows."""
        assert session.series_data is not None
        return cls(session.fitted, session.series_data, session.standing, session.names)

    @classmethod
    def read(cls, fitted: FittedModel, inputs: Sequence[Input]) -> TimedRows:
        """Those of inputs that are judged elsewhere. Raises DataError or ModelError where one is unusable."""
        series = fitted.series
        assert series is not None
        reader = SeriesReader(fitted, series)
        with RowStore(Channels.of(fitted.encoder).width, None) as store:
            reader.gather(inputs, (), store)
            for source in inputs:
                failure = reader.taken[id(source)].failure
                if failure is not None:
                    raise failure
            data = SeriesData.before_scoring(fitted, store.rows(), grid_of(series, store))
        return cls(fitted, data, data.standing(fitted), reader.entities.names)

    @property
    def seconds(self) -> Floats:
        """Since 1970 [rows], NaN where unknown."""
        return self.data.rows.seconds

    @property
    def series(self) -> Integers:
        """The series of each row [rows], by number."""
        return self.data.rows.series

    @property
    def window(self) -> int:
        """Steps of a window."""
        return self._series.state.window

    @property
    def step(self) -> float:
        """Seconds between two rows, usually."""
        return self._series.state.step

    @property
    def causal(self) -> bool:
        """Whether a row's score uses no later rows."""
        return self.fitted.config.series.causal

    @property
    def _series(self) -> SeriesParts:
        assert self.fitted.series is not None
        return self.fitted.series
