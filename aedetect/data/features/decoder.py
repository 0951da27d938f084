"""From encoded rows back to the user's columns: their units, categories and types."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.features import datetime, numeric
from aedetect.data.features.categorical import FIRST_KNOWN, OTHER
from aedetect.data.features.decimals import MANY
from aedetect.data.features.encoder import FeatureEncoder, NumericColumn
from aedetect.data.instants import DAY

# Features are float32: further digits are none of the data's.
_DIGITS = 7
_TICKS = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
# The largest whole number of float64 that int64 can hold.
_LARGEST_WHOLE = 2.0**63 - 1024


def restored(
    encoder: FeatureEncoder, matrix: Matrix, bounded: bool = True, groups: Integers | None = None
) -> dict[str, pa.Array]:
    """The learned and constant columns of `matrix` [rows, features], by name, in trained order.

    Numbers lie within the trained range, whole ones are rounded; a category is a known one; an
    instant is the one of the trained span that fits its place in the day, week and year best.
    Missing numbers, categories and instants are null. With `bounded` false, numbers may lie anywhere.
    `groups` [rows]: whose numbers they are to be; without it those of the whole.
    """
    arrays = {**dict(_numbers(encoder, matrix, bounded, groups)), **dict(_categories(encoder, matrix))}
    arrays |= dict(_constants(encoder, len(matrix)))
    return {
        column.name: as_type(arrays[column.name], _alias(column.type))
        for column in encoder.schema.columns
        if column.name in arrays
    }


def restored_types(encoder: FeatureEncoder) -> dict[str, pa.DataType]:
    """The Arrow type of each column that `restored` gives."""
    empty = np.empty((0, len(encoder.center) + len(encoder.state.categorical)), dtype=np.float32)
    return {name: column.type for name, column in restored(encoder, empty).items()}


def as_type(values: pa.Array, type_: pa.DataType | None) -> pa.Array:
    """Restored values in a column's own Arrow type; text where that is text, as it is for None.

    Numbers that the type cannot hold come as the nearest that it can.
    """
    if type_ is None or values.type == type_:
        return values
    if pa.types.is_duration(type_) or pa.types.is_time(type_):
        ticks = pc.round(pc.multiply(pc.cast(values, pa.float64()), _TICKS[type_.unit]))
        integers = pa.int32() if type_.bit_width == 32 else pa.int64()
        return pc.cast(_held(ticks, *_limits(type_)), integers).cast(type_)
    if pa.types.is_decimal(type_):
        values = pc.cast(values, pa.float64())
    if pa.types.is_decimal(type_) or pa.types.is_integer(type_):
        values = _held(values, *_limits(type_))
    return pc.cast(values, type_, safe=False)


def _limits(type_: pa.DataType) -> tuple[float, float]:
    """The least and the largest number that a type can hold; of times and durations, in their ticks."""
    if pa.types.is_time(type_):
        return 0, 24 * 3600 * _TICKS[type_.unit] - 1
    if pa.types.is_decimal(type_):
        # A little less, which is what the rounding to its last digit may add.
        most = 10.0 ** (type_.precision - type_.scale) * (1 - 1e-12) - 10.0**-type_.scale
        return -most, most
    held = np.iinfo(np.int64 if pa.types.is_duration(type_) else type_.to_pandas_dtype())
    return held.min, held.max


def _held(values: pa.Array, low: float, high: float) -> pa.Array:
    """Numbers moved between the two, which may lie beyond what the values' own type can hold."""
    if pa.types.is_floating(values.type):
        # The largest whole numbers are no floats, and the nearest float may be too large.
        low, high = float(low), float(high) if float(high) <= high else np.nextafter(float(high), 0.0)
    elif pa.types.is_integer(values.type):
        type_limits = np.iinfo(values.type.to_pandas_dtype())
        low, high = max(low, type_limits.min), min(high, type_limits.max)
    else:
        return values
    least, most = (pa.scalar(bound, values.type) for bound in (low, high))
    return pc.max_element_wise(pc.min_element_wise(values, most, skip_nulls=False), least, skip_nulls=False)


def _settled(
    encoder: FeatureEncoder, feature: int, values: Floats, bounded: bool, groups: Integers | None
) -> Floats:
    """Values [rows] of a numeric feature, moved into its trained range, and rounded as its column is.

    With `groups` [rows], that of their group.
    """
    column = _columns(encoder)[feature]
    low, high = encoder.quantiles[feature, 0], encoder.quantiles[feature, -1]
    if bounded and np.isfinite(low) and np.isfinite(high):
        values = np.clip(values, low, high)
    if groups is not None and encoder.groups is not None:
        values = encoder.groups.original(values[:, None], groups, [feature])[:, 0]
    decimals = 0 if column.whole else encoder.decimals(feature)
    return _significant(values) if decimals == MANY else np.round(values, decimals)


