"""Scoring inside Spark, on two threads of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from support.engine_rows import (
    NUMBER,
    by_command_line,
    check_same,
    machine_rows,
    mixed_rows,
    printed_by,
    shuffled,
    snippets,
)
from support.prompt import Prompt

from aedetect.errors import ModelError, UsageError

pyspark = pytest.importorskip("pyspark")

from aedetect.integrations import spark  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")

# Columns of types that no model learns.
FURTHER = [
    "timestamp'2026-01-02 03:04:05 Europe/Berlin' as instant", "timestamp_ntz'2026-01-02 03:04:05' as local",
    "date'2026-01-02' as day", "cast(1.5 as decimal(9,2)) as exact", "cast(1 as tinyint) as small",
    "array(1, null) as list", "map('a', 1) as mapped", "struct(1 as x, 'y' as y) as both",
    "binary('raw') as raw", "interval '3' day as span", "null as nothing",
]  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Spark on this machine."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "700",
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    del os.environ["PYSPARK_PYTHON"]


def by_spark(session: Any, rows: pa.Table, folder: Path, parts: int) -> Any:
    """A DataFrame of so many partitions, read from a Parquet file."""
    path = folder / "input.parquet"
    parquet.write_table(rows, path)
    return session.read.parquet(str(path)).repartition(parts)


def gathered(scored: Any) -> pa.Table:
    table = scored.toArrow()
    assert isinstance(table, pa.Table)
    return table


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 5])
def test_rows_are_as_the_command_line_has_them(
    session: Any, prompt: Prompt, tiny_model: Path, parts: int
) -> None:
    rows = mixed_rows()
    data = by_spark(session, shuffled(rows), prompt.folder, parts)
    score = spark.scorer(tiny_model, settings={"threshold.alert_rate": 0.05})
    scored = data.mapInArrow(score, score.schema(data.schema))
    check_same(gathered(scored), by_command_line(prompt, rows, tiny_model, "--alert-rate", 0.05))


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 5])
def test_series_are_as_the_command_line_has_them(
    session: Any, prompt: Prompt, pumps_model: Path, parts: int
) -> None:
    rows = machine_rows()
    data = by_spark(session, shuffled(rows), prompt.folder, parts)
    score = spark.series_scorer(pumps_model.read_bytes())
    scored = data.groupBy(*score.entity).applyInArrow(score.of_group, score.schema(data.schema))
    check_same(gathered(scored), by_command_line(prompt, rows, pumps_model))


@pytest.mark.slow
def test_columns_of_other_types_come_back_as_they_are(
    session: Any, prompt: Prompt, tiny_model: Path, pumps_model: Path
) -> None:
    data = by_spark(session, mixed_rows(50), prompt.folder, 2).selectExpr("*", *FURTHER)
    score = spark.scorer(tiny_model)
    scored = data.mapInArrow(score, score.schema(data.schema))
    assert scored.select(data.columns).schema == data.schema
    assert scored.orderBy(NUMBER).select(data.columns).collect() == data.orderBy(NUMBER).collect()
    data = by_spark(session, machine_rows().slice(0, 50), prompt.folder, 2).selectExpr("*", *FURTHER)
    series = spark.series_scorer(pumps_model)
    scored = data.groupBy("machine").applyInArrow(series.of_group, series.schema(data.schema))
    assert scored.orderBy(NUMBER).select(data.columns).collect() == data.orderBy(NUMBER).collect()


@pytest.mark.slow
def test_instants_are_those_of_the_file(session: Any, prompt: Prompt, pumps_model: Path) -> None:
    rows = machine_rows()
    rows = rows.set_column(0, "time", rows["time"].cast(pa.timestamp("us", "UTC")))
    data = by_spark(session, rows, prompt.folder, 2)
    assert dict(data.dtypes)["time"] == "timestamp"
    score = spark.series_scorer(pumps_model, keep="all")
    scored = data.groupBy(*score.entity).applyInArrow(score.of_group, score.schema(data.schema))
    check_same(gathered(scored), by_command_line(prompt, rows, pumps_model))


@pytest.mark.slow
def test_what_the_page_shows(session: Any, page_folder: Path, prompt: Prompt) -> None:
    whole, printed, of_series = snippets("Spark")
    rows = machine_rows()
    names: dict[str, Any] = {"pumps": by_spark(session, rows, prompt.folder, 3)}
    assert printed_by(whole, names) == printed
    printed_by(of_series, names)
    check_same(gathered(names["scored"]), by_command_line(prompt, rows, page_folder / "pumps.aed"))


@pytest.mark.slow
def test_a_name_that_spark_tells_apart_is_refused_in_the_error_of_spark(
    session: Any, prompt: Prompt, pumps_model: Path
) -> None:
    rows = machine_rows()
    names = [f" {name}" if place % 3 else name for place, name in enumerate(rows["machine"].to_pylist())]
    data = by_spark(session, rows.set_column(1, "machine", pa.array(names)), prompt.folder, 2)
    score = spark.series_scorer(pumps_model)
    scored = data.groupBy(*score.entity).applyInArrow(score.of_group, score.schema(data.schema))
    said = r"DataError: data: column 'machine' holds ' m\d', which aedetect reads as 'm\d'; write that before"
    with pytest.raises(pyspark.errors.PythonException, match=said):
        scored.collect()


def test_the_schema_of_the_output(tiny_model: Path, pumps_model: Path) -> None:
    fields = "temp double, load string, site string, open string, n bigint"
    arriving = _struct(fields)
    added = "anomaly_score double, anomaly_p_value double, is_anomaly boolean, anomaly_features string, "
    added += "anomaly_status string"
    assert spark.scorer(tiny_model).schema(arriving) == _struct(f"{fields}, {added}")
    assert spark.scorer(tiny_model, keep="none").schema(arriving) == _struct(added)
    fields = "machine string, time timestamp_ntz, temp double, load double, open boolean"
    assert spark.series_scorer(pumps_model).schema(_struct(fields)) == _struct(
        f"{fields}, {added}, anomaly_event bigint"
    )


def _struct(text: str) -> Any:
    """The schema that a text such as 'temp double, site string' says; no session is needed for that."""
    from pyspark.sql.types import StructType

    kinds = {"bigint": "long"}
    struct = StructType()
    for name, kind in (part.split() for part in text.split(", ")):
        struct = struct.add(name, kinds.get(kind, kind))
    return struct


def test_what_does_not_fit_is_refused_at_once(tiny_model: Path, pumps_model: Path) -> None:
    with pytest.raises(UsageError, match=r"use spark\.series_scorer with groupBy\(…\)\.applyInArrow$"):
        spark.scorer(pumps_model)
    with pytest.raises(UsageError, match=r"use spark\.scorer with mapInArrow$"):
        spark.series_scorer(tiny_model)
    said = "data: column 'site' is missing, which the model was trained on; "
    with pytest.raises(ModelError, match=f"^{re.escape(said)}"):
        spark.scorer(tiny_model).schema(_struct("temp double, load double, open boolean"))
