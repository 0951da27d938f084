"""The feature encoder: fitted on column profiles, applied batch by batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from aedetect.data import cells
from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.features import datetime, numeric
from aedetect.data.features.categorical import Vocabulary
from aedetect.data.features.layout import Layout
from aedetect.data.profile import ColumnProfile
from aedetect.data.schema import Schema

if TYPE_CHECKING:
    import pyarrow as pa


# A number that lies off its learned range by more than so many times that range is strange, whatever
# else its row holds.
_REACH = 2.0
STATISTICS = ("center", "spread", "mean", "deviation", "quantiles")


class NumericColumn(BaseModel):
    """A column that becomes one numeric feature, or two for each cycle of a datetime.

    `words`: whether truth values are spelled out, as in yes and no. A column of the numbers 0 and
    1 is read as numbers, so that a 5 is a strange value and not an unreadable one.
    `whole`: whether all its numbers were whole, or all its instants dates. `spellings`: its
    words for false and true. `span`: its first and last instant, in seconds since 1970.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    role: str
    missing_rate: float
    gaps: bool
    words: bool = False
    cycles: tuple[datetime.Cycle, ...] = ()
    whole: bool = False
    spellings: tuple[str, str] | None = None
    span: tuple[float, float] | None = None

    @property
    def width(self) -> int:
        return 2 * len(self.cycles) or 1

    def read(self, array: pa.Array, rules: cells.CellRules) -> cells.Cells:
        """The cells of `array` as this column's were read in training."""
        if self.cycles:
            return cells.datetimes(array, rules)
        if self.words:
            return cells.booleans(array, rules)
        read = cells.numbers(array, rules)
        if self.role != "boolean" or not read.bad.any():
            return read
        # Truth values of a typed file may arrive as words of a text file.
        words = cells.booleans(array, rules)
        values = np.where(read.bad, words.values, read.values)
        return cells.Cells(values, read.missing, read.bad & words.bad)

    def truths(self, values: Floats) -> pa.Array:
        """Truth values [rows] from numbers, 0 to 1, in the column's own words if it had any."""
        import pyarrow as pa

        if self.spellings is None:
            return pa.array(values >= 0.5, mask=np.isnan(values))
        words = pa.array(self.spellings, pa.string())
        return words.take(pa.array((values >= 0.5).astype(np.int64), mask=np.isnan(values)))


