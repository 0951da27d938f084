"""What every format keeps to; the suite goes through the known suffixes, so that a new one is covered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aedetect.data import cells
from aedetect.errors import DataError
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.locate import COMPRESSION_SUFFIXES, SUFFIX_FORMATS
from aedetect.io.output_format import output_format
from aedetect.io.source import ReadOptions, has_rows, no_rows
from aedetect.io.write import open_sink

ROWS = 23
TABLE = pa.table(
    {
        "name": [f"row {number}, \"{number}\"" for number in range(1, ROWS + 1)],
        "number": [None if number % 5 == 0 else number + 0.25 for number in range(ROWS)],
        "whole": [None if number % 7 == 0 else number for number in range(ROWS)],
        "flag": [None if number % 4 == 0 else number % 2 == 0 for number in range(ROWS)],
        "day": [date(2026, 1, 1 + number) for number in range(ROWS)],
        "größe": ["a", "ß", None] * 7 + ["tab\there", " spaced "],
    }
)  # fmt: skip
SUFFIXES = sorted(SUFFIX_FORMATS)
# Those that are compressed inside are not compressed once more.
PACKED = [
    suffix + packing
    for suffix in SUFFIXES
    for packing in COMPRESSION_SUFFIXES
    if SUFFIX_FORMATS[suffix] not in ("parquet", "arrow")
]
every_format = pytest.mark.parametrize("suffix", SUFFIXES)
every_file = pytest.mark.parametrize("suffix", [*SUFFIXES, *PACKED])


def written(path: Path, table: pa.Table = TABLE, batch: int = 10) -> FileInput:
    with open_sink(str(path), table.schema) as sink:
        for part in table.to_batches(max_chunksize=batch):
            sink.write(part)
    (found,) = open_inputs([str(path)], ReadOptions())
    return found


def read(source: FileInput, batch_rows: int = 1000) -> pa.Table:
    reader = source.open(batch_rows)
    return pa.Table.from_batches(reader.batches(), reader.schema)


def refused(source: FileInput) -> str:
    with pytest.raises(DataError) as caught:
        read(source)
    return str(caught.value)


def is_text(path: Path) -> bool:
    return open_inputs([str(path)], ReadOptions())[0].is_text


@every_file
def test_what_is_written_is_read_again(suffix: str, tmp_path: Path) -> None:
    found = read(written(tmp_path / f"f{suffix}"))
    assert found.column_names == TABLE.column_names
    rules = cells.CellRules()
    readings: dict[str, Callable[[pa.Array, cells.CellRules], cells.Cells]] = {
        "number": cells.numbers, "whole": cells.numbers, "flag": cells.booleans, "day": cells.datetimes,
    }  # fmt: skip
    for name, reading in readings.items():
        back, given = (reading(table[name].combine_chunks(), rules) for table in (found, TABLE))
        np.testing.assert_array_equal(back.values, given.values)
        np.testing.assert_array_equal(back.missing, given.missing)
        assert not back.bad.any()
    for name in ("name", "whole", "größe"):
        back, given = (cells.categories(table[name].combine_chunks(), rules) for table in (found, TABLE))
        assert back.to_pylist() == given.to_pylist()


@every_file
def test_the_schema_is_known_before_the_rows(suffix: str, tmp_path: Path) -> None:
    source = written(tmp_path / f"f{suffix}")
    reader = source.open(4)
    assert reader.schema.names == TABLE.column_names
    assert all(batch.schema.equals(reader.schema) for batch in reader.batches())


@every_file
def test_rows_do_not_depend_on_batches(suffix: str, tmp_path: Path) -> None:
    whole = read(written(tmp_path / f"f{suffix}"))
    for written_rows, batch_rows in ((1, 1000), (1000, 1), (7, 5)):
        source = written(tmp_path / f"g{suffix}", batch=written_rows)
        batches = list(source.open(batch_rows).batches())
        assert max(len(batch) for batch in batches) <= batch_rows
        assert pa.Table.from_batches(batches).equals(whole)
    # An input can be read as often as need be.
    assert read(source).equals(whole)


@every_file
def test_rows_are_found_again(suffix: str, tmp_path: Path) -> None:
    source = written(tmp_path / f"f{suffix}")
    said = source.locate(17)
    if not source.is_text:
        assert said == "row 17"
        return
    plain = written(tmp_path / f"plain{suffix.removesuffix('.gz').removesuffix('.zst')}")
    lines = Path(plain.location.path).read_text(encoding="utf-8").splitlines()
    (line,) = (number for number, line in enumerate(lines, start=1) if "row 17," in line)
    assert said == f"row 17 (line {line})"
    assert source.locate(ROWS + 5) == f"row {ROWS + 5}"


@every_file
def test_without_rows_it_has_none(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    source = written(path, TABLE.slice(0, 0))
    assert (len(read(source)), has_rows(source)) == (0, False)
    assert str(no_rows(source)) in (f"{path}: holds no rows", f"{path}: the file is empty")


@every_format
def test_a_file_of_no_bytes_is_empty(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    path.write_bytes(b"")
    (source,) = open_inputs([str(path)], ReadOptions())
    if source.location.path.endswith((".csv", ".tsv", ".jsonl", ".ndjson")):
        assert (len(read(source)), str(no_rows(source))) == (0, f"{path}: the file is empty")
    else:
        assert refused(source) == f"{path}: the file is empty"


@every_file
def test_a_file_that_was_cut_off_is_refused_by_name(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    written(path)
    content = path.read_bytes()
    # Text is cut within its last row: what ends with a row is whole as far as anybody can tell.
    cut_at = (
        content.rstrip(b"\n").rfind(b"\n") + 4 if suffix in SUFFIXES and is_text(path) else len(content) // 2
    )
    path.write_bytes(content[:cut_at])
    message = refused(open_inputs([str(path)], ReadOptions())[0])
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) > len(f"{path}: ")


@every_format
def test_the_name_says_the_format(suffix: str, tmp_path: Path) -> None:
    assert output_format(f"f{suffix}") == SUFFIX_FORMATS[suffix]
    source = written(tmp_path / f"f{suffix}")
    assert source.format == {"tsv": "csv"}.get(SUFFIX_FORMATS[suffix], SUFFIX_FORMATS[suffix])


@every_file
def test_standard_input_gives_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    source = written(path)
    with open(path, "rb") as stream:
        (piped,) = open_inputs(["-"], ReadOptions(), stream)
        assert read(piped).equals(read(source))
        assert piped.locate(3) == source.locate(3)
