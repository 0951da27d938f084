from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from aedetect.errors import DataError
from aedetect.io.columnar import open_columnar
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions

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


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_text_that_is_not_utf_8_is_refused(tmp_path: Path, kind: str, coded: bool) -> None:
    """Arrow checks no text that it reads; writing it as CSV fails, long after."""
    cells = pa.array([b"ok", None, b"\xf4rue", b"ok"])
    text = pa.Array.from_buffers(pa.string(), len(cells), cells.buffers(), cells.null_count)
    table = pa.table({"n": range(4), "site": text.dictionary_encode() if coded else text})
    path = tmp_path / f"in.{kind}"
    parquet.write_table(table, path) if kind == "parquet" else feather.write_feather(table, path)
    (source,) = open_inputs([str(path)], ReadOptions())
    where = "" if coded else "row 3, "
    for batch_rows in (2, 100):
        with pytest.raises(DataError) as caught:
            list(source.open(batch_rows).batches())
        reason = f"{where}column 'site': not UTF-8 text; the file is damaged, write it again"
        assert str(caught.value) == f"{path}: cannot be read: {reason}"


def test_pandas_metadata_is_dropped(tmp_path: Path) -> None:
    TABLE.to_pandas().to_parquet(tmp_path / "x")
    reader = open_columnar("parquet", lambda: pa.OSFile(str(tmp_path / "x")), 10)
    assert reader.schema.metadata is None


def test_columns_of_rare_types_come_as_usual_ones(tmp_path: Path) -> None:
    """What other tools write, polars and databases among them, and few of Arrow's functions take."""
    words = pa.array(["a", None, "b"])
    # Known to Arrow from version 19; before it, such a column is read as the text that it is stored as.
    document = pa.json_(pa.string()) if hasattr(pa, "json_") else pa.string()
    table = pa.table(
        {
            "view": words.cast(pa.string_view()),
            "bytes": pa.array([b"a", None, b""], pa.binary_view()),
            "half": pa.array([np.float16(1.5), None, np.float16(-2)], pa.float16()),
            "coded": pa.DictionaryArray.from_arrays(
                pa.array([0, 1, 0]), pa.array(["a", "b"], pa.string_view())
            ),
            "runs": pa.RunEndEncodedArray.from_arrays([1, 3], [1.0, 2.0]),
            "document": pa.array(["{}", None, "[]"]).cast(document),
            "usual": [1, 2, 3],
        }
    )
    with pa.ipc.new_file(tmp_path / "rare.arrow", table.schema) as sink:
        sink.write_table(table)
    reader = open_columnar("arrow", lambda: pa.OSFile(str(tmp_path / "rare.arrow")), 2)
    assert {field.name: str(field.type) for field in reader.schema} == {
        "view": "large_string",
        "bytes": "large_binary",
        "half": "float",
        "coded": "dictionary<values=large_string, indices=int64, ordered=0>",
        "runs": "double",
        "document": "string",
        "usual": "int64",
    }
    assert pa.Table.from_batches(reader.batches()).to_pydict() == table.to_pydict() | {
        "document": ["{}", None, "[]"]
    }
