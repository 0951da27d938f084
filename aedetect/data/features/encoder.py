"""The feature encoder: fitted on column profiles, applied batch by batch."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features import datetime, numeric
from aedetect.data.features.categorical import Vocabulary, check_size
from aedetect.data.features.decimals import MANY, decimals_of
from aedetect.data.features.feature_statistics import (
    NO_QUANTILES,
    STATISTICS,
    Feature,
    growth_feature,
    number_feature,
    quantiles_of,
    statistics_of,
    truth_feature,
)
from aedetect.data.features.groups import WHOLE, GroupNames, GroupScaling
from aedetect.data.features.layout import Layout
from aedetect.data.instants import Cycle
from aedetect.data.profile import ColumnProfile
from aedetect.data.schema import Column, Schema

# A number that lies off its learned range by more than so many times that range is strange, whatever
# else its row holds.
_REACH = 2.0


class NumericColumn(BaseModel):
    """A column that becomes one numeric feature, or two for each cycle of a datetime.

    `words`: whether its cells are booleans, stored as such or spelled out as in yes and no. A column
    of the numbers 0 and 1 is read as numbers, so that a 5 is a strange value and not an unreadable one.
    `whole`: whether all its numbers were whole, or all its instants dates. `spellings`: its
    words for false and true. `span`: its first and last instant, in seconds since 1970. `counter`:
    whether it only grows, and is learned by its growth per row of a series.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    role: str
    missing_rate: float
    gaps: bool
    words: bool = False
    cycles: tuple[Cycle, ...] = ()
    whole: bool = False
    spellings: tuple[str, str] | None = None
    span: tuple[float, float] | None = None
    counter: bool = False

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Models without counters are written as before there were any."""
        data: dict[str, Any] = handler(self)
        if not self.counter:
            del data["counter"]
        return data

    @property
    def width(self) -> int:
        """How many features the column becomes."""
        return 2 * len(self.cycles) or 1

    def read(self, array: pa.Array, rules: cells.CellRules) -> cells.Cells:
        """The cells of `array` as this column's were read in training."""
        if self.cycles:
            return cells.datetimes(array, rules.of(self.column))
        if self.words:
            return cells.booleans(array, rules)
        read = cells.numbers(array, rules.of(self.column))
        if self.role != "boolean" or not read.bad.any():
            return read
        # Booleans of a typed file may arrive as words of a text file.
        words = cells.booleans(array, rules)
        values = np.where(read.bad, words.values, read.values)
        return cells.Cells(values, read.missing, read.bad & words.bad)

    def truths(self, values: Floats) -> pa.Array:
        """Booleans [rows] from numbers, 0 to 1, in the column's own words if it had any."""
        if self.spellings is None:
            return pa.array(values >= 0.5, mask=np.isnan(values))
        words = pa.array(self.spellings, pa.string())
        return words.take(pa.array((values >= 0.5).astype(np.int64), mask=np.isnan(values)))


class EncoderState(BaseModel):
    """What of an encoder goes into the manifest; the statistics go into tensors.

    `groups`: those that numbers are seen relative to; None where there are none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    numeric: tuple[NumericColumn, ...]
    categorical: tuple[Vocabulary, ...]
    constant: dict[str, str]
    groups: GroupNames | None = None

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Models without groups are written as before there were any."""
        data: dict[str, Any] = handler(self)
        if self.groups is None:
            del data["groups"]
        return data


@dataclass(frozen=True)
class Unreadable:
    """Cells of one column that are not of its trained type; `first_row` counts from 0."""

    count: int
    first_row: int