def _columns(encoder: FeatureEncoder) -> list[NumericColumn]:
    return [column for column in encoder.state.numeric for _ in range(column.width)]


def _numbers(
    encoder: FeatureEncoder, matrix: Matrix, bounded: bool, groups: Integers | None
) -> Iterator[tuple[str, pa.Array]]:
    width = len(encoder.center)
    values = numeric.unscale(matrix[:, :width], encoder.center, encoder.spread)
    start = 0
    for column in encoder.state.numeric:
        block = values[:, start : start + column.width]
        if column.cycles:
            yield column.column, _instants(block, column, encoder)
        elif column.words:
            yield column.column, column.truths(block[:, 0])
        else:
            numbers = _settled(encoder, start, block[:, 0], bounded, groups)
            if column.whole and not (np.abs(encoder.quantiles[start, [0, -1]]) > _LARGEST_WHOLE).any():
                numbers = np.clip(numbers, -_LARGEST_WHOLE, _LARGEST_WHOLE)
                whole = np.where(np.isnan(numbers), 0, numbers).astype(np.int64)
                yield column.column, pa.array(whole, mask=np.isnan(numbers))
            else:
                yield column.column, pa.array(numbers, from_pandas=True)
        start += column.width


def _instants(block: Floats, column: NumericColumn, encoder: FeatureEncoder) -> pa.Array:
    first, last = column.span or (0.0, DAY)
    type_ = _type_of(encoder, column.column)
    seconds = datetime.nearest(block, column.cycles, first, last)
    if column.column in encoder.schema.dates:
        return encoder.schema.dates[column.column].spelled(seconds)
    if type_.startswith("date") or (column.whole and not type_.startswith("timestamp")):
        days = np.where(np.isnan(seconds), 0, np.floor(seconds / DAY)).astype(np.int32)
        return pa.array(days, mask=np.isnan(seconds)).cast(pa.date32())
    if column.whole:
        seconds = np.floor(seconds / DAY) * DAY
    whole = np.where(np.isnan(seconds), 0, np.round(seconds)).astype(np.int64)
    zone = "UTC" if "tz=" in type_ else None
    return pa.array(whole, mask=np.isnan(seconds)).cast(pa.timestamp("s", tz=zone))


def _categories(encoder: FeatureEncoder, matrix: Matrix) -> Iterator[tuple[str, pa.Array]]:
    width = len(encoder.center)
    for index, vocabulary in enumerate(encoder.state.categorical):
        codes = matrix[:, width + index].copy()
        # The rare have no common name: the most frequent category stands for them.
        codes[codes == OTHER] = FIRST_KNOWN
        names = vocabulary.decode(codes) if vocabulary.values else pa.nulls(len(codes), pa.string())
        yield vocabulary.column, names.cast(_category_type(vocabulary.values, encoder, vocabulary.column))


def _category_type(values: tuple[str, ...], encoder: FeatureEncoder, name: str) -> pa.DataType:
    type_ = _type_of(encoder, name)
    whole = all(value.removeprefix("-").isdecimal() for value in values)
    if type_.startswith(("int", "uint")) and whole:
        return pa.int64()
    return pa.bool_() if type_ == "bool" and set(values) <= {"true", "false"} else pa.string()


def _constants(encoder: FeatureEncoder, rows: int) -> Iterator[tuple[str, pa.Array]]:
    for name, value in encoder.state.constant.items():
        type_ = _type_of(encoder, name)
        kind = pa.bool_() if type_ == "bool" else pa.string()
        if type_.startswith(("int", "uint", "float", "double", "halffloat", "decimal")):
            kind = pa.float64()
        if type_ in ("int64", "uint64") and value.removeprefix("-").isdecimal():
            # Beyond what float64 holds.
            kind = pa.type_for_alias(type_)
        written = cells.spelled(value) if pa.types.is_string(kind) else value
        yield name, pa.repeat(pa.scalar(written, pa.string()), rows).cast(kind)


def _alias(name: str) -> pa.DataType | None:
    """The Arrow type of that name; None for text, which says nothing, and for types with parameters."""
    try:
        type_ = pa.type_for_alias(name)
    except ValueError:
        return None
    return None if pa.types.is_string(type_) or pa.types.is_large_string(type_) else type_


def _type_of(encoder: FeatureEncoder, name: str) -> str:
    return next(column.type for column in encoder.schema.columns if column.name == name)


def _significant(values: Floats) -> Floats:
    """Values [rows] rounded to the digits that a feature can hold."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.clip(places, -300, 300)
        rounded = np.round(values * scale) / scale
    return np.where(np.isfinite(rounded), rounded, values)
