"""Arrow in, Arrow out: scoring a part of the rows, whichever engine has cut them into parts.

What the command line says of an input as a whole is not said here: nobody sees the whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config.names import no_column
from aedetect.data import cells
from aedetect.engine.python_words import python_errors
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.integrations.one_thread import ONE_THREAD
from aedetect.integrations.packed_model import Model, PackedModel
from aedetect.io.columnar import with_usual_types
from aedetect.io.source import TableInput, batch_rows
from aedetect.scoring.base import NumberedBatch
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.result_columns import check_free, result_arrays, result_schema
from aedetect.scoring.scorers import scorer_of
from aedetect.scoring.series_reader import Timeless
from aedetect.scoring.table import TableScorer

Keep = Literal["all", "id", "none"]
# What messages call the rows.
_DATA = "data"


@dataclass(frozen=True)
class Options:
    """What goes to the output, and what is known of the data as a whole.

    `keep`: which of the input's columns go to the output. `prefix`: before the names of the added columns.
    `empty`: columns that hold no value in any row of all the data, by which no row is judged.
    """

    keep: Keep = "all"
    prefix: str = ""
    empty: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchScorer(ABC):
    """Scores parts of the rows, on one thread; it can be pickled. What rows and series have in common."""

    model: PackedModel
    options: Options

    @classmethod
    def of(
        cls,
        model: Model,
        options: Options,
        settings: Mapping[str, Any] | None = None,
        sha256: str | None = None,
        other: str = "",
    ) -> Self:
        """The scorer of a model. Raises UsageError for one of the other kind, for which `other` is there."""
        if options.keep not in get_args(Keep):
            raise UsageError(f"keep must be 'all', 'id' or 'none', not {options.keep!r}")
        scorer = cls(PackedModel.of(model, settings, sha256), options)
        fitted = scorer.model.fitted()
        scorer._check_kind(fitted, other)
        for name in options.empty:
            if name not in fitted.columns:
                raise UsageError(no_column("empty", name, fitted.columns, "in the model"))
        return scorer

    @abstractmethod
    def _check_kind(self, fitted: FittedModel, other: str) -> None:
        """Raises UsageError for a model of the other kind, ModelError for one that is too old."""

    @abstractmethod
    def _arrays(self, fitted: FittedModel, source: TableInput) -> list[list[pa.Array]]:
        """The added columns of each batch."""

    @property
    def known(self) -> set[str]:
        """The columns that the model knows, not all of which it needs."""
        return {column.name for column in self.model.fitted().input_schema.columns}

    @python_errors()
    def schema(self, arriving: pa.Schema) -> pa.Schema:
        """The columns of the output for rows of the columns `arriving`.

        Raises ModelError for columns that are missing, DataError for those that cannot be read, and
        UsageError where a column bears the name of an added one.
        """
        fitted = self.model.fitted()
        self._check(fitted, arriving)
        added = self._added(fitted)
        fields = [arriving.field(name) for name in self.remaining(arriving.names)]
        check_free([field.name for field in fields], added.names, _DATA)
        return pa.schema([*fields, *added])

    def remaining(self, names: Sequence[str]) -> list[str]:
        """Those of the input's columns that go to the output."""
        if self.options.keep == "all":
            return list(names)
        ids = self.model.fitted().schema.names("id") if self.options.keep == "id" else []
        return [name for name in ids if name in names]

    @python_errors()
    def score(self, rows: pa.Table) -> pa.Table:
        """Input columns as they are, and the added ones [rows, 5 or 6]; raises as `schema` does."""
        schema = self.schema(rows.schema)
        results = self.results(rows)
        leading = [rows.column(name) for name in self.remaining(rows.schema.names)]
        return pa.Table.from_arrays([*leading, *results.columns], schema=schema)

    @python_errors()
    def results(self, rows: pa.Table) -> pa.Table:
        """The added columns alone [rows, 5 or 6]. Raises ModelError and DataError as `schema` does."""
        fitted = self.model.fitted()
        source = TableInput(self._looked_at(fitted, rows), _DATA)
        added = self._added(fitted)
        with ONE_THREAD.each():
            parts = self._arrays(fitted, source) if len(rows) else []
        return pa.Table.from_batches(
            [pa.RecordBatch.from_arrays(part, schema=added) for part in parts], added
        )

    def _added(self, fitted: FittedModel) -> pa.Schema:
        return result_schema(self.options.prefix, scorer_of(fitted).has_events)

    def _check(self, fitted: FittedModel, arriving: pa.Schema) -> None:
        twice = [name for name, count in Counter(arriving.names).items() if count > 1]
        if twice:
            raise DataError(f"{_DATA}: the column name {twice[0]!r} appears twice; rename one")
        fitted.input_schema.check(_DATA, pa.schema([_as_text(field) for field in arriving]))

    def _looked_at(self, fitted: FittedModel, rows: pa.Table) -> pa.Table:
        """The columns that the model knows, in the types that they would have from a file."""
        self._check(fitted, rows.schema)
        known = self.known
        table = rows.select([name for name in rows.schema.names if name in known])
        for place, field in enumerate(table.schema):
            # Bytes are text if all of a file are; a part without any must not be taken for another type.
            if _as_text(field) is not field and table.column(place).null_count == len(table):
                nothing = pa.chunked_array([pa.nulls(len(table), pa.string())])
                table = table.set_column(place, _as_text(field), nothing)
        table = with_usual_types(table)
        fitted.input_schema.check(_DATA, table.schema)
        return table