@dataclass(frozen=True)
class Encoded:
    """An encoded batch.

    `matrix` [rows, features]: see `Layout`. `unscorable` [rows]: a cell cannot be read, or there is
    no value at all. `infinite` [rows]: a number is infinite or beyond float32.
    `changed_constants` [rows, constants]: differ from the one value of training; `missing_constants`: those
    of them that are missing.
    `out_of_range` [rows, numeric features]: lie far beyond all that were learned. `numbers` [rows,
    numeric features]: as they were read, not scaled; those of counters are missing in `matrix`.
    `empty` [rows]: there is no value at all. `groups` [rows]: the number of each row's group, 0 for none, and
    of models without groups. `unseen_groups`: the rows of each group that is not known.
    By column name: `unreadable`; `filled`, how many cells of a numeric column are not missing;
    `unseen`, the rows of each category that is not known; `newly_filled`, the rows of each value in a
    column that was empty in training.
    """

    matrix: Matrix
    unscorable: Mask
    infinite: Mask
    changed_constants: Mask
    missing_constants: Mask
    out_of_range: Mask
    numbers: Floats
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, Counter[str]] = field(default_factory=dict)
    empty: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    newly_filled: dict[str, Counter[str]] = field(default_factory=dict)
    groups: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    unseen_groups: Counter[str] = field(default_factory=Counter)