class EncoderState(BaseModel):
    """What of an encoder goes into the manifest; the statistics go into tensors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    numeric: tuple[NumericColumn, ...]
    categorical: tuple[Vocabulary, ...]
    constant: dict[str, str]


@dataclass(frozen=True)
class Unreadable:
    """Cells of one column that are not of its trained type; `first_row` counts from 0."""

    count: int
    first_row: int


@dataclass(frozen=True)
class Encoded:
    """An encoded batch. Shapes: matrix [rows, features]; masks [rows], [rows, constants], [rows, numbers].

    `unscorable`: rows with a cell that cannot be read, or with no value at all.
    `infinite`: rows with a number that is infinite or beyond float32.
    `moved`: constants that differ from training. `far`: numbers far beyond all that were learned.
    `filled`: cells not missing, per numeric column. `unseen`: cells of no known category.
    """

    matrix: Matrix
    unscorable: Mask
    infinite: Mask
    moved: Mask
    far: Mask
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, int] = field(default_factory=dict)


class FeatureEncoder:
    """Turns record batches into float32 matrices under a trained schema."""

    def __init__(self, schema: Schema, state: EncoderState, statistics: Mapping[str, np.ndarray[Any, Any]]):
        self.schema = schema
        self.state = state
        self.center = statistics["center"]
        self.spread = statistics["spread"]
        self.mean = statistics["mean"]
        self.deviation = statistics["deviation"]
        self.quantiles = statistics["quantiles"]

    @classmethod
    def fit(
        cls, schema: Schema, profiles: Mapping[str, ColumnProfile], max_categories: int
    ) -> FeatureEncoder:
        """An encoder for the learned columns of `schema`, from their profiles."""
        columns: list[NumericColumn] = []
        vocabularies: list[Vocabulary] = []
        scaling: list[tuple[float, float, float, float]] = []
        quantiles: list[np.ndarray[Any, Any]] = []
        nothing = np.full(len(numeric.QUANTILE_RANKS), np.nan)
        for column in schema.columns:
            profile = profiles[column.name]
            rate, gaps = (profile.missing + 0.5) / (profile.rows + 1), profile.missing > 0
            if column.role in ("numeric", "boolean"):
                words = column.role == "boolean" and profile.bad_numbers > 0
                columns.append(
                    NumericColumn(
                        column=column.name,
                        role=column.role,
                        missing_rate=rate,
                        gaps=gaps,
                        words=words,
                        whole=not words and profile.numbers.count > 0 and profile.numbers.all_integer,
                        spellings=_spellings(profile) if words else None,
                    )
                )
                if words:
                    scaling.append(_truth_scaling(profile) * 2)
                    quantiles.append(nothing)
                else:
                    center, spread = numeric.location_and_spread(profile.numbers)
                    scaling.append((center, spread, *numeric.mean_and_deviation(profile.numbers, spread)))
                    quantiles.append(
                        profile.numbers.quantiles(numeric.QUANTILE_RANKS)
                        if profile.numbers.count
                        else nothing
                    )
            elif column.role == "datetime":
                names = datetime.cycles(profile.first_instant, profile.last_instant)
                columns.append(
                    NumericColumn(
                        column=column.name,
                        role="datetime",
                        missing_rate=rate,
                        gaps=gaps,
                        cycles=names,
                        whole=profile.only_dates,
                        span=(profile.first_instant, profile.last_instant),
                    )
                )
                scaling += [(0.0, 1.0, 0.0, 1.0)] * (2 * len(names))
                quantiles += [nothing] * (2 * len(names))
            elif column.role == "categorical":
                missing = profile.counted_rows - sum(profile.counts.values())
                vocabularies.append(
                    Vocabulary.fit(column.name, profile.counts, missing, max_categories, profile.holds_codes)
                )
        constants = {
            c.name: c.constant for c in schema.columns if c.role == "constant" and c.constant is not None
        }
        state = EncoderState(numeric=tuple(columns), categorical=tuple(vocabularies), constant=constants)
        table = np.array(scaling, dtype=np.float64).reshape(-1, 4)
        grid = np.array(quantiles, dtype=np.float64).reshape(-1, len(nothing))
        columns_of = dict(zip(("center", "spread", "mean", "deviation"), table.T.copy(), strict=True))
        return cls(schema, state, {**columns_of, "quantiles": grid})

    @property
    def layout(self) -> Layout:
        features = [column for column in self.state.numeric for _ in range(column.width)]
        return Layout(
            np.array([column.missing_rate for column in features], dtype=np.float64),
            np.array([column.gaps for column in features], dtype=np.bool_),
            self.spread / self.deviation,
            (self.center - self.mean) / self.deviation,
            tuple(vocabulary.prior for vocabulary in self.state.categorical),
        )

    @property
    def owners(self) -> list[str]:
        """The column each feature belongs to, in the order of the matrix; constants follow."""
        names = [column.column for column in self.state.numeric for _ in range(column.width)]
        return (
            names + [vocabulary.column for vocabulary in self.state.categorical] + list(self.state.constant)
        )

    def statistics(self) -> dict[str, np.ndarray[Any, Any]]:
        return {name: getattr(self, name) for name in STATISTICS}

    def transform(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; its columns are found by name and may stand in any order."""
        rows = len(batch)
        rules = self.schema.rules
        numbers = np.empty((rows, len(self.center)), dtype=np.float64)
        codes = np.empty((rows, len(self.state.categorical)), dtype=np.float32)
        unscorable = np.zeros(rows, np.bool_)
        unreadable: dict[str, Unreadable] = {}
        filled: dict[str, int] = {}
        unseen: dict[str, int] = {}
        start = 0
        for column in self.state.numeric:
            read = column.read(batch.column(column.column), rules)
            numbers[:, start : start + column.width] = (
                datetime.encode(read.values, column.cycles) if column.cycles else read.values[:, None]
            )
            start += column.width
            filled[column.column] = rows - int(read.missing.sum())
            if read.bad.any():
                unscorable |= read.bad
                unreadable[column.column] = Unreadable(int(read.bad.sum()), int(read.bad.argmax()))
        for index, vocabulary in enumerate(self.state.categorical):
            codes[:, index], unknown = vocabulary.encode(batch.column(vocabulary.column), rules)
            if unknown:
                unseen[vocabulary.column] = unknown
        empty = np.isnan(numbers).all(axis=1) & (codes == 0).all(axis=1)
        # Where only constants are watched, there is nothing to be missing.
        empty &= numbers.shape[1] + codes.shape[1] > 0
        return Encoded(
            np.concatenate([numeric.scale(numbers, self.center, self.spread), codes], axis=1),
            unscorable | empty,
            np.asarray((np.abs(numbers) > cells.LARGEST).any(axis=1)),
            self._moved(batch),
            self._far(numbers),
            unreadable,
            filled,
            unseen,
        )

    def largest(self, column: str) -> float:
        """The largest size of a learned number of `column`; 0 for one that holds none."""
        place = self.owners.index(column)
        ends = np.abs(self.quantiles[place, [0, -1]])
        return 0.0 if np.isnan(ends).any() else float(ends.max())

    def _moved(self, batch: pa.RecordBatch) -> Mask:
        moved = np.zeros((len(batch), len(self.state.constant)), np.bool_)
        for index, (name, value) in enumerate(self.state.constant.items()):
            moved[:, index] = _differs(batch.column(name), value, self.schema.rules)
        return moved

    def _far(self, numbers: Floats) -> Mask:
        """Which numbers [rows, numbers] lie further out than `_REACH` times their column's learned range.

        A network sees such a number only up to a limit, and among many columns one wild cell weighs little.
        """
        low, high = self.quantiles[:, 0], self.quantiles[:, -1]
        reach = _REACH * (high - low)
        with np.errstate(invalid="ignore"):
            return np.asarray((numbers < low - reach) | (numbers > high + reach))

    def inverse_transform(self, matrix: Matrix) -> dict[str, pa.Array]:
        """The user's values of `matrix` [rows, features], by column; datetimes as phases in words."""
        import pyarrow as pa

        width = len(self.center)
        values = numeric.unscale(matrix[:, :width], self.center, self.spread)
        types = {column.name: column.type for column in self.schema.columns}
        found: dict[str, pa.Array] = {}
        start = 0
        for column in self.state.numeric:
            block = values[:, start : start + column.width]
            start += column.width
            if column.cycles:
                found[column.column] = pa.array(datetime.decode(block, column.cycles), pa.string())
            elif column.words or types[column.column] == "bool":
                found[column.column] = column.truths(block[:, 0])
            else:
                found[column.column] = pa.array(block[:, 0], from_pandas=True)
        for index, vocabulary in enumerate(self.state.categorical):
            found[vocabulary.column] = vocabulary.decode(matrix[:, width + index])
        for name, value in self.state.constant.items():
            found[name] = pa.array([value] * len(matrix), pa.string())
        return found

    def phases(self, matrix: Matrix) -> dict[str, Floats]:
        """Of each datetime column, the sines and cosines of its cycles; [rows, 2 · cycles]."""
        values = numeric.unscale(matrix[:, : len(self.center)], self.center, self.spread)
        found, start = {}, 0
        for column in self.state.numeric:
            if column.cycles:
                found[column.column] = values[:, start : start + column.width]
            start += column.width
        return found


