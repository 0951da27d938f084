"""What each column contributed to the errors of flagged rows, of all series."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.scoring.one_series import OneSeries
from aedetect.scoring.series_attribution import SeriesAttribution


class FlaggedShares:
    """The shares of flagged rows, by the numbers of the rows; those of one step have theirs in common."""

    def __init__(self, attribution: SeriesAttribution, columns: int):
        self._attribution = attribution
        # The first is that of rows of which nothing is known.
        self._shares: list[Matrix] = [np.zeros((1, columns), dtype=np.float32)]
        self._count = 1
        self._rows: list[Integers] = [np.empty(0, dtype=np.int64)]
        self._share_of: list[Integers] = [np.empty(0, dtype=np.int64)]

    def add(self, one: OneSeries, flagged: Mask) -> Matrix:
        """Attribute the rows of a series that are `flagged` [rows]; gives their shares [flagged, columns].

        Call it within `models.threads.single_threaded`.
        """
        shares, share_of = self._attributed(one, flagged)
        self._rows.append(one.places[flagged])
        self._share_of.append(np.where(share_of > 0, share_of + self._count - 1, 0))
        self._shares.append(shares[1:])
        self._count += len(shares) - 1
        return np.asarray(shares[share_of])

    def join(self) -> None:
        """No more are added: they can be asked for."""
        rows, share_of = np.concatenate(self._rows), np.concatenate(self._share_of)
        order = np.argsort(rows)
        self._rows, self._share_of = [rows[order]], [share_of[order]]
        self._shares = [np.concatenate(self._shares)]

    def of(self, rows: Integers) -> Matrix:
        """The shares of flagged rows; [rows, columns]."""
        places = np.searchsorted(self._rows[0], rows)
        return np.asarray(self._shares[0][self._share_of[0][places]])

    def _attributed(self, one: OneSeries, flagged: Mask) -> tuple[Matrix, Integers]:
        """Shares [distinct, columns], the first of them 0, and which each flagged row has [flagged]."""
        timeline, window = one.timeline, self._attribution.series.state.window
        flagged_slots = timeline.marked(flagged)
        share_at = np.zeros(len(flagged_slots), dtype=np.int64)
        shares, count = [self._shares[0][:1]], 1
        for part, segment in zip(timeline.segments, one.segment_channels, strict=True):
            places = np.flatnonzero(flagged_slots[part])
            if len(places) and len(segment) >= window:
                start = float(timeline.seconds[part.start])
                shares.append(self._attribution.shares_at(segment, places, start))
                share_at[part][places] = np.arange(count, count + len(places))
                count += len(places)
        share_of = timeline.of_rows(share_at, 0).astype(np.int64)
        gross_rows = np.flatnonzero(flagged & one.strange)
        shares.append(self._attribution.of_gross(one.gross[gross_rows]))
        share_of[gross_rows] = np.arange(count, count + len(gross_rows))
        return np.concatenate(shares), share_of[flagged]