class FeatureEncoder:
    """Turns record batches into float32 matrices under a trained schema.

    `center`, `spread`: what numeric features are scaled by; `mean`, `deviation`: of the values as they
    were; all [numeric features]. `quantiles` [numeric features, ranks]: at `numeric.QUANTILE_RANKS`,
    NaN for booleans and datetimes. `groups`: by what the numbers of each group are moved first; None where
    there are no groups. With groups, the statistics are those of moved numbers. `decimals` [numeric
    features]: how many the numbers have at most; None where the quantiles tell.
    """

    def __init__(
        self,
        schema: Schema,
        state: EncoderState,
        statistics: Mapping[str, np.ndarray[Any, Any]],
        groups: GroupScaling | None = None,
        decimals: Integers | None = None,
    ):
        if groups is not None and groups.location.shape[1] != len(statistics["center"]):
            raise ValueError("what it says of its groups does not fit its columns")
        self.groups = groups
        self._decimals = decimals if groups is None else groups.decimals
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
        """An encoder for the learned columns of `schema`, from their profiles.

        `max_categories`: how many categories of a column are told apart; the others count as rare.
        Raises DataError where they are more text than a model file takes.
        """
        columns: list[NumericColumn] = []
        features: list[Feature] = []
        vocabularies: list[Vocabulary] = []
        for column in schema.columns:
            profile = profiles[column.name]
            if column.role in ("numeric", "boolean"):
                columns.append(_number_column(column, profile))
                features.append(truth_feature(profile) if columns[-1].words else number_feature(profile))
            elif column.role == "datetime":
                columns.append(_datetime_column(column, profile))
                features += [Feature(0.0, 1.0, 0.0, 1.0, NO_QUANTILES)] * columns[-1].width
            elif column.role == "categorical":
                missing = profile.counted_rows - sum(profile.counts.values())
                codes = profile.holds_codes
                vocabularies.append(
                    Vocabulary.fit(column.name, profile.counts, missing, max_categories, codes, schema.rules)
                )
        check_size(vocabularies)
        constants = {
            column.name: column.constant
            for column in schema.columns
            if column.role == "constant" and column.constant is not None
        }
        state = EncoderState(numeric=tuple(columns), categorical=tuple(vocabularies), constant=constants)
        return cls(schema, state, statistics_of(features))

    def reading(self, schema: Schema) -> FeatureEncoder:
        """This encoder for cells that are read under another schema of the same columns."""
        return FeatureEncoder(schema, self.state, self.statistics(), self.groups)

    def grouped(self, groups: GroupScaling, ranges: Mapping[int, Feature], schema: Schema) -> FeatureEncoder:
        """This encoder for numbers relative to their group, and a schema that says so.

        `ranges`: the statistics of the numeric features that are relative, moved to where the whole is.
        """
        statistics = {name: values.copy() for name, values in self.statistics().items()}
        for place, feature in ranges.items():
            for name in STATISTICS:
                statistics[name][place] = getattr(feature, name)
        state = self.state.model_copy(update={"groups": groups.names})
        return FeatureEncoder(schema, state, statistics, groups)

    @property
    def relative_columns(self) -> frozenset[str]:
        """The columns whose numbers are seen relative to their group."""
        relative = [] if self.groups is None else np.flatnonzero(self.groups.relative).tolist()
        return frozenset(self.owners[place] for place in relative)

    def inside(self, group: int) -> FeatureEncoder:
        """This encoder for rows of one group alone, its statistics in the numbers of that group."""
        if self.groups is None:
            return self
        statistics = self.groups.statistics_in(self.statistics(), group)
        # Numbers of other groups, moved here, are written as those of this one are.
        for place, column in enumerate(self._feature_columns):
            digits = 0 if column.whole else self.decimals(place)
            if digits != MANY:
                statistics["quantiles"][place] = np.round(statistics["quantiles"][place], digits)
        state = self.state.model_copy(update={"groups": None})
        return FeatureEncoder(self.schema, state, statistics, decimals=self.groups.decimals)

    def deviations(self, feature: int, groups: Integers) -> Floats:
        """The standard deviation of a numeric feature in the numbers of each row's group [rows]."""
        ratios = np.ones(len(groups)) if self.groups is None else self.groups.ratio[groups, feature]
        return np.asarray(self.deviation[feature] * ratios)

    def decimals(self, feature: int) -> int:
        """How many decimals a numeric feature's numbers have at most; `MANY` where they have many."""
        stated = self.stated_decimals(feature)
        return decimals_of(self.quantiles[feature]) if stated is None else stated

    def stated_decimals(self, feature: int) -> int | None:
        """As `decimals`, where the quantiles do not tell, as those of moved numbers do not; else None."""
        return None if self._decimals is None else int(self._decimals[feature])

    def groups_in(self, matrix: Matrix) -> Integers | None:
        """The number of each encoded row's group [rows], told from its categories; see `groups_of`.

        None where not all columns that tell groups apart are learned as categories.
        """
        if self.groups is None:
            return np.full(len(matrix), WHOLE, dtype=np.int64)
        places = {vocabulary.column: place for place, vocabulary in enumerate(self.state.categorical)}
        columns = self.groups.names.columns
        if not places.keys() >= set(columns):
            return None
        codes = {name: matrix[:, len(self.center) + places[name]] for name in columns}
        names = [self.state.categorical[places[name]].decode(codes[name]) for name in columns]
        return self.groups_of(pa.RecordBatch.from_arrays(names, names=list(columns)))[0]

    def groups_of(self, batch: pa.RecordBatch) -> tuple[Integers, Counter[str]]:
        """The number of each row's group [rows], 0 for none, and the rows of each group that is not known."""
        if self.groups is None:
            return np.full(len(batch), WHOLE, dtype=np.int64), Counter()
        return self.groups.names.of(batch, self.schema.rules)

    @cached_property
    def _feature_columns(self) -> list[NumericColumn]:
        """The column of each numeric feature."""
        return [column for column in self.state.numeric for _ in range(column.width)]

    @cached_property
    def counters(self) -> list[int]:
        """The numeric features that are counters."""
        features = [column for column in self.state.numeric for _ in range(column.width)]
        return [place for place, column in enumerate(features) if column.counter]

    def counting(self, places: Sequence[int], growth: Floats) -> FeatureEncoder:
        """This encoder with the numeric features at `places` as counters.

        `growth` [rows, places], NaN where it is not known: their statistics take the place of the levels'.
        """
        statistics = {name: values.copy() for name, values in self.statistics().items()}
        for place, values in zip(places, growth.T, strict=True):
            feature = growth_feature(values)
            for name in STATISTICS:
                statistics[name][place] = getattr(feature, name)
        counters = {self.owners[place] for place in places}
        columns = tuple(
            column.model_copy(update={"counter": column.column in counters}) for column in self.state.numeric
        )
        return FeatureEncoder(self.schema, self.state.model_copy(update={"numeric": columns}), statistics)

    def ranged(self, place: int, values: Floats) -> FeatureEncoder:
        """This encoder with numeric feature `place` ranging over `values` [rows] alone, in the user's units.

        What it is scaled by stays.
        """
        statistics = {name: array.copy() for name, array in self.statistics().items()}
        statistics["quantiles"][place] = quantiles_of(values)
        return FeatureEncoder(self.schema, self.state, statistics, self.groups)

    @property
    def layout(self) -> Layout:
        """What the features are, for a model that knows nothing of the data."""
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
        """The tensors that go into a model file, by the names in `STATISTICS`."""
        return {name: getattr(self, name) for name in STATISTICS}

    def transform(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; its columns are found by name and may stand in any order.

        The batch must have passed `Schema.check`.
        """
        rows = len(batch)
        rules = self.schema.rules
        numbers = np.empty((rows, len(self.center)), dtype=np.float64)
        codes = np.empty((rows, len(self.state.categorical)), dtype=np.float32)
        unscorable = np.zeros(rows, np.bool_)
        unreadable: dict[str, Unreadable] = {}
        filled: dict[str, int] = {}
        unseen: dict[str, Counter[str]] = {}
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
        unreadable_rows = unscorable.copy()
        empty = np.isnan(numbers).all(axis=1) & (codes == 0).all(axis=1)
        # Where only constants are watched, there is nothing to be missing.
        empty &= numbers.shape[1] + codes.shape[1] > 0
        groups, unseen_groups = self.groups_of(batch)
        levels = numbers if self.groups is None else self.groups.aligned(numbers, groups)
        if self.counters:
            levels = numbers.copy()
            levels[:, self.counters] = np.nan
        return Encoded(
            np.concatenate([numeric.scale(levels, self.center, self.spread), codes], axis=1),
            unscorable | empty,
            np.asarray((np.abs(numbers) > cells.LARGEST).any(axis=1)),
            *self._changed_constants(batch),
            self._out_of_range(levels),
            numbers,
            unreadable,
            filled,
            unseen,
            empty & ~unreadable_rows,
            self._newly_filled(batch),
            groups,
            unseen_groups,
        )

    def largest(self, column: str) -> float:
        """The largest size of a learned number of `column`; 0 for one that holds none."""
        place = self.owners.index(column)
        ends = np.abs(self.quantiles[place, [0, -1]])
        return 0.0 if np.isnan(ends).any() else float(ends.max())

    def _newly_filled(self, batch: pa.RecordBatch) -> dict[str, Counter[str]]:
        values: dict[str, Counter[str]] = {}
        for column in self.schema.columns:
            place = batch.schema.get_field_index(column.name) if column.was_empty else -1
            if place < 0 or not cells.is_readable(batch.schema.field(place).type):
                continue
            array, rules = cells.plain(batch.column(place)), self.schema.rules.of(column.name)
            filled = array.filter(pa.array(~cells.empty(array, rules)))
            names = cells.categories(filled, rules).drop_null().value_counts().to_pylist()
            if names:
                values[column.name] = Counter({entry["values"]: entry["counts"] for entry in names})
        return values

    def _changed_constants(self, batch: pa.RecordBatch) -> tuple[Mask, Mask]:
        changed = np.zeros((len(batch), len(self.state.constant)), np.bool_)
        missing = np.zeros_like(changed)
        for index, (name, value) in enumerate(self.state.constant.items()):
            changed[:, index], missing[:, index] = _differs(
                batch.column(name), value, self.schema.rules.of(name)
            )
        return changed, missing

    def _out_of_range(self, numbers: Floats) -> Mask:
        """Which numbers [rows, numbers] lie further out than `_REACH` times their column's learned range.

        A network sees such a number only up to a limit, and among many columns one wild cell weighs little.
        """
        low, high = self.range
        with np.errstate(invalid="ignore"):
            return np.asarray((numbers < low) | (numbers > high))

    @property
    def range(self) -> tuple[Floats, Floats]:
        """Where numbers begin and end to be out of range [numeric features]; NaN where none is."""
        low, high = self.quantiles[:, 0], self.quantiles[:, -1]
        reach = _REACH * (high - low)
        return low - reach, high + reach

    def inverse_transform(self, matrix: Matrix) -> dict[str, pa.Array]:
        """The user's values of `matrix` [rows, features], by column; datetimes as phases in words."""
        width = len(self.center)
        values = numeric.unscale(matrix[:, :width], self.center, self.spread)
        types = {column.name: column.type for column in self.schema.columns}
        arrays: dict[str, pa.Array] = {}
        start = 0
        for column in self.state.numeric:
            block = values[:, start : start + column.width]
            start += column.width
            if column.cycles:
                arrays[column.column] = pa.array(datetime.decode(block, column.cycles), pa.string())
            elif column.words or types[column.column] == "bool":
                arrays[column.column] = column.truths(block[:, 0])
            else:
                arrays[column.column] = pa.array(block[:, 0], from_pandas=True)
        for index, vocabulary in enumerate(self.state.categorical):
            arrays[vocabulary.column] = vocabulary.decode(matrix[:, width + index])
        for name, value in self.state.constant.items():
            arrays[name] = pa.array([value] * len(matrix), pa.string())
        return arrays

    def phases(self, matrix: Matrix) -> dict[str, Floats]:
        """Of each datetime column, the sines and cosines of its cycles; [rows, 2 · cycles]."""
        values = numeric.unscale(matrix[:, : len(self.center)], self.center, self.spread)
        phases, start = {}, 0
        for column in self.state.numeric:
            if column.cycles:
                phases[column.column] = values[:, start : start + column.width]
            start += column.width
        return phases


def _number_column(column: Column, profile: ColumnProfile) -> NumericColumn:
    words = column.role == "boolean" and (profile.bad_numbers > 0 or profile.is_boolean_type)
    return NumericColumn(
        column=column.name,
        role=column.role,
        missing_rate=_missing_rate(profile),
        gaps=profile.missing > 0,
        words=words,
        whole=not words and profile.numbers.count > 0 and profile.numbers.all_integer,
        spellings=_spellings(profile) if words and not profile.is_boolean_type else None,
    )


def _datetime_column(column: Column, profile: ColumnProfile) -> NumericColumn:
    return NumericColumn(
        column=column.name,
        role="datetime",
        missing_rate=_missing_rate(profile),
        gaps=profile.missing > 0,
        cycles=profile.instants.cycles or ("day",),
        whole=profile.instants.only_dates,
        span=(profile.first_instant, profile.last_instant),
    )


def _missing_rate(profile: ColumnProfile) -> float:
    return (profile.missing + 0.5) / (profile.rows + 1)


def _spellings(profile: ColumnProfile) -> tuple[str, str] | None:
    """The most frequent words for false and true."""
    spellings = [
        next((word for word, _ in profile.counts.most_common() if word.lower() in tokens), None)
        for tokens in (cells.FALSE_TOKENS, cells.TRUE_TOKENS)
    ]
    return (spellings[0], spellings[1]) if spellings[0] and spellings[1] else None


def _differs(array: pa.Array, value: str, rules: cells.CellRules) -> tuple[Mask, Mask]:
    """Which cells are not the constant `value`, by truth, number or letter, and which are missing."""
    if value.lower() in ("true", "false"):
        truths = cells.booleans(array, rules)
        return np.asarray(truths.values != (value.lower() == "true")), np.asarray(truths.missing)
    if _is_number(value):
        numbers = cells.numbers(array, rules)
        return np.asarray(numbers.values != float(value)), np.asarray(numbers.missing)
    names = cells.categories(array, rules)
    if value.removeprefix("-").isdecimal():
        names = cells.whole(names)
    differs = pc.fill_null(pc.not_equal(names, unicodedata.normalize("NFC", value)), True)
    return (
        np.asarray(differs.to_numpy(zero_copy_only=False)),
        np.asarray(names.is_null().to_numpy(zero_copy_only=False)),
    )


def _is_number(text: str) -> bool:
    """Whether `text` is the spelling of a finite float; '01' and 'nan' are words."""
    try:
        return math.isfinite(float(text)) and repr(float(text)) == text
    except ValueError:
        return False
