"""Parquet files put together by row groups, as pyarrow reads them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset
import pytest
from pyarrow import parquet

from aedetect.io.parquet_join import join_parquet

SCHEMA = pa.schema(
    [
        pa.field("n", pa.float64()),
        pa.field("name", pa.string()),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
        pa.field("parts", pa.list_(pa.int64())),
        pa.field("when", pa.timestamp("us", tz="UTC")),
    ],
    metadata={"who": "me"},
)


def table(rows: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "n": random.standard_normal(rows),
            "name": [None if place % 7 == 3 else f"name {place}" for place in range(rows)],
            "kind": pa.array([str(place % 3) for place in range(rows)])
            .dictionary_encode()
            .cast(SCHEMA[2].type),
            "parts": [list(range(place % 4)) for place in range(rows)],
            "when": pa.array(range(rows), pa.timestamp("us", tz="UTC")),
        },
        schema=SCHEMA,
    )


def joined(folder: Path, tables: list[pa.Table], **options: object) -> tuple[io.BytesIO, list[Path]]:
    paths = [folder / f"{number}.parquet" for number in range(len(tables))]
    for path, part in zip(paths, tables, strict=True):
        parquet.write_table(part, path, **options)
    stream = io.BytesIO()
    join_parquet([str(path) for path in paths], stream)
    return stream, paths


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd", "use_dictionary": ["name"]},
        {"row_group_size": 7, "write_page_index": True, "write_page_checksum": True},
        {"data_page_version": "2.0", "data_page_size": 100},
    ],
)
def test_rows_statistics_and_schema_are_kept(options: dict[str, object], tmp_path: Path) -> None:
    tables = [table(rows, rows) for rows in (20, 0, 1, 33)]
    stream, paths = joined(tmp_path, tables, **options)
    file = parquet.ParquetFile(stream, page_checksum_verification=True)
    each = [parquet.read_table(path) for path in paths]
    assert file.read().to_pylist() == pa.concat_tables(each).to_pylist()
    assert file.schema_arrow.equals(each[0].schema, check_metadata=True)
    assert file.schema_arrow.metadata == {b"who": b"me"}
    groups = [
        parquet.ParquetFile(path).metadata.row_group(number)
        for path in paths
        for number in range(parquet.ParquetFile(path).num_row_groups)
    ]
    assert file.num_row_groups == len(groups)
    for number, group in enumerate(groups):
        now = file.metadata.row_group(number)
        for column in range(group.num_columns):
            assert now.column(column).statistics == group.column(column).statistics
            assert now.column(column).has_column_index == group.column(column).has_column_index


def test_one_row_group_is_read_by_itself(tmp_path: Path) -> None:
    tables = [table(10, seed) for seed in range(4)]
    stream, _ = joined(tmp_path, tables)
    file = parquet.ParquetFile(stream)
    for number in (3, 0, 2):
        assert file.read_row_group(number).to_pylist() == tables[number].to_pylist()


def test_other_programs_read_it(tmp_path: Path) -> None:
    tables = [table(10, seed) for seed in range(3)]
    stream, _ = joined(tmp_path, tables)
    path = tmp_path / "all.parquet"
    path.write_bytes(stream.getvalue())
    found = pa.dataset.dataset(path).to_table(filter=pa.compute.field("name") == "name 5")
    assert found.num_rows == 3


def test_filtered_by_page_indexes(tmp_path: Path) -> None:
    tables = [pa.table({"n": range(start, start + 1000)}) for start in (0, 1000, 2000)]
    stream, _ = joined(tmp_path, tables, write_page_index=True, data_page_size=64)
    assert parquet.read_table(stream, filters=[("n", ">=", 2500)])["n"].to_pylist() == list(range(2500, 3000))


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1\.parquet: its columns are not those of .*0\.parquet"):
        joined(tmp_path, [pa.table({"a": [1]}), pa.table({"b": [1]})])


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(20), b"x" * 40 + b"\xff\xff\xff\x7fPAR1"])
def test_what_is_no_parquet_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"x\.parquet: no Parquet file"):
        join_parquet([str(path)], io.BytesIO())
