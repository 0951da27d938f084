from __future__ import annotations

import gzip
import io
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from aedetect.errors import DataError
from aedetect.io import stores
from aedetect.io.files import FileInput, Spool, open_inputs
from aedetect.io.source import Dialect, ReadOptions, has_rows
from aedetect.io.write import open_sink

TABLE = pa.table({"a": ["1", "2", "3"], "b": ["x", "", "z"]})
CSV = b"a,b\n1,x\n2,\n3,z\n"


def one(path: Path | str, **options: Any) -> FileInput:
    (found,) = open_inputs([str(path)], ReadOptions(**options))
    return found


def rows(source: FileInput, batch_rows: int = 2) -> list[dict[str, Any]]:
    reader = source.open(batch_rows)
    batches = list(reader.batches())
    assert all(len(batch) <= batch_rows for batch in batches)
    assert all(batch.schema.equals(reader.schema) for batch in batches)
    return pa.Table.from_batches(batches, None if batches else pa.schema([])).to_pylist()


def write(path: Path, format: str) -> Path:
    match format:
        case "csv":
            path.write_bytes(CSV)
        case "gzip":
            path.write_bytes(gzip.compress(CSV[:6]) + gzip.compress(CSV[6:]))
        case "zstd":
            path.write_bytes(pa.compress(CSV, "zstd", asbytes=True))
        case "utf-16":
            path.write_bytes(CSV.decode().encode("utf-16"))
        case "jsonl":
            path.write_text('{"a": "1", "b": "x"}\n{"a": "2", "b": ""}\n{"a": "3", "b": "z"}\n')
        case "parquet":
            parquet.write_table(TABLE, path)
        case "packed parquet":
            write(path, "parquet")
            path.write_bytes(gzip.compress(path.read_bytes()))
        case "feather":
            feather.write_feather(TABLE, path)
        case "stream":
            with pa.ipc.new_stream(path, TABLE.schema) as sink:
                sink.write_table(TABLE)
    return path


FORMATS = ["csv", "gzip", "zstd", "utf-16", "jsonl", "parquet", "packed parquet", "feather", "stream"]


@pytest.mark.parametrize("way", ["path", "uri", "stdin"])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_found_by_content_and_read_twice(tmp_path: Path, format: str, way: str) -> None:
    path = write(tmp_path / "file", format)
    options = ReadOptions(encoding="utf-16") if format == "utf-16" else ReadOptions()
    word = {"path": str(path), "uri": path.as_uri(), "stdin": "-"}[way]
    (source,) = open_inputs([word], options, io.BytesIO(path.read_bytes()))
    assert rows(source) == TABLE.to_pylist()
    assert rows(source, 100) == TABLE.to_pylist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv.gz", gzip.compress(CSV * 100)[:40], "cannot be read: Truncated compressed stream"),
        ("x.csv.zst", pa.compress(CSV * 100, "zstd", asbytes=True)[:12], "cannot be read: "),
        ("x.csv", b"\x1f\x8bgarbage", "cannot be read: zlib inflate failed"),
        ("x.arrow", b"ARROW1\0\0broken", "cannot be read: "),
    ],
    ids=["cut gzip", "cut zstd", "broken gzip", "broken arrow"],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        rows(one(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("x.csv", b"", []),
        ("x.csv", b"\xef\xbb\xbf\n\n", []),
        ("x.csv", b"a,b\n", ["a", "b"]),
        ("x.csv.gz", gzip.compress(b"", mtime=0), []),
        ("x.jsonl", b"", []),
        ("x.jsonl", b"\n", []),
        ("dump.txt", b"", []),
    ],
)
def test_a_text_file_may_have_no_rows(tmp_path: Path, name: str, content: bytes, columns: list[str]) -> None:
    (tmp_path / name).write_bytes(content)
    source = one(tmp_path / name)
    assert (source.open(10).schema.names, rows(source)) == (columns, [])


def test_parquet_without_rows(tmp_path: Path) -> None:
    parquet.write_table(TABLE[:0], tmp_path / "x.parquet")
    source = one(tmp_path / "x.parquet")
    assert (source.open(10).schema.names, rows(source)) == (TABLE.schema.names, [])


def test_parquet_with_a_name_twice(tmp_path: Path) -> None:
    parquet.write_table(
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), tmp_path / "x.parquet"
    )
    with pytest.raises(DataError, match="the column name 'a' appears twice"):
        one(tmp_path / "x.parquet").open(10)


