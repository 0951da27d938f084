"""Scoring inside Spark: what `DataFrame.mapInArrow` and `GroupedData.applyInArrow` take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from aedetect.integrations import batches
from aedetect.integrations.batches import Keep, Options
from aedetect.integrations.engines import SPARK
from aedetect.integrations.packed_model import Model

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

# By the names that Spark gives its types.
_ARROW_TYPES = {
    "boolean": pa.bool_(),
    "byte": pa.int8(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "char": pa.string(),
    "varchar": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "time": pa.time64("ns"),
    "daytimeinterval": pa.duration("us"),
    "interval": pa.duration("us"),
    "void": pa.null(),
}


@dataclass(frozen=True)
class Scorer:
    """Scores the rows of a DataFrame, each by itself; `mapInArrow` takes it as it is."""

    scorer: batches.RowScorer

    def __call__(self, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Each batch of rows [rows, columns] with the added columns [rows, columns + 5]."""
        for part in parts:
            yield from self.scorer.score(pa.Table.from_batches([part])).to_batches()

    def schema(self, arriving: StructType) -> StructType:
        """The schema of the output, for rows of the schema `arriving`.

        Raises ModelError for columns that are missing, DataError for those that cannot be read, and
        UsageError where a column bears the name of an added one.
        """
        return _output_schema(self.scorer, arriving)


@dataclass(frozen=True)
class SeriesScorer:
    """Scores whole series of a DataFrame that is grouped by `entity`."""

    scorer: batches.SeriesScorer

    @property
    def entity(self) -> list[str]:
        """The columns to group by; none where all rows are of one series."""
        return self.scorer.entity

    @property
    def of_group(self) -> Callable[[pa.Table], pa.Table]:
        """What `applyInArrow` takes: all rows of a series [rows, columns], with the added columns
        [rows, columns + 6]."""
        scorer = self.scorer

        # Spark counts the arguments of what it is given, and `self` as one of them.
        def of_group(rows: pa.Table) -> pa.Table:
            scorer.check_names(rows)
            return scorer.score(rows)

        return of_group

    def schema(self, arriving: StructType) -> StructType:
        """The schema of the output, for rows of the schema `arriving`; raises as `Scorer.schema` does."""
        return _output_schema(self.scorer, arriving)


def scorer(
    model: Model,
    *,
    keep: Keep = "all",
    prefix: str = "",
    empty: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    sha256: str | None = None,
) -> Scorer:
    """The scorer of a model of tables: `df.mapInArrow(score, score.schema(df.schema))`.

    Parameters
    ----------
    model : path or bytes
        A model file, which the driver reads, or its bytes; Spark sends them to the workers.
    keep : 'all', 'id' or 'none'
        Which of the columns go to the output.
    prefix : str
        Before the names of the added columns.
    empty : sequence of str
        Columns that hold no value in any row of the DataFrame, by which no row is judged.
    settings : mapping, optional
        Scoring, threshold and event settings in place of the model's, as for `Detector.adjusted`.
    sha256 : str, optional
        The digest that the model file must have.

    Raises
    ------
    UsageError, ModelError
        The model cannot be used, or is one of time series; pyspark is missing or too old.
    """
    SPARK.check()
    options = Options(keep, prefix, tuple(empty))
    other = "spark.series_scorer with groupBy(…).applyInArrow"
    return Scorer(batches.RowScorer.of(model, options, settings, sha256, other))


def series_scorer(
    model: Model,
    *,
    keep: Keep = "all",
    prefix: str = "",
    settings: Mapping[str, Any] | None = None,
    sha256: str | None = None,
) -> SeriesScorer:
    """The scorer of a model of time series, whose rows Spark is to bring together.

    `df.groupBy(*score.entity).applyInArrow(score.of_group, score.schema(df.schema))`

    Parameters
    ----------
    model, keep, prefix, settings, sha256
        As for `scorer`; the model is one of time series.

    Raises
    ------
    UsageError, ModelError
        The model cannot be used, or is one of tables; pyspark is missing or too old.
    """
    SPARK.check()
    other = "spark.scorer with mapInArrow"
    return SeriesScorer(batches.SeriesScorer.of(model, Options(keep, prefix), settings, sha256, other))


def _output_schema(scorer: batches.BatchScorer, arriving: StructType) -> StructType:
    from pyspark.sql.types import BooleanType, DoubleType, LongType, StringType, StructField, StructType

    added = {
        pa.float64(): DoubleType(),
        pa.bool_(): BooleanType(),
        pa.string(): StringType(),
        pa.int64(): LongType(),
    }
    fields = {field.name: field for field in arriving}
    as_arrow = pa.schema([pa.field(field.name, _arrow_type(field.dataType)) for field in arriving])
    return StructType(
        [
            fields.get(field.name) or StructField(field.name, added[field.type])
            for field in scorer.schema(as_arrow)
        ]
    )


def _arrow_type(type_: DataType) -> pa.DataType:
    """The type in which Spark sends a column, as far as matters for whether it can be read."""
    name = type_.typeName()
    if name == "decimal":
        return pa.decimal128(type_.precision, type_.scale)
    # Lists and objects, which cannot be read, and whatever else there may be.
    return _ARROW_TYPES.get(name.partition("(")[0], pa.struct([pa.field(name, pa.null())]))
