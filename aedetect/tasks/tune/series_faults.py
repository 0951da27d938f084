"""Faults made up in held-out stretches of series: what sensors and machines do when they fail.

Models of series learn from no made-up rows at all, so none of these can be what they were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.cells import numbers
from aedetect.data.series.entities import Entities
from aedetect.errors import DataError
from aedetect.io.source import Input, InputAround, Reader, batch_rows
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.tune.rows import Rows

# A fault lasts a quarter of a window, within these steps.
_SHARE_OF_WINDOW, _SHORTEST, _LONGEST = 0.25, 4, 64
# Faults are so many windows apart, so that none is seen by the light of another; of a stretch there are
# so many at most.
_APART, _MOST_FAULTS = 2, 36
_SPIKE, _SHIFT, _NOISE, _DRIFT = 3.0, 1.5, 0.7, 2.0
Damage = Callable[[Floats, float, np.random.Generator, Floats], Floats]


def _spike(values: Floats, deviation: float, random: np.random.Generator, _: Floats) -> Floats:
    values[0] += random.choice([-1.0, 1.0]) * _SPIKE * deviation
    return values[:1]


def _shift(values: Floats, deviation: float, random: np.random.Generator, _: Floats) -> Floats:
    return np.asarray(values + random.choice([-1.0, 1.0]) * _SHIFT * deviation)


def _stuck(values: Floats, _: float, _random: np.random.Generator, _others: Floats) -> Floats:
    return np.full(len(values), values[0])


def _noisy(values: Floats, deviation: float, random: np.random.Generator, _: Floats) -> Floats:
    return values + _NOISE * deviation * random.normal(size=len(values))


def _drift(values: Floats, deviation: float, random: np.random.Generator, _: Floats) -> Floats:
    ramp = np.arange(1, len(values) + 1) / len(values)
    return np.asarray(values + random.choice([-1.0, 1.0]) * _DRIFT * deviation * ramp)


def _displaced(values: Floats, _: float, random: np.random.Generator, others: Floats) -> Floats:
    begin = random.integers(0, max(len(others) - len(values), 1))
    return others[begin : begin + len(values)].copy()


KINDS: Mapping[str, Damage] = {
    "spike": _spike,
    "shift": _shift,
    "stuck": _stuck,
    "noisy": _noisy,
    "drift": _drift,
    "displaced": _displaced,
}


@dataclass(frozen=True)
class DamagePlan:
    """Which cells are damaged: by column, the rows among all inputs (ascending) and their new values.

    `kind` [rows]: the place of the kind in KINDS of a damaged row, -1 for others.
    """

    cells: Mapping[str, tuple[Integers, Floats]]
    kind: Integers

    def over(self, inputs: Sequence[Input], rows: Rows, fitted: FittedModel) -> list[Input]:
        """The inputs, damaged."""
        return [
            _DamagedInput(source, first, self, fitted)
            for source, first in zip(inputs, rows.firsts, strict=True)
        ]


def damage_plan(
    fitted: FittedModel, inputs: Sequence[Input], rows: Rows, cells: Sequence[Mask], seed: int
) -> DamagePlan:
    """Faults of all kinds in turn in each of `cells`, which are masks of rows [rows].

    Raises DataError where no column holds numbers.
    """
    random = np.random.default_rng(seed)
    channels = _Channels.read(fitted, inputs, rows)
    length = int(np.clip(_SHARE_OF_WINDOW * fitted.window, _SHORTEST, _LONGEST))
    kind = np.full(len(rows.marks), -1, dtype=np.int64)
    damaged: dict[str, dict[int, float]] = {name: {} for name in channels.names}
    for cell in cells:
        order = channels.in_order(np.flatnonzero(cell))
        count = int(np.clip(len(order) // max(_APART * fitted.window, 2 * length), 1, _MOST_FAULTS))
        kinds = np.resize(random.permutation(len(KINDS)), count)
        for place, slot in zip(kinds, np.array_split(order, count), strict=True):
            channel = int(random.integers(0, len(channels.names)))
            run = channels.run_of(slot, length, channel, random)
            if run is None:
                continue
            others = channels.values[order, channel]
            others = others[~np.isnan(others)]
            make = KINDS[list(KINDS)[place]]
            values = make(channels.values[run, channel].copy(), float(others.std()), random, others)
            run = run[: len(values)]
            kind[run] = place
            damaged[channels.names[channel]] |= dict(zip(run.tolist(), values.tolist(), strict=True))
    return DamagePlan({name: _sorted(cells) for name, cells in damaged.items() if cells}, kind)


def _sorted(cells: Mapping[int, float]) -> tuple[Integers, Floats]:
    order = sorted(cells)
    return np.array(order, dtype=np.int64), np.array([cells[row] for row in order])


@dataclass(frozen=True)
class _Channels:
    """The numbers that series hold, as columns have them: `values` [rows, names].

    `series` [rows]: in a long table each name is a series of its own.
    """

    names: Sequence[str]
    values: Floats
    series: Integers
    seconds: Floats

    @classmethod
    def read(cls, fitted: FittedModel, inputs: Sequence[Input], rows: Rows) -> _Channels:
        settings, rules = fitted.config.series, fitted.schema.rules
        names = [column.column for column in fitted.encoder.state.numeric if column.role == "numeric"]
        entities = list(settings.entity)
        if settings.series_name is not None and settings.value is not None:
            names, entities = [settings.value], [*entities, settings.series_name]
        if not names:
            raise DataError(f"{inputs[0].name}: no column holds numbers, in which faults could be made up")
        numbered = Entities(entities)
        values, series = [np.empty((0, len(names)))], [np.empty(0, dtype=np.int64)]
        for source in inputs:
            size = batch_rows(fitted.config, len(source.open(1024).schema))
            for batch in source.open(size).batches():
                columns = [_numbers(batch, name, fitted) for name in names]
                values.append(np.stack(columns, axis=1))
                series.append(numbered.number(batch, rules))
        assert rows.seconds is not None
        return cls(names, np.concatenate(values), np.concatenate(series), rows.seconds)

    def in_order(self, places: Integers) -> Integers:
        """Those rows by their series, and in time."""
        return np.asarray(places[np.lexsort((self.seconds[places], self.series[places]))])

    def run_of(
        self, slot: Integers, length: int, channel: int, random: np.random.Generator
    ) -> Integers | None:
        """At most `length` rows of one series within `slot` that have a number; None where there are none."""
        length = min(length, len(slot) // 2)
        if length < 1:
            return None
        begin = int(random.integers(0, len(slot) - length + 1))
        run = slot[begin : begin + length]
        run = run[self.series[run] == self.series[run[0]]]
        run = run[~np.isnan(self.values[run, channel])]
        return run if len(run) else None


def _numbers(batch: pa.RecordBatch, name: str, fitted: FittedModel) -> Floats:
    if name not in batch.schema.names:
        return np.full(len(batch), np.nan)
    # A copy: what Arrow gives may not be written to.
    return np.array(numbers(batch.column(name), fitted.schema.rules.of(name)).values, dtype=np.float64)


@dataclass(frozen=True)
class _DamagedInput(InputAround):
    """An input with some cells of other values; `first`: the number of its first row among all."""

    source: Input
    first: int
    plan: DamagePlan
    fitted: FittedModel

    def open(self, batch_rows: int) -> Reader:
        return _DamagedReader(self, self.source.open(batch_rows))


class _DamagedReader:
    def __init__(self, damaged: _DamagedInput, reader: Reader):
        self._damaged, self._reader = damaged, reader
        columns = {name: place for place, name in enumerate(reader.schema.names)}
        self._columns = {name: columns[name] for name in damaged.plan.cells if name in columns}
        schema = reader.schema
        for name, place in self._columns.items():
            schema = schema.set(place, pa.field(name, pa.float64()))
        self.schema: pa.Schema = schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        first = self._damaged.first
        for batch in self._reader.batches():
            columns = list(batch.columns)
            for name, place in self._columns.items():
                values = _numbers(batch, name, self._damaged.fitted)
                rows, new = self._damaged.plan.cells[name]
                begin, end = np.searchsorted(rows, [first, first + len(batch)])
                values[rows[begin:end] - first] = new[begin:end]
                columns[place] = pa.array(values, pa.float64(), mask=np.isnan(values))
            first += len(batch)
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)
