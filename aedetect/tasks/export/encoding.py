"""A table's encoder as a graph: from the columns of the user to what networks see.

The steps are those of `FeatureEncoder.transform`, in its order and in float64, so that a number becomes the
same bits there and here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import ndonnx
import ndonnx.extensions
import numpy as np
import pyarrow as pa

from aedetect.data import cells
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import FIRST_KNOWN, MISSING, OTHER, Vocabulary
from aedetect.data.features.datetime import MONDAY
from aedetect.data.features.encoder import NumericColumn
from aedetect.data.instants import PERIODS
from aedetect.models.evaluation.arrays import Array
from aedetect.tasks.export.columns import NO_TEXT, number_of
from aedetect.tasks.export.graph import constant

_LARGEST = float(np.finfo(np.float64).max)
# Beyond it, the square of a number and that square plus one are the same.
_FAR = 1e8

Columns = Mapping[str, Array]


@dataclass(frozen=True)
class EncodedColumns:
    """As `data.features.encoder.Encoded`: of each row.

    `matrix` [rows, features] float32; `unscorable`, `infinite` [rows]; `strange` [rows]: how many of its
    constants have changed and of its numbers lie far out.
    """

    matrix: Array
    unscorable: Array
    infinite: Array
    strange: Array


def encoded_columns(encoder: FeatureEncoder, columns: Columns) -> EncodedColumns:
    """The graph from inputs by column [rows] to what a model takes."""
    read = [_numbers(column, columns[column.column], encoder) for column in encoder.state.numeric]
    parts = [part for parts, _ in read for part in parts]
    codes = [_codes(each, columns[each.column], encoder) for each in encoder.state.categorical]
    some = next(iter(columns.values()))
    false = ndonnx.broadcast_to(constant(np.False_), some.dynamic_shape)
    unscorable, nothing = false, ~false
    for _, bad in read:
        unscorable = unscorable if bad is None else unscorable | bad
    for part in parts:
        nothing = nothing & ndonnx.isnan(part)
    for code in codes:
        nothing = nothing & (code == MISSING)
    if parts or codes:
        unscorable = unscorable | nothing
    infinite, strange = false, ndonnx.astype(false, ndonnx.float64)
    features = [ndonnx.astype(code, ndonnx.float32)[:, None] for code in codes]
    if parts:
        numbers = ndonnx.stack(parts, axis=1)
        infinite = ndonnx.any(ndonnx.abs(numbers) > cells.LARGEST, axis=1)
        strange = ndonnx.sum(ndonnx.astype(_far_out(encoder, numbers), ndonnx.float64), axis=1)
        features.insert(0, _scaled(numbers, encoder))
    for name, value in encoder.state.constant.items():
        strange = strange + ndonnx.astype(_differs(columns[name], value), ndonnx.float64)
    matrix = features[0] if len(features) == 1 else ndonnx.concat(features, axis=1)
    return EncodedColumns(matrix, unscorable, infinite, strange)


def _numbers(
    column: NumericColumn, values: Array, encoder: FeatureEncoder
) -> tuple[list[Array], Array | None]:
    """The features of a column before scaling, each [rows], and which rows [rows] cannot be read."""
    rules = encoder.schema.rules.of(column.column)
    readable = ndonnx.isnan(values) | (values == 0.0) | (values == 1.0) if column.words else None
    if column.cycles:
        missing = rules.missing_dates if rules.na_rule == "pandas" else []
        if rules.na_rule == "pandas":
            first, end = cells.DATES
            values = ndonnx.where((values >= first) & (values < end), values, np.nan)
    else:
        missing = [] if column.words else rules.missing_numbers
    for number in missing:
        values = ndonnx.where(values == number, np.nan, values)
    if readable is not None:
        return [ndonnx.where(readable, values, np.nan)], ~readable
    return (_phases(values, column) if column.cycles else [values]), None


def _phases(seconds: Array, column: NumericColumn) -> list[Array]:
    """As `data.features.datetime.encode`."""
    parts = []
    for name in column.cycles:
        period = float(PERIODS[name])
        since = seconds - float(MONDAY)
        turn = since - ndonnx.floor(since / period) * period
        phase = 2 * np.pi * turn / period
        # The cosine, of which ONNX Runtime has none in float64.
        parts += [float(np.sqrt(2)) * ndonnx.sin(each) for each in (phase, phase + np.pi / 2)]
    return parts


def _scaled(numbers: Array, encoder: FeatureEncoder) -> Array:
    """As `data.features.numeric.scale`: [rows, numeric features] in float32."""
    standardised = (numbers - constant(encoder.center)) / constant(encoder.spread)
    size = ndonnx.abs(standardised)
    size = ndonnx.where(size > _LARGEST, _LARGEST, size)
    near = ndonnx.where(size > _FAR, 0.0, size)
    # log1p of float64, near 0 by its series: runtimes have none that is exact there.
    inner = near + near * near / (1 + ndonnx.sqrt(near * near + 1))
    straight = ndonnx.log(1 + inner)
    straight = ndonnx.where(near < 1e-4, near - near * near * near / 6, straight)
    compressed = ndonnx.where(size > _FAR, ndonnx.log(size) + float(np.log(2)), straight)
    compressed = ndonnx.where(standardised < 0, -compressed, compressed)
    compressed = ndonnx.where(ndonnx.isnan(standardised), np.nan, compressed)
    return ndonnx.astype(compressed, ndonnx.float32)


def _far_out(encoder: FeatureEncoder, numbers: Array) -> Array:
    low, high = (constant(each) for each in encoder.range)
    return (numbers < low) | (numbers > high)


def _codes(vocabulary: Vocabulary, names: Array, encoder: FeatureEncoder) -> Array:
    """As `Vocabulary.encode`: codes [rows], int64."""
    rules = encoder.schema.rules
    values = [unicodedata.normalize("NFC", value) for value in vocabulary.values]
    known: dict[str, int] = {}
    nothing = {NO_TEXT, *rules.missing_names}
    if vocabulary.codes:
        spelled = cells.codes(pa.array(values, pa.string()), rules).to_pylist()
        known = {
            name: FIRST_KNOWN + at for at, name in reversed(list(enumerate(spelled))) if name is not None
        }
        nothing |= {text.lower() for text in rules.missing_values}
    for at, value in enumerate(values):
        known.setdefault(value, FIRST_KNOWN + at)
    known |= dict.fromkeys(nothing, MISSING)
    return ndonnx.extensions.static_map(names, known, OTHER)


def _differs(values: Array, value: str) -> Array:
    """Which cells [rows] are not the constant; one that is missing is another."""
    number = number_of(value)
    if number is not None:
        return ~(values == number)
    same = ndonnx.extensions.static_map(values, {unicodedata.normalize("NFC", value): 1}, 0)
    return same == 0