def _truth_scaling(profile: ColumnProfile) -> tuple[float, float]:
    """Location and spread of truth values spelled out in words."""
    true = sum(count for word, count in profile.counts.items() if word.lower() in cells.TRUE_TOKENS)
    share = true / max(sum(profile.counts.values()), 1)
    return float(share > 0.5), max((share * (1 - share)) ** 0.5, 0.01)


def _spellings(profile: ColumnProfile) -> tuple[str, str] | None:
    """The most frequent words for false and true."""
    found = [
        next((word for word, _ in profile.counts.most_common() if word.lower() in tokens), None)
        for tokens in (cells.FALSE_TOKENS, cells.TRUE_TOKENS)
    ]
    return (found[0], found[1]) if found[0] and found[1] else None


def _differs(array: pa.Array, value: str, rules: cells.CellRules) -> Mask:
    """Which cells are not the constant `value`: by truth, by number, or by the letter."""
    import pyarrow.compute as pc

    if value.lower() in ("true", "false"):
        return np.asarray(cells.booleans(array, rules).values != (value.lower() == "true"))
    if _is_number(value):
        return np.asarray(cells.numbers(array, rules).values != float(value))
    names = cells.categories(array, rules)
    return np.asarray(pc.fill_null(pc.not_equal(names, value), True).to_numpy(zero_copy_only=False))


def _is_number(text: str) -> bool:
    """Whether `text` is the spelling of a finite float; '01' and 'nan' are words."""
    try:
        return math.isfinite(float(text)) and repr(float(text)) == text
    except ValueError:
        return False
