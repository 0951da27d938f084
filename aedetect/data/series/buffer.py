"""The rows of series, gathered from batches: when, whose, what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features.encoder import Encoded, FeatureEncoder
from aedetect.data.series.channels import Channels
from aedetect.data.series.entities import Entities
from aedetect.data.series.timestamps import Clock, TimeReader, Times


@dataclass(frozen=True)
class Rows:
    """Rows of all series in the order they were read.

    `seconds` [rows]: since 1970, NaN where unknown. `series` [rows]: numbers of `Entities`.
    `values` [rows, channels]: NaN where missing; float64 where there may be several series, whose
    units may differ. `unscorable` [rows]: a cell cannot be read, or the time is missing. `infinite` [rows]: a
    number is infinite or beyond float32. `readings` [rows, counters]: counters as they were read, whose
    channels are missing in `values`; None without any.
    """

    seconds: Floats
    series: Integers
    values: Matrix | Floats
    unscorable: Mask
    infinite: Mask
    readings: Floats | None = None

    def __len__(self) -> int:
        return len(self.seconds)

    def part(self, which: slice | Integers) -> Rows:
        """Some of them; those of a slice uncopied."""
        return Rows(
            self.seconds[which],
            self.series[which],
            self.values[which],
            self.unscorable[which],
            self.infinite[which],
            None if self.readings is None else self.readings[which],
        )


class Gatherer:
    """Takes batches one after the other and keeps of them what series need, some bytes a cell."""

    def __init__(
        self,
        clock: Clock,
        entities: Entities,
        encoder: FeatureEncoder,
        times: TimeReader | None = None,
        exact: bool = False,
    ):
        """`times`: one that has read what went before; see `TimeReader`. `exact`: see `Channels.exact`."""
        self._exact = exact
        self.clock = clock
        self._times = times or TimeReader(clock)
        self.entities = entities
        self.encoder = encoder
        self.channels = Channels.of(encoder)
        self._parts: list[Rows] = []

    def take(self, batch: pa.RecordBatch, locate: Callable[[int], str]) -> tuple[Encoded, Times]:
        """Keep a batch. Raises DataError where time zones are mixed; `locate` names a row by its index."""
        rows, encoded, times = self.read(batch, locate)
        self._parts.append(rows)
        return encoded, times

    def read(self, batch: pa.RecordBatch, locate: Callable[[int], str]) -> tuple[Rows, Encoded, Times]:
        """The rows of a batch, which are not kept; raises as `take` does."""
        rules = self.encoder.schema.rules
        series = self.entities.number(batch, rules)
        times = self._times.read(batch, series, rules, locate)
        encoded = self.encoder.transform(batch)
        counters = self.encoder.counters
        timeless = np.isnan(times.seconds)
        rows = Rows(
            times.seconds,
            series,
            self._channels(encoded),
            encoded.unscorable | timeless,
            encoded.infinite,
            encoded.numbers[:, counters] if counters else None,
        )
        return rows, encoded, times

    def _channels(self, encoded: Encoded) -> Matrix | Floats:
        if not self._exact:
            return self.channels.of_rows(encoded)
        return self.channels.exact(encoded, self.encoder.mean, self.encoder.deviation)

    @property
    def newest(self) -> Rows:
        """The rows of the batch taken last."""
        return self._parts[-1]

    def counting(self, encoder: FeatureEncoder) -> None:
        """Go on with an encoder that knows of counters; channels stay where they are."""
        self.encoder, self.channels = encoder, Channels.of(encoder)

    def rows(self) -> Rows:
        """All that was taken, which is kept no longer."""
        rows = together(self._parts, self.channels.width)
        self._parts = []
        return rows


def together(parts: Sequence[Rows], width: int) -> Rows:
    """Rows of `width` channels, one part after the other."""
    nothing = np.empty(0)
    empty = Rows(
        nothing,
        nothing.astype(np.int64),
        np.empty((0, width), np.float32),
        nothing.astype(np.bool_),
        nothing.astype(np.bool_),
    )
    counted = [part.readings for part in parts if part.readings is not None and len(part)]
    # What is known of no counters has none.
    known = bool(counted) and len(counted) == sum(len(part) > 0 for part in parts)
    parts = [empty, *parts]
    return Rows(
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.unscorable for part in parts]),
        np.concatenate([part.infinite for part in parts]),
        np.concatenate(counted) if known else None,
    )
