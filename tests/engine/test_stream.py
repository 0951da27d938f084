"""The one pass, on a task of a few lines: what becomes of inputs, outputs and the summary."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest

from aedetect.engine import stream
from aedetect.engine.outputs import union_fields
from aedetect.engine.plan import Plan, goes_together, plan_outputs
from aedetect.engine.spool import Spool
from aedetect.engine.stream import Run, read_inputs, run_in_process, run_to_table
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import (
    BatchResult,
    Consumer,
    Consumers,
    CountNames,
    FileSummary,
    Observing,
    OutputFields,
    Processed,
)
from aedetect.errors import DataError, OutputError
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.source import Input, ReadOptions, TableInput

NAMES = CountNames({"rows": "rows", "doubled": "changed"}, ("rows", "changed"), "doubled")


PAGE = "this is an HTML or XML page, not a table; was it saved from a failed download?"


class Double:
    """Doubles the column `x`; a negative number cannot be doubled. Rows of 0 are listed at the side."""

    name = "double"
    counts = NAMES
    batch_rows = 2
    independent = True
    side_fields = (pa.field("row", pa.int64()),)

    def threads(self) -> nullcontext[int]:
        return nullcontext(2)

    def completed(self, source: Input) -> Input:
        return source

    def start(self, source: Input, typed: bool) -> Doubling:
        return Doubling(source, typed)


class Doubling:
    def __init__(self, source: Input, typed: bool):
        self._source = source
        arriving = source.open(2).schema
        self.warnings = [f"{source.name}: no column y"] if "y" not in arriving.names else []
        self._type = pa.float64() if typed else pa.string()
        self._own = [field for field in arriving if field.name != "x"]
        self.order: list[int] = []

    def fields(self) -> OutputFields:
        return OutputFields(self._own, [pa.field("x2", self._type)])

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        values = [float(value) for value in rows.column("x").to_pylist()]
        if min(values) < 0:
            raise DataError(f"{self._source.name}: a negative number")
        own = [rows.column(field.name) for field in self._own]
        doubled = pa.array([2 * value for value in values]).cast(self._type)
        out = pa.RecordBatch.from_arrays(
            [*own, doubled], schema=pa.schema([*self._own, *self.fields().added])
        )
        zeros = [first + place for place, value in enumerate(values) if value == 0]
        side = pa.RecordBatch.from_arrays([pa.array(zeros, pa.int64())], schema=pa.schema(Double.side_fields))
        return BatchResult(out, Counter(rows=len(rows), changed=len(rows) - len(zeros)), values, side)

    def account(self, result: BatchResult, first: int) -> None:
        self.order.append(first)

    def conclude(self, rows: int) -> list[str]:
        assert self.order == sorted(self.order)
        return [f"{self._source.name}: {rows} rows"]


class Recorder(Consumer):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, source: Input) -> None:
        self.told.append(("begin", source.name))

    def see(self, batch: Processed) -> None:
        self.told.append((batch.first, batch.result.detail))

    def check(self, source: Input) -> None:
        self.told.append("check")

    def done(self, source: Input, entry: FileSummary) -> None:
        self.told.append(("done", entry.output))

    def finish(self) -> None:
        self.told.append("finish")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "a.csv": "x,y\n1,p\n0,q\n3,r\n",
        "b.csv": "x,z\n5,s\n",
        "bad.csv": "x,y\n1,t\n2,t\n-1,t\n",
        "empty.csv": "",
        "page.csv": "<html>",
    }.items():
        Path(name).write_text(text)


def inputs(*names: str) -> list[FileInput]:
    return open_inputs(names, ReadOptions())


def run(names: list[str], output: str | None, side: str | None = None) -> tuple[RunSummary, list[object]]:
    sources = inputs(*names)
    outputs = plan_outputs(sources, output, "model.aed")
    summary, recorder = RunSummary("double", NAMES, {}), Recorder()
    plan = Plan(sources, outputs, len(sources) > 1 and goes_together(outputs), side)
    run_in_process(Run(Double(), summary, Consumers([recorder])), plan)
    return summary, recorder.told


def test_one_input_goes_to_one_output() -> None:
    summary, told = run(["a.csv"], "out.csv")
    assert Path("out.csv").read_text() == '"y","x2"\n"p","2"\n"q","0"\n"r","6"\n'.replace('"', "")
    assert told == [("begin", "a.csv"), (1, [1.0, 0.0]), (3, [3.0]), "check", ("done", "out.csv"), "finish"]
    found = summary.as_dict()
    assert (found["rows"], found["doubled"], found["exit_code"]) == (3, 2, 0)
    assert found["warnings"] == ["a.csv: 3 rows"]
    assert found["files"] == [
        {"path": "a.csv", "output": "out.csv", "status": "doubled", "rows": 3, "changed": 2, "error": None}
    ]
    json.dumps(found, allow_nan=False)


def test_several_inputs_go_to_one_output_by_name() -> None:
    summary, _ = run(["a.csv", "b.csv"], "out.csv", "zeros.csv")
    assert Path("out.csv").read_text().splitlines() == [
        "y,z,x2,source_file", "p,,2,a.csv", "q,,0,a.csv", "r,,6,a.csv", ",s,10,b.csv"
    ]  # fmt: skip
    assert Path("zeros.csv").read_text().splitlines() == ["row,source_file", "2,a.csv"]
    assert summary.warnings == ["a.csv: 3 rows", "b.csv: no column y", "b.csv: 1 rows"]


def test_types_go_to_outputs_that_have_them() -> None:
    run(["a.csv"], "out.parquet")
    assert pa.parquet.read_table("out.parquet").column("x2").to_pylist() == [2.0, 0.0, 6.0]


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_failed_inputs_are_entered_and_the_rest_done(output: str | None) -> None:
    summary, told = run(["page.csv", "a.csv", "bad.csv", "b.csv"], output, "zeros.csv")
    assert [entry.status for entry in summary.files] == ["failed", "doubled", "failed", "doubled"]
    assert [entry.output is None for entry in summary.files] == [True, output is None] * 2
    assert [entry.error for entry in summary.files] == [
        f"page.csv: {PAGE}", None, "bad.csv: a negative number", None
    ]  # fmt: skip
    assert (summary.exit_code, summary.counts["rows"]) == (6, 4)
    assert [entry.counts["rows"] for entry in summary.files] == [0, 3, 0, 1]
    assert sum(one == "check" for one in told) == 2
    if output == "out/":
        assert sorted(os.listdir("out")) == ["a.csv", "b.csv"]
    # What a failed input had for the side output is void.
    assert Path("zeros.csv").read_text().splitlines() == ["row,source_file", "2,a.csv"]


def test_a_single_bad_input_raises_its_own_error_and_leaves_nothing() -> None:
    with pytest.raises(DataError) as caught:
        run(["bad.csv"], "out.csv", "zeros.csv")
    assert str(caught.value) == "bad.csv: a negative number"
    assert not list(Path().glob("*out*")) + list(Path().glob("*zeros*"))


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_when_all_inputs_are_bad_each_is_named(output: str | None) -> None:
    with pytest.raises(DataError) as caught:
        run(["bad.csv", "page.csv"], output, "zeros.csv")
    assert str(caught.value) == (
        f"none of 2 inputs can be used: bad.csv: a negative number; page.csv: {PAGE}"
    )
    assert not list(Path().glob("*.csv.*")) + list(Path().glob("out.csv")) + list(Path().glob("zeros*"))


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_an_input_of_no_rows_among_others_is_done(output: str | None) -> None:
    Path("header.csv").write_text("x,y\n")
    summary, told = run(["header.csv", "a.csv"], output)
    assert [(entry.status, entry.counts["rows"]) for entry in summary.files] == [
        ("doubled", 0),
        ("doubled", 3),
    ]
    assert (summary.exit_code, summary.warnings[1]) == (0, "header.csv: holds no rows")
    assert sum(one == "check" for one in told) == 2
    if output == "out/":
        assert Path("out/header.csv").read_text() == "y,x2\n"


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_inputs_none_of_which_has_a_row_are_refused(output: str | None) -> None:
    Path("header.csv").write_text("x,y\n")
    with pytest.raises(DataError) as caught:
        run(["header.csv", "empty.csv"], output)
    assert str(caught.value) == (
        "none of 2 inputs can be used: header.csv: holds no rows; empty.csv: the file is empty"
    )
    assert not list(Path().glob("*out.csv*")) + list(Path().glob("out/*"))


def test_an_output_that_cannot_be_written_is_raised() -> None:
    os.symlink("/dev/full", "out.csv")
    with pytest.raises(OutputError) as caught:
        run(["a.csv", "b.csv"], "out.csv")
    assert str(caught.value) == "out.csv: cannot be written: no space left on the device"


def test_reading_alone_writes_nothing_and_raises_at_once() -> None:
    summary, recorder = RunSummary("double", NAMES, {}), Recorder()
    read_inputs(Run(Double(), summary, recorder), inputs("a.csv", "b.csv"))
    assert summary.counts == Counter(rows=4, changed=3)
    assert recorder.told == [(1, [1.0, 0.0]), (3, [3.0]), (1, [5.0])]
    with pytest.raises(DataError):
        read_inputs(Run(Double(), summary, recorder), inputs("bad.csv"))


@pytest.mark.parametrize(
    ("rows", "threads", "independent", "sizes"),
    [
        (100, 2, True, [32, 32, 32, 4]),
        (100, 1, True, [60, 40]),
        (100, 2, False, [60, 40]),
        (1000, 2, True, [60] * 16 + [40]),
        (20, 4, True, [10, 10]),
        (1, 2, True, [1]),
        (0, 2, True, []),
    ],
)
def test_all_threads_get_some_of_an_input(
    rows: int, threads: int, independent: bool, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_BATCHES_EACH", 2), ("_FEWEST_ROWS", 10), ("_ROWS_STEP", 8)):
        monkeypatch.setattr(stream, name, value)
    monkeypatch.setattr(Double, "batch_rows", 60)
    monkeypatch.setattr(Double, "independent", independent)
    monkeypatch.setattr(Double, "threads", lambda _: nullcontext(threads))
    seen: list[int] = []
    summary = RunSummary("double", NAMES, {})
    watching = Run(Double(), summary, Observing(lambda batch: seen.append(len(batch.rows))))
    read_inputs(watching, [TableInput(pa.table({"x": [1.0] * rows, "y": [2] * rows}))])
    assert (seen, summary.counts["rows"]) == (sizes, rows)


def test_all_inputs_become_one_table() -> None:
    tables = [
        TableInput(pa.table({"x": [1, 2, 3], "y": [1, 2, 3]}), "t0"),
        TableInput(pa.table({"x": [4]}), "t1"),
    ]
    table, summary = run_to_table(Double(), tables)
    assert table.to_pydict() == {
        "y": [1, 2, 3, None], "x2": [2.0, 4.0, 6.0, 8.0], "source_file": ["t0", "t0", "t0", "t1"]
    }  # fmt: skip
    assert summary.counts["rows"] == 4


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        (pa.int64(), pa.int64(), pa.int64()),
        (pa.int64(), pa.float32(), pa.float64()),
        (pa.int64(), pa.string(), pa.string()),
        (pa.date32(), pa.timestamp("s"), pa.string()),
        (pa.null(), pa.int64(), pa.int64()),
        (pa.int64(), pa.null(), pa.int64()),
    ],
)
def test_columns_of_several_inputs_find_a_common_type(
    first: pa.DataType, second: pa.DataType, merged: pa.DataType
) -> None:
    fields = union_fields([[pa.field("a", first)], [pa.field("b", pa.bool_()), pa.field("a", second)]])
    assert fields == [pa.field("a", merged), pa.field("b", pa.bool_())]


def test_a_spool_gives_back_what_it_took() -> None:
    table = pa.table({"x": range(1000)})
    spool = Spool(table.schema)
    for batch in table.to_batches(max_chunksize=100):
        spool.write(batch)
    assert pa.Table.from_batches(list(spool.read())).equals(table)
    spool.close()
