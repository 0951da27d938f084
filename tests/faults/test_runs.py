"""Faults that are more than one command line: a file that goes meanwhile, a process of its own."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from faults.kit import HEADER, OLD, ROW, SCORE, TRAIN, written
from prometheus_client.parser import text_string_to_metric_families
from pyarrow import parquet
from support.prompt import Prompt
from support.tables import tiny_frame
from support.waiting import until


def test_22_a_parquet_file_with_a_damaged_page_is_3(prompt: Prompt) -> None:
    parquet.write_table(pa.Table.from_pandas(tiny_frame(5000)), "in.parquet", compression="none")
    data = bytearray(Path("in.parquet").read_bytes())
    data[4:60] = b"\xff" * 56
    prompt.write("in.parquet", bytes(data))
    prompt.write("out.csv", OLD)
    result = prompt(*SCORE, "in.parquet")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: in.parquet: ")
    assert len(result.stderr.splitlines()) == 1
    assert Path("out.csv").read_bytes() == OLD


@pytest.mark.slow
def test_24_a_file_that_vanishes_meanwhile_is_one_failure(prompt: Prompt) -> None:
    tiny_frame(2_000).to_csv("long.csv", index=False)
    prompt.write("vanished.csv", HEADER + ROW)
    words = ("long.csv", "vanished.csv", "-o", "scored/", "--new-only", "--state", "s.db")
    slow = prompt.setting(scoring_batch_rows="16")
    with slow.running(*SCORE, *words) as process:
        until(lambda: list(Path().glob("scored/.long.csv.aedetect-tmp-*")), process=process)
        Path("vanished.csv").unlink()
        stderr = process.communicate(timeout=300)[1].decode()
    assert process.returncode == 6
    assert "error: vanished.csv: cannot be read: No such file or directory" in stderr
    assert len(pd.read_csv("scored/long.csv")) == 2_000


def test_24_a_failed_parquet_output_is_told_in_one_line(prompt: Prompt) -> None:
    """In a process of its own: Arrow used to complain when the interpreter threw its writer away."""
    frame = pd.read_csv("normal.csv")
    for name, part in (("good", frame), ("bad", frame.assign(temp="warm"))):
        part.to_parquet(f"{name}.parquet")
    result = prompt.process(*SCORE, "bad.parquet", "good.parquet", "-o", "out/")
    assert (result.exit_code, result.stderr) == (
        6,
        "error: bad.parquet: column 'temp': no cell can be read as numeric, as it was in training "
        "(the first is in row 1); has its type changed?\n",
    )
    assert sorted(os.listdir("out")) == ["good.parquet"]


def test_26_a_disk_too_full_for_the_name_of_a_locks_holder(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = prompt.files()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        result = prompt(*SCORE, "normal.csv", "--new-only", "--state", "s.db")
    assert (result.exit_code, result.stdout, result.stderr) == (
        5,
        "",
        "error: s.db: cannot be written: no space left on the device\n",
    )
    assert prompt.files() == before


def test_31_hostile_names_reach_neither_metrics_nor_summary_unescaped(prompt: Prompt) -> None:
    name = '"}\x1b[31m 1\n.aed'
    Path("tiny.aed").rename(name)
    result = prompt(*SCORE, "normal.csv", "-m", name, "--metrics", "m.prom", "--summary", "s.json")
    assert result.exit_code == 0
    families = list(text_string_to_metric_families(Path("m.prom").read_text()))
    assert {sample.labels["model"] for family in families for sample in family.samples} == {name}
    assert json.loads(Path("s.json").read_text())["model"]["path"] == name


def test_31_names_that_are_no_utf_8(prompt: Prompt) -> None:
    os.mkdir("in")
    name = os.fsdecode(b"in/x\xff.csv")
    Path(name).write_bytes(Path("normal.csv").read_bytes())
    model = os.fsdecode(b"m\xff.aed")
    os.rename("tiny.aed", model)
    words = ("--new-only", "--state", "s.db", "--summary", "sum.json", "--metrics", "m.prom")
    assert prompt(*SCORE, "in", "-m", model, "-o", "out/", *words).exit_code == 0
    assert os.path.exists(os.fsdecode(b"out/x\xff.csv"))
    told = json.loads(Path("sum.json").read_bytes())
    assert (told["files"][0]["output"], told["model"]["path"]) == (r"out/x\xff.csv", r"m\xff.aed")
    assert r'model="m\\xff.aed"' in Path("m.prom").read_text()
    shown = prompt("state", "show", "s.db", "--json").json()
    assert shown["entries"][0]["output"] == r"out/x\xff.csv"
    forgotten = prompt("state", "forget", "s.db", name)
    assert (forgotten.stdout, forgotten.stderr) == ("1 entry forgotten\n", "")


def test_a_pickle_is_not_run_when_it_is_refused(prompt: Prompt) -> None:
    """The table's row says how it is refused; this, that the trap would snap."""
    import pickle  # noqa: TID251 - a pickle is what must not be run

    from faults.table import Bomb

    assert prompt(*SCORE, "normal.csv", "-m", prompt.write("bad.aed", pickle.dumps(Bomb()))).exit_code == 4
    assert not Path("executed").exists()
    pickle.loads(pickle.dumps(Bomb())).close()  # noqa: S301 - made here, to see that it would have been run
    assert Path("executed").exists()


def test_the_error_is_one_json_object_if_asked_for(prompt: Prompt) -> None:
    result = prompt(*SCORE, "normal.csv", "-m", "none.aed", "--json")
    assert (result.exit_code, result.stdout) == (4, "")
    assert json.loads(result.stderr) == {
        "command": "score",
        "error": "none.aed: cannot read the model file: No such file or directory",
        "exit_code": 4,
    }


def test_standard_input_is_learned_and_scored(prompt: Prompt) -> None:
    content = Path("normal.csv").read_bytes()
    assert prompt(*TRAIN, "-", stdin=content).exit_code == 0
    result = prompt(*SCORE, "-", "-m", "new.aed", stdin=content)
    assert result.stdout.startswith("<stdin>: 200 rows, ")


def test_an_address_of_a_file_is_read(prompt: Prompt) -> None:
    assert prompt(*SCORE, Path("normal.csv").resolve().as_uri()).exit_code == 0
    assert len(written()) == 200
