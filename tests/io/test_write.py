"""Tables go out as they came in, in every format."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aedetect.errors import OutputError, UsageError
from aedetect.io.cell_text import as_text
from aedetect.io.files import open_inputs
from aedetect.io.jsonl import NESTED
from aedetect.io.output_format import output_format
from aedetect.io.source import Dialect, ReadOptions
from aedetect.io.write import CsvSink, JsonLinesSink, open_sink

BATCH = pa.RecordBatch.from_pydict(
    {
        "number": [1.5, None, -0.1],
        "whole": pa.array([1, 2**60, None]),
        "text": ['a "b", c', "", "two\nlines"],
        "truth": [True, None, False],
    }
)


def packed(suffix: str, data: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.decompress(data)
    return pa.decompress(data, 10_000, "zstd", asbytes=True) if suffix == ".zst" else data


def written(path: Path, *batches: pa.RecordBatch) -> bytes:
    with open_sink(str(path), batches[0].schema) as sink:
        for batch in batches:
            sink.write(batch)
    return path.read_bytes()


CSV = b'number,whole,text,truth\n1.5,1,"a ""b"", c",true\n,1152921504606846976,,\n-0.1,,"two\nlines",false\n'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("out.csv", CSV),
        ("out.CSV", CSV),
        ("out.csv.gz", CSV),
        ("out.tsv", CSV.replace(b",", b"\t").replace(b'"\t c', b'", c').replace(b'""\t', b'"",')),
        (
            "out.jsonl",
            b'{"number": 1.5, "whole": 1, "text": "a \\"b\\", c", "truth": true}\n'
            b'{"number": null, "whole": 1152921504606846976, "text": "", "truth": null}\n'
            b'{"number": -0.1, "whole": null, "text": "two\\nlines", "truth": false}\n',
        ),
    ],
)
def test_text_formats_byte_for_byte(tmp_path: Path, name: str, expected: bytes) -> None:
    assert packed(Path(name).suffix, written(tmp_path / name, BATCH)) == expected


TEXT = ("csv", "tsv", "jsonl", "ndjson")
COMPRESSED = [f"{text}{packing}" for text in TEXT for packing in ("", ".gz", ".zst")]


@pytest.mark.parametrize("suffix", [*COMPRESSED, "parquet", "pq", "arrow", "feather"])
def test_what_is_written_can_be_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    written(path, BATCH, BATCH)
    reader = open_inputs([str(path)], ReadOptions())[0].open(100)
    rows = pa.Table.from_batches(list(reader.batches()))
    assert rows.column("text").to_pylist() == BATCH.column("text").to_pylist() * 2


def test_parquet_and_arrow_keep_types(tmp_path: Path) -> None:
    written(tmp_path / "out.parquet", BATCH)
    written(tmp_path / "out.arrow", BATCH)
    expected = pa.Table.from_batches([BATCH])
    assert parquet.read_table(tmp_path / "out.parquet").equals(expected)
    assert pa.ipc.open_file(tmp_path / "out.arrow").read_all().equals(expected)


@pytest.mark.parametrize("name", ["out.csv.gz", "out.parquet", "out.csv.zst", "out.arrow"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()
    assert written(tmp_path / name, BATCH) == written(tmp_path / "other" / name, BATCH)


@pytest.mark.parametrize("name", ["out", "out.txt", "out.csv.bz2", "out.xlsx"])
def test_an_unknown_suffix_is_wrong_use(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        output_format(name)
    assert str(caught.value) == (
        f"{name}: unknown output format; end the name in one of "
        ".csv, .tsv, .parquet, .pq, .arrow, .feather, .jsonl, .ndjson"
    )


@pytest.mark.parametrize("name", ["-", "/dev/null", "/dev/full"])
def test_devices_get_csv(name: str) -> None:
    assert output_format(name) == "csv"


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ['"', '""', ",", "\t", "\r\n", '"\n"', " padded ", "=1+1", "'", "é", "\u2028"]
)


@pytest.mark.parametrize("delimiter", [",", "\t"])
@given(
    rows=st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(texts, min_size=n, max_size=n), min_size=1))
)
def test_any_text_survives_csv(delimiter: str, rows: list[tuple[str, ...]]) -> None:
    names = [f'n"{delimiter}{index}' for index in range(len(rows[0]))]
    batch = pa.RecordBatch.from_arrays([pa.array(cells) for cells in zip(*rows, strict=True)], names=names)
    stream = io.BytesIO()
    CsvSink(stream, batch.schema, delimiter).write(batch)
    text = io.StringIO(stream.getvalue().decode(), newline="")
    assert list(csv.reader(text, delimiter=delimiter)) == [names, *map(list, rows)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_csv_exactly(values: list[float]) -> None:
    assert [float(text) for text in as_text(pa.array(values)).to_pylist()] == values


@pytest.mark.parametrize("slice_", [(0, 0), (1, 1), (1, 2)])
def test_a_slice_writes_its_own_rows(slice_: tuple[int, int]) -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x", "y", "z"]})
    stream = io.BytesIO()
    CsvSink(stream, batch.schema, ",").write(batch.slice(*slice_))
    start, length = slice_
    assert stream.getvalue().decode().split() == ["a", *["x", "y", "z"][start : start + length]]


@pytest.mark.parametrize("delimiter", [";", "|", "^", "\t", "]"])
def test_csv_in_the_dialect_of_an_input(tmp_path: Path, delimiter: str) -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x", f"y{delimiter}z"], "b": [0.5, None], "c": [1, 2]})
    path = str(tmp_path / "f.csv")
    with open_sink(path, batch.schema, Dialect(delimiter, ",")) as sink:
        sink.write(batch)
    rows = [["a", "b", "c"], ["x", "0,5", "1"], [f'"y{delimiter}z"', "", "2"]]
    assert Path(path).read_text() == "".join(delimiter.join(row) + "\n" for row in rows)


def test_lists_of_json_go_out_as_they_came() -> None:
    stream = io.BytesIO()
    schema = pa.schema([pa.field("a", pa.string(), metadata={NESTED: b"1"}), pa.field("b", pa.string())])
    batch = pa.RecordBatch.from_arrays([pa.array(["[1, 2]", None]), pa.array(["[1]", "x"])], schema=schema)
    JsonLinesSink(stream, schema).write(batch)
    assert stream.getvalue() == b'{"a": [1, 2], "b": "[1]"}\n{"a": null, "b": "x"}\n'


def test_a_failing_reader_of_stdout_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "wb", buffering=0) as raw:
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, write_through=True))
        with pytest.raises(OutputError) as caught, open_sink("-", BATCH.schema) as sink:
            sink.write(BATCH)
    assert str(caught.value) == "standard output: cannot be written: no space left on the device"
