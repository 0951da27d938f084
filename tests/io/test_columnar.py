from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from aedetect.io.columnar import open_columnar

TABLE = pa.table({"n": range(10), "kind": pa.array(["a", "b"] * 5).dictionary_encode()})


def write(folder: Path, kind: str) -> Path:
    path = folder / kind
    match kind:
        case "parquet":
            parquet.write_table(TABLE, path, row_group_size=3)
        case "feather":
            feather.write_feather(TABLE, path, chunksize=3)
        case "stream":
            with pa.ipc.new_stream(path, TABLE.schema) as sink:
                sink.write_table(TABLE, max_chunksize=3)
    return path


@pytest.mark.parametrize("kind", ["parquet", "feather", "stream"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(batch_rows=st.integers(1, 12))
def test_rows_come_back_in_order_at_any_batch_size(tmp_path: Path, kind: str, batch_rows: int) -> None:
    path = write(tmp_path, kind)
    reader = open_columnar(
        "parquet" if kind == "parquet" else "arrow", lambda: pa.OSFile(str(path)), batch_rows
    )
    batches = list(reader.batches())
    assert all(len(batch) <= batch_rows for batch in batches)
    assert pa.Table.from_batches(batches).to_pylist() == TABLE.to_pylist()


def test_pandas_metadata_is_dropped(tmp_path: Path) -> None:
    TABLE.to_pandas().to_parquet(tmp_path / "x")
    reader = open_columnar("parquet", lambda: pa.OSFile(str(tmp_path / "x")), 10)
    assert reader.schema.metadata is None
