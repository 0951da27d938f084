"""Files put together to one, in every format."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from aedetect.errors import OutputError
from aedetect.io.files import open_inputs
from aedetect.io.joined import join_files
from aedetect.io.source import ReadOptions
from aedetect.io.write import open_sink

PARTS = [pa.record_batch({"n": [1.5, 2.0], "t": ["a,b", "ä\n"]}), pa.record_batch({"n": [3.0], "t": ["c"]})]


@pytest.mark.parametrize(
    "suffix", [".csv", ".tsv", ".csv.gz", ".csv.zst", ".jsonl", ".jsonl.gz", ".parquet", ".arrow"]
)
def test_rows_follow_one_another(suffix: str, tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{number}{suffix}") for number in range(2)]
    for number, (path, part) in enumerate(zip(paths, PARTS, strict=True)):
        with open_sink(path, part.schema, header=number == 0) as sink:
            sink.write(part)
    whole, together = (str(tmp_path / f"{name}{suffix}") for name in ("whole", "together"))
    with open_sink(whole, PARTS[0].schema) as sink:
        for part in PARTS:
            sink.write(part)
    join_files(paths, together)
    each = [list(open_inputs([path], ReadOptions())[0].open(100).batches()) for path in (whole, together)]
    assert pa.Table.from_batches(each[0]).equals(pa.Table.from_batches(each[1]))
    assert sum(map(len, each[1])) == 3
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_part_that_is_gone_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        join_files([str(tmp_path / "gone.csv")], str(tmp_path / "all.csv"))
    assert list(tmp_path.iterdir()) == []