class RowScorer(BatchScorer):
    """Scores rows under a model of tables, each by itself."""

    def _check_kind(self, fitted: FittedModel, other: str) -> None:
        if fitted.series is not None:
            raise UsageError(
                f"{self.model.name}: a model of time series, whose rows are scored together; use {other}"
            )

    def _arrays(self, fitted: FittedModel, source: TableInput) -> list[list[pa.Array]]:
        scorer, top = TableScorer(fitted), fitted.config.scoring.top_features
        rows = batch_rows(fitted.config, len(fitted.encoder.owners))
        return [
            result_arrays(scorer.score_batch(batch, self.options.empty), fitted.columns, top)
            for batch in fitted.schema.completed(source).open(rows).batches()
            if len(batch)
        ]


class SeriesScorer(BatchScorer):
    """Scores series, of each of which all rows have to be in one part."""

    @property
    def entity(self) -> list[str]:
        """The columns that name a series; none where all rows are of one."""
        return list(self._state(self.model.fitted()).entity)

    def _check_kind(self, fitted: FittedModel, other: str) -> None:
        if fitted.series is None:
            raise UsageError(
                f"{self.model.name}: a model of tables, whose rows are scored one by one; use {other}"
            )
        if self._state(fitted).grid.phase is None:
            raise ModelError(
                f"{self.model.name}: of an older aedetect, under which verdicts on a series depend on the "
                "others; retrain, or score with the command line"
            )
        if self.options.empty:
            raise UsageError("empty is for models of tables")

    @staticmethod
    def _state(fitted: FittedModel) -> Any:
        assert fitted.series is not None
        return fitted.series.state

    def _arrays(self, fitted: FittedModel, source: TableInput) -> list[list[pa.Array]]:
        session, top, first = scorer_of(fitted).open([source]), fitted.config.scoring.top_features, 0
        parts = []
        try:
            for batch in source.open(batch_rows(fitted.config, len(fitted.encoder.owners))).batches():
                scores = session.score(source, NumberedBatch(first, batch))
                parts.append(result_arrays(scores, fitted.columns, top))
                first += len(batch)
        except Timeless:
            # A changed type, if it is so in all series. Here it may be one of many.
            return [_unscorable(len(source.table))]
        return parts

    def series_names(self, rows: pa.Table) -> list[pa.ChunkedArray]:
        """For each column of `entity`, its values [rows] as names: text, null where missing."""
        fitted = self.model.fitted()
        table, rules = self._looked_at(fitted, rows), fitted.schema.rules
        columns = [table.column(name).chunks for name in self.entity]
        return [
            pa.chunked_array([cells.categories(chunk, rules) for chunk in chunks], pa.string())
            for chunks in columns
        ]

    @python_errors()
    def check_names(self, rows: pa.Table) -> None:
        """Raises DataError where an engine that groups by cells takes rows of one series for those of two."""
        for column, names in zip(self.entity, self.series_names(rows), strict=True):
            given = rows.column(column)
            is_text = cells.is_text(cells.value_type(given.type))
            given = given.cast(pa.string()) if is_text else given
            lost = pc.and_(pc.is_valid(given), pc.is_null(names))
            other = pc.fill_null(pc.not_equal(given, names), False) if is_text else lost
            place = pc.index(pc.or_(lost, other), True).as_py()
            if place < 0:
                continue
            read = names[place].as_py()
            does = "takes for missing; make it null" if read is None else f"reads as {read!r}; write that"
            raise DataError(
                f"{_DATA}: column {column!r} holds {given[place].as_py()!r}, which aedetect {does} before "
                "rows are grouped, or one series is taken for two"
            )


def _unscorable(rows: int) -> list[pa.Array]:
    """The added columns of rows of series of which none has a time."""
    return [
        pa.array(["unscorable"] * rows) if field.name == "anomaly_status" else pa.nulls(rows, field.type)
        for field in result_schema("", series=True)
    ]


def _as_text(field: pa.Field) -> pa.Field:
    """A column of bytes as the text that it may be."""
    kinds, type_ = pa.types, cells.value_type(field.type)
    if kinds.is_binary(type_) or kinds.is_large_binary(type_) or kinds.is_binary_view(type_):
        return field.with_type(pa.string())
    return field
