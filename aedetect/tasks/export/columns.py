"""The inputs of an exported model of tables: one for each column, and how a batch of cells becomes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import AnyArray
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import Vocabulary
from aedetect.data.features.encoder import NumericColumn

NUMBER, TEXT = "double", "string"
# What stands for a cell that holds nothing, in an input of text.
NO_TEXT = ""
_MOST_EXACT = 2**53

Reader = Callable[[pa.Array], AnyArray]


@dataclass(frozen=True)
class ColumnInput:
    """One input of the graph, by the name of its column.

    `type`: of the tensor, 'double' or 'string'. `meaning`: what a value is, for people. `read` makes the
    values [rows] of the cells [rows] of a column, as scoring reads them.
    """

    name: str
    role: str
    type: str
    meaning: str
    read: Reader = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """For metadata and JSON."""
        return {
            "name": self.name,
            "type": self.type,
            "shape": ["rows"],
            "role": self.role,
            "meaning": self.meaning,
        }


def column_inputs(encoder: FeatureEncoder) -> list[ColumnInput]:
    """The inputs of all columns that a model of tables looks at: numbers, categories, watched constants."""
    rules = encoder.schema.rules
    inputs = [_of_numbers(column, rules) for column in encoder.state.numeric]
    inputs += [_of_categories(vocabulary, rules) for vocabulary in encoder.state.categorical]
    return inputs + [_of_constant(name, value, rules) for name, value in encoder.state.constant.items()]


def feeds(inputs: list[ColumnInput], batch: pa.RecordBatch) -> dict[str, AnyArray]:
    """What a runtime is given for the rows of a batch, by the names of the inputs."""
    return {each.name: each.read(batch.column(each.name)) for each in inputs}


def number_of(constant: str) -> float | None:
    """The number that a watched constant is compared as; None for one that is a name."""
    if constant.lower() in ("true", "false"):
        return float(constant.lower() == "true")
    if constant.removeprefix("-").isdecimal():
        # A larger one has neighbours that are the same number, and other names.
        return (
            float(constant) if str(int(constant)) == constant and abs(int(constant)) < _MOST_EXACT else None
        )
    try:
        return float(constant) if repr(float(constant)) == constant and np.isfinite(float(constant)) else None
    except ValueError:
        return None


def _of_numbers(column: NumericColumn, rules: cells.CellRules) -> ColumnInput:
    if column.cycles:
        meaning = "seconds since 1970-01-01 in UTC; NaN where missing"
    elif column.words:
        meaning = "1 for true, 0 for false; NaN where missing"
    else:
        meaning = "a number; NaN where missing"

    def read(array: pa.Array) -> AnyArray:
        return np.asarray(column.read(array, rules).values, dtype=np.float64)

    return ColumnInput(column.column, column.role, NUMBER, meaning, read)


def _of_categories(vocabulary: Vocabulary, rules: cells.CellRules) -> ColumnInput:
    meaning = "its name, without spaces around it; empty where missing"
    if vocabulary.codes:
        meaning = "a whole number or a boolean as text, as in '7' or 'true'; empty where missing"

    def read(array: pa.Array) -> AnyArray:
        names = cells.categories(array, rules)
        return _text(cells.codes(names, rules) if vocabulary.codes else names)

    return ColumnInput(vocabulary.column, "categorical", TEXT, meaning, read)


def _of_constant(name: str, value: str, rules: cells.CellRules) -> ColumnInput:
    number, here = number_of(value), rules.of(name)
    if number is None:

        def read(array: pa.Array) -> AnyArray:
            return _text(cells.categories(array, here))

        return ColumnInput(name, "constant", TEXT, f"{value!r} in all rows of training", read)

    def read_number(array: pa.Array) -> AnyArray:
        reading = cells.booleans if value.lower() in ("true", "false") else cells.numbers
        return np.asarray(reading(array, here).values, dtype=np.float64)

    return ColumnInput(name, "constant", NUMBER, f"{number:g} in all rows of training", read_number)


def _text(names: pa.Array) -> AnyArray:
    return np.asarray(pc.fill_null(names, NO_TEXT).to_numpy(zero_copy_only=False), dtype=object)
