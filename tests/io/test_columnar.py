from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from aedetect.errors import DataError
from aedetect.io.columnar import open_columnar, unmarked_texts, with_usual_types
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


BYTES = {
    "text": ([b"x", None, "é".encode()], "string"),
    "later": ([b"x", b"y", b"\xff"], "binary"),
    "codes": ([b"\x00\x01"] * 3, "binary"),
    "nothing": ([None] * 3, "binary"),
}


def test_bytes_that_are_text_come_as_text(tmp_path: Path) -> None:
    table = pa.table({name: pa.array(cells, pa.binary()) for name, (cells, _) in BYTES.items()})
    parquet.write_table(table, tmp_path / "f.parquet", row_group_size=2)
    reader = open_inputs([str(tmp_path / "f.parquet")], ReadOptions())[0].open(2)
    expected = {name: kind for name, (_, kind) in BYTES.items()}
    assert {field.name: str(field.type) for field in reader.schema} == expected
    assert pa.Table.from_batches(reader.batches())["text"].to_pylist() == ["x", None, "é"]
    usual = with_usual_types(table)
    assert {field.name: str(field.type) for field in usual.schema} == expected
    assert usual["text"].to_pylist() == ["x", None, "é"]


def test_texts_are_looked_for_in_bytes_alone(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": ["x"], "b": [1]}), tmp_path / "f.parquet")
    assert unmarked_texts(lambda: pa.OSFile(str(tmp_path / "f.parquet")), 10) == frozenset()


def test_damaged_pages_are_noticed_by_their_checksum(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    parquet.write_table(
        pa.table({"a": range(1000)}), path, use_dictionary=False, compression="none", write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"f\.parquet: cannot be read: could not verify page integrity, CRC"):
        list(open_inputs([str(path)], ReadOptions())[0].open(100).batches())
