"""The columns a model knows, and how they are matched to a new input."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from aedetect.config import Role
from aedetect.data.cells import CellRules, NaRule
from aedetect.data.profile import is_usable, kind_of
from aedetect.data.renamed import columns_in_words, missing_columns
from aedetect.data.series.timestamps import Clock
from aedetect.data.written_numbers import Writing
from aedetect.errors import DataError
from aedetect.io.completed import CompletedInput
from aedetect.io.source import Input

# Why a column is left out that has no value in any row of training.
EMPTY_REASON = "every value is missing"
LEARNED_ROLES = ("numeric", "categorical", "boolean", "datetime")


class Column(BaseModel):
    """One column of the training data: what it was taken for, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    role: Role
    reason: str
    type: str
    constant: str | None = None

    @property
    def is_learned(self) -> bool:
        """Whether the column becomes features of the model."""
        return self.role in LEARNED_ROLES

    @property
    def was_empty(self) -> bool:
        """Whether the column is left out since it held nothing in training."""
        return self.role == "ignored" and self.reason == EMPTY_REASON

    @property
    def is_input(self) -> bool:
        """Whether scoring looks at this column: constants are watched, times and entities order the rows."""
        return self.is_learned or self.role in ("constant", "time", "entity")


class Schema(BaseModel):
    """All columns of the training data, in their order, and how cells were read.

    `na_rule`: which texts mean 'missing'. Models of 0.1.0 do not say and keep the rule of theirs.
    `writings`: how numbers are written that are not plain, by column name; `dates`: the same of dates.
    `optional`: learned columns that some files of the training data had not. `groups`: the columns that say
    which group a row belongs to, whatever their roles.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[Column, ...]
    decimal: str = "."
    na_values: tuple[str, ...] = ()
    na_rule: NaRule = "0.1.0"
    writings: dict[str, Writing] = {}
    dates: dict[str, Clock] = {}
    optional: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Models of plain numbers and dates, and of files alike, are written as before there were others."""
        data: dict[str, Any] = handler(self)
        for name in ("writings", "dates", "optional", "groups"):
            if not data.get(name):
                data.pop(name, None)
        return data

    @property
    def rules(self) -> CellRules:
        """How the cells of new data are read."""
        return CellRules(self.decimal, self.na_values, self.na_rule, self.writings, dates=self.dates)

    def with_optional(self, absent: Collection[str]) -> Schema:
        """This schema, of which some files of the training data lacked the columns `absent`."""
        names = tuple(column.name for column in self.columns if column.is_learned and column.name in absent)
        return self.model_copy(update={"optional": names})

    def absent(self, arriving: pa.Schema) -> list[pa.Field]:
        """The optional columns that an input lacks, in the types that their cells have elsewhere."""
        types = {"numeric": pa.float64(), "boolean": pa.bool_()}
        return [
            pa.field(column.name, types.get(column.role, pa.string()))
            for column in self.columns
            if column.name in self.optional and column.name not in arriving.names
        ]

    def completed(self, source: Input) -> Input:
        """`source` with the optional columns that it lacks, in which every cell is missing."""
        absent = self.absent(source.open(1024).schema) if self.optional else []
        return CompletedInput(source, absent) if absent else source

    def with_decimal(self, mark: str) -> Schema:
        """This schema for data whose numbers have another decimal mark."""
        other = "," if mark == "." else "."
        writings = {
            name: writing.model_copy(
                update={
                    "decimal": mark,
                    "thousands": other if writing.thousands == mark else writing.thousands,
                }
            )
            for name, writing in self.writings.items()
        }
        return self.model_copy(update={"decimal": mark, "writings": writings})

    @property
    def inputs(self) -> list[Column]:
        """The columns that new data must have."""
        return [column for column in self.columns if column.is_input or column.name in self.groups]

    def names(self, role: Role) -> list[str]:
        """The columns of that role."""
        return [column.name for column in self.columns if column.role == role]

    def check(
        self, name: str, arriving: pa.Schema, model: str = "the model", used: str | None = None
    ) -> list[str]:
        """Match an input's columns by name. Returns notices about extra columns, but for the one `used`.

        Columns that files of the training data lacked may be missing, which is said, too. Raises ModelError
        naming the columns that the model needs and the input `name` lacks, and DataError for one that
        cannot be looked at, such as a list.
        """
        # A file without a byte has no columns, and no row that would lack them.
        if not arriving.names:
            return []
        present = set(arriving.names)
        absent = [field.name for field in self.absent(arriving)]
        lacking = [column.name for column in self.inputs if column.name not in {*present, *absent}]
        known = {used, *(column.name for column in self.columns)}
        extra = [field for field in arriving.names if field not in known]
        if lacking:
            raise missing_columns(name, lacking, extra, model)
        for column in self.inputs:
            if column.name in absent:
                continue
            field = arriving.field(column.name)
            if not is_usable(field):
                raise DataError(
                    f"{name}: column {column.name!r} holds {kind_of(field)} values, which cannot be read as "
                    f"{column.role}, as it was in training; has its type changed?"
                )
        notices = [f"{name}: {columns_in_words(extra)} not known to the model and ignored"] if extra else []
        if absent:
            notices.append(
                f"{name}: {columns_in_words(absent)} missing, as in some files of the training data"
            )
        return notices
