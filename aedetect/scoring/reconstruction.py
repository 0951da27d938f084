"""What was expected of the rows of time series: what the model rebuilds them as, in the user's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features.categorical import FIRST_KNOWN
from aedetect.data.series.buffer import Rows
from aedetect.data.series.channels import Channels, inverse_log_compressed
from aedetect.data.series.entities import Name
from aedetect.data.series.scaling import scalings
from aedetect.data.series.segments import Timeline
from aedetect.models.ensemble import reconstructed_windows
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.models.threads import single_threaded
from aedetect.scoring.series_attribution import SeriesAttribution

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.series import SeriesSession


# A step is rebuilt as the mean over so many of the windows that contain it.
_WINDOWS = 4
# Of rows that are not flagged, this share lies within `usual` of what was expected, and this within `band`.
_USUAL, _BAND = 0.68, 0.95


@dataclass(frozen=True)
class ReconstructedColumn:
    """One column of series, as seen and as expected; [rows], NaN where missing or unknown.

    Numbers are in the user's units; of truth values and categories they are places in `names`.
    `usual` [rows]: how far a row that is not flagged usually is from what was expected; the expected
    band reaches `band` [rows] to either side; both are of the row's own series, and 0 for words.
    `growth`: whether they are what a counter grew by per row.
    """

    column: str
    seen: Floats
    expected: Floats
    usual: Floats
    band: Floats
    names: tuple[str, ...] = ()
    growth: bool = False

    def deviations(self, rows: Integers) -> Floats:
        """How far off `rows` are, in usual distances, or whether they are another word; 0 where unknown."""
        apart = np.abs(self.seen[rows] - self.expected[rows])
        if self.names:
            return (apart > 0).astype(np.float64)
        least = 1e-6 * np.nanmax(np.abs(self.expected), initial=1e-30)
        return np.asarray(np.nan_to_num(apart / np.maximum(self.usual[rows], least)))


@dataclass(frozen=True)
class ScoredSeries:
    """The rows of one or several series: as they were read and as the model is given them, with their scores.

    `names`: of the series by number; `segment_channels`: the channels [steps, channels] of each segment;
    `gross` [rows, channels]: which cells are set aside; `scores` [rows]; `flagged` [rows]: muted or not.
    """

    rows: Rows
    timeline: Timeline
    segment_channels: Sequence[Matrix]
    gross: Mask
    names: Sequence[Name]
    scores: Floats
    flagged: Mask

    @classmethod
    def of(cls, session: SeriesSession) -> ScoredSeries:
        """The rows that a session has kept."""
        data = session.series_data
        assert data is not None
        flagged = session.flagged.copy()
        flagged[list(session.reasons)] = True
        return cls(
            data.rows,
            data.timeline,
            data.segment_channels,
            data.gross,
            session.names,
            session.scores,
            flagged,
        )


class Reconstruction:
    """Rows of series, beside what the model rebuilds them as."""

    def __init__(self, fitted: FittedModel, data: ScoredSeries):
        assert fitted.series is not None
        self._fitted, self._data = fitted, data
        self._channels = Channels.of(fitted.encoder)
        self._scaled = self._rebuilt(fitted.series.state.window)
        # Rows beside flagged ones are rebuilt from windows that these are in, too.
        with np.errstate(invalid="ignore"):
            self._calm = ~data.flagged & (data.scores <= fitted.threshold)

    def column(self, column: str) -> ReconstructedColumn | None:
        """A column as seen and expected; None for one that has no single value, such as a time of day."""
        encoder = self._fitted.encoder
        start = 0
        for number in encoder.state.numeric:
            if number.column == column:
                if number.cycles:
                    return None
                seen, expected = (
                    side[:, start] * encoder.deviation[start] + encoder.mean[start] for side in self._sides
                )
                if number.role != "boolean":
                    return replace(self._of_numbers(column, seen, expected), growth=number.counter)
                words = number.spellings or ("false", "true")
                return self._of_words(column, _truths(seen), _truths(expected), words)
            start += number.width
        for vocabulary in encoder.state.categorical:
            size = vocabulary.cardinality
            if vocabulary.column == column:
                names = tuple(map(str, vocabulary.decode(np.arange(size, dtype=np.float32)).to_pylist()))
                names = ("missing", "(rare or new)", *names[FIRST_KNOWN:])
                spread = np.sqrt(vocabulary.prior * (1 - vocabulary.prior))
                seen, expected = (
                    _largest(side[:, start : start + size] * spread + vocabulary.prior)
                    for side in self._sides
                )
                return self._of_words(column, seen, expected, names)
            start += size
        for name, value in encoder.state.constant.items():
            if name == column:
                moved = (np.abs(self._sides[0][:, start]) > 0).astype(np.float64)
                return self._of_words(column, moved, np.zeros(len(moved)), (value, "something else"))
            start += 1
        return None

    def shares(self, row: int) -> Floats:
        """What each column contributed to the error of one row; [columns]; 0 where it has no score."""
        data, window = self._data, self._window
        if data.gross[row].any():
            gross = data.gross[[row]]
            return np.asarray(self._attribution.of_gross(gross)[0], dtype=np.float64)
        place = int(data.timeline.slot_of[row]) if not np.isnan(self._score(row)) else -1
        for part, stretch in zip(data.timeline.segments, data.segment_channels, strict=True):
            if part.start <= place < part.stop and len(stretch) >= window:
                start = float(data.timeline.seconds[part.start])
                with single_threaded(self._fitted.device):
                    shares = self._attribution.shares_at(stretch, np.array([place - part.start]), start)
                return np.asarray(shares[0], dtype=np.float64)
        return np.zeros(len(self._fitted.columns))

    @cached_property
    def _attribution(self) -> SeriesAttribution:
        assert self._fitted.series is not None
        return SeriesAttribution(self._fitted, self._fitted.series)

    @property
    def _sides(self) -> tuple[Matrix | Floats, Matrix | Floats]:
        """Channels in standard deviations, as seen and as expected."""
        weights = self._channels.weights.astype(np.float32)
        return self._data.rows.values / weights, self._scaled / weights

    @property
    def _window(self) -> int:
        assert self._fitted.series is not None
        return self._fitted.series.state.window

    def _score(self, row: int) -> float:
        return float(self._data.scores[row])

    def _of_numbers(self, column: str, seen: Floats, expected: Floats) -> ReconstructedColumn:
        apart = np.abs(seen - expected)
        usual, band = np.zeros(len(seen)), np.zeros(len(seen))
        for series in np.unique(self._data.rows.series).tolist():
            in_series = self._data.rows.series == series
            known = in_series & ~np.isnan(apart)
            calm = known & self._calm
            # Where nearly all is flagged, what is not is no measure.
            distances = apart[calm if calm.sum() >= self._window else known]
            if len(distances):
                usual[in_series], band[in_series] = np.quantile(distances, [_USUAL, _BAND])
        return ReconstructedColumn(column, seen, expected, usual, band)

    def _of_words(
        self, column: str, seen: Floats, expected: Floats, names: Sequence[str]
    ) -> ReconstructedColumn:
        nothing = np.zeros(len(seen))
        return ReconstructedColumn(column, seen, expected, nothing, nothing, tuple(names))

    def _rebuilt(self, window: int) -> Matrix | Floats:
        """Channels [rows, channels] as the model rebuilds them, in the scale they were read in."""
        data, series = self._data, self._fitted.series
        assert series is not None
        shape = (len(data.timeline.seconds), data.rows.values.shape[1])
        channels = np.full(shape, np.nan, dtype=data.rows.values.dtype)
        scaling = scalings(data.rows, data.timeline, list(data.names), series.scales, series.state.beginning)
        with single_threaded(self._fitted.device):
            for part, stretch, (center, spread) in zip(
                data.timeline.segments, data.segment_channels, scaling, strict=True
            ):
                if len(stretch) >= window:
                    rebuilt = inverse_log_compressed(self._stretch(stretch, window))
                    channels[part] = rebuilt * spread + center
        slot_of = data.timeline.slot_of
        if not len(channels):
            return np.full(data.rows.values.shape, np.nan, dtype=np.float32)
        return np.where((slot_of < 0)[:, None], np.float32(np.nan), channels[np.maximum(slot_of, 0)])

    def _stretch(self, stretch: Matrix, window: int) -> Matrix:
        last = len(stretch) - window
        starts = np.unique(np.r_[np.arange(0, last + 1, max(window // _WINDOWS, 1)), last])
        sums, counts = np.zeros(stretch.shape, dtype=np.float64), np.zeros((len(stretch), 1))
        inside = np.arange(window)
        for begin in range(0, len(starts), BLOCK_ROWS):
            block = starts[begin : begin + BLOCK_ROWS]
            rebuilt = reconstructed_windows(
                self._fitted.members, stretch[block[:, None] + inside], self._fitted.device
            )
            for start, steps in zip(block.tolist(), rebuilt, strict=True):
                sums[start : start + window] += steps
                counts[start : start + window] += 1
        return np.asarray(sums / counts, dtype=np.float32)


def _truths(values: Floats) -> Floats:
    return np.where(np.isnan(values), np.nan, values >= 0.5)


def _largest(shares: Floats) -> Floats:
    """The code [rows] that most speaks for; NaN where nothing is known."""
    known = ~np.isnan(shares).any(axis=1)
    return np.where(known, np.nan_to_num(shares).argmax(axis=1), np.nan)