def test_partitions_become_columns(tmp_path: Path) -> None:
    for folder in ("site=b", "site=__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "x.csv", "csv")
    inputs = open_inputs([str(tmp_path)], ReadOptions())
    assert [rows(source)[0]["site"] for source in inputs] == [None, "b"]


def test_partition_gives_way_to_a_column_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a=9").mkdir()
    write(tmp_path / "a=9" / "x.csv", "csv")
    assert rows(open_inputs([str(tmp_path)], ReadOptions())[0])[0] == {"a": "1", "b": "x"}


@pytest.mark.parametrize(
    ("format", "content", "place"),
    [
        ("csv", b'a,b\n"x\ny",1\n\n2,2\n', "row 2 (line 5)"),
        # In a file of one column an empty line is a row.
        ("csv", b'a\n"x\ny"\n\n2\n', "row 2 (line 4)"),
        ("jsonl", b'{"a": 1}\n\n{"a": 2}\n', "row 2 (line 3)"),
        ("csv", b"a\n1\n", "row 2"),
    ],
)
def test_locate(tmp_path: Path, format: str, content: bytes, place: str) -> None:
    (tmp_path / "x").write_bytes(content)
    assert one(tmp_path / "x", format=format).locate(2) == place


def test_locate_in_parquet_knows_no_lines(tmp_path: Path) -> None:
    assert one(write(tmp_path / "x", "parquet")).locate(2) == "row 2"


@pytest.mark.parametrize(("format", "is_text"), [("csv", True), ("jsonl", True), ("parquet", False)])
def test_is_text(tmp_path: Path, format: str, is_text: bool) -> None:
    assert one(write(tmp_path / "x", format)).is_text is is_text


def test_reading_may_stop_half_way(tmp_path: Path) -> None:
    batches = one(write(tmp_path / "x", "csv")).open(1).batches()
    assert next(iter(batches)).to_pylist() == [{"a": "1", "b": "x"}]
    batches.close()  # type: ignore[attr-defined]


def test_spool_fetches_when_first_needed() -> None:
    fetched = []
    spool = Spool(fetched.append(part) or part for part in [b"ab", b"c"])
    assert fetched == []
    assert [spool.open().read(), spool.open().read()] == [b"abc", b"abc"]
    assert fetched == [b"ab", b"c"]


@pytest.mark.parametrize(
    ("name", "text", "delimiter"),
    [("f.csv", "a;b\n1;2\n", ";"), ("f.csv", "a\tb\n1\t2\n", "\t"), ("f.tsv", "a\tb\n1\t2\n", ","),
     ("f.jsonl", '{"a": 1}\n', ",")],
)  # fmt: skip
def test_the_dialect_of_outputs_is_that_of_the_input(
    tmp_path: Path, name: str, text: str, delimiter: str
) -> None:
    (tmp_path / name).write_text(text)
    source = open_inputs([str(tmp_path / name)], ReadOptions(decimal=","))[0]
    assert source.dialect == Dialect(delimiter, ",")


def test_columns_of_the_folders_above_are_taken_where_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "year=2024" / "site=a" / "x.csv"
    path.parent.mkdir(parents=True)
    write(path, "csv")
    source = one(path)
    assert source.with_columns(["other"]) is source
    names = TABLE.schema.names
    assert source.with_columns(["site", *names]).open(10).schema.names == [*names, "site"]
    assert rows(source.with_columns(["site", "year"]))[0]["year"] == "2024"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_an_input_goes_to_other_processes_also_once_it_was_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\nä,2\n".encode(encoding))
    for word in (str(path), path.as_uri()):
        source = open_inputs([word], ReadOptions(encoding=encoding))[0]
        before = [batch.to_pylist() for batch in source.open(10).batches()]
        sent = ForkingPickler.loads(ForkingPickler.dumps(source))
        assert (sent.name, sent.options) == (source.name, source.options)
        assert [batch.to_pylist() for batch in sent.open(10).batches()] == before == [[{"a": "ä", "b": "2"}]]


@pytest.mark.parametrize("small", [0, 1 << 20])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.zst", "a.parquet", "a.arrow"])
def test_a_store_gives_what_the_disk_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, small: int
) -> None:
    monkeypatch.setattr(stores, "SMALL_BYTES", small)
    table = pa.table({"a": [f"text {number}" for number in range(5000)], "b": list(range(5000))})
    path = tmp_path / name
    with open_sink(str(path), table.schema) as sink:
        for batch in table.to_batches(1000):
            sink.write(batch)
    on_disk, in_store = (open_inputs([word], ReadOptions())[0] for word in (str(path), path.as_uri()))
    assert in_store.location.object is not None
    assert rows_of(in_store) == rows_of(on_disk)
    assert in_store.locate(4000) == on_disk.locate(4000)
    assert has_rows(in_store)


def rows_of(source: FileInput) -> list[dict[str, Any]]:
    return [row for batch in source.open(700).batches() for row in batch.to_pylist()]
