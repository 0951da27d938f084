"""Neighbours of the known faults: what a user, a script with an empty variable or a crash may do next."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from aedetect.cli.main import app
from aedetect.io import lock

CLASH = "would replace an input, an output, the model or the state file; name another"


@pytest.mark.parametrize("option", ["--summary", "--metrics"])
@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("tiny.aed", ["normal.csv"]),
        ("normal.csv", ["normal.csv"]),
        ("in/a.csv", ["in"]),
        ("normal.csv", ["normal.csv", "nothing*.csv"]),
        ("out.csv", ["normal.csv"]),
        ("s.db", ["normal.csv"]),
    ],
)
def test_25_a_record_never_replaces_another_file_of_the_run(
    prompt: Any, option: str, path: str, inputs: list[str]
) -> None:
    for name in ("in/a.csv", "out.csv"):
        prompt.write(name, (prompt.folder / "normal.csv").read_bytes())
    before = prompt.files()
    result = prompt.score(*inputs, option, path, "--new-only", "--state", "s.db")
    assert result.exit_code == 2
    assert f"{path}: {option} {CLASH}" in " ".join(result.stderr.replace("│", " ").split())
    assert prompt.files() == before


@pytest.mark.parametrize("option", ["--summary", "--metrics"])
def test_a_record_is_not_written_to_a_file_called_dash(prompt: Any, option: str) -> None:
    before = prompt.files()
    result = prompt.score("normal.csv", option, "-")
    assert result.exit_code == 2
    assert f"{option} -: this goes to a file, not to stdout, which --json is for" in result.stderr
    assert prompt.files() == before


def test_a_pipe_as_input_is_3_and_does_not_wait_for_a_writer(prompt: Any) -> None:
    os.mkfifo("in.csv")
    message = "in.csv: is no regular file; pipe what it holds to standard input, and name -"
    for command in (prompt.train, prompt.score):
        result = command("in.csv")
        assert (result.exit_code, result.stderr) == (3, f"error: {message}\n")


def test_a_pipe_among_the_data_files_of_a_folder_is_none_of_them(prompt: Any) -> None:
    prompt.write("in/a.csv", (prompt.folder / "normal.csv").read_bytes())
    os.mkfifo("in/pipe.csv")
    for words in (["in"], ["in/*.csv"]):
        assert [Path(entry["path"]).name for entry in prompt.summary(*words)["files"]] == ["a.csv"]


def test_01_zero_bytes_are_no_utf_16(prompt: Any) -> None:
    prompt.write("in.csv", bytes(5000))
    prompt.both_refuse(
        "in.csv", message="in.csv: holds nothing but zero bytes; was it cut off by a crash or a full disk?"
    )


def test_10_one_line_without_end_is_3(prompt: Any) -> None:
    prompt.write("in.csv", b"a" * (9 << 20))
    prompt.train_refuses("in.csv", message="in.csv: cannot be read: a row is longer than 4 MiB")


def test_24_a_failed_parquet_output_is_told_in_one_line(prompt: Any) -> None:
    """In a process of its own: Arrow used to complain when the interpreter threw its writer away."""
    frame = pd.read_csv("normal.csv")
    for name, part in (("good", frame), ("empty", frame[:0])):
        part.to_parquet(f"{name}.parquet")
    words = ["score", "empty.parquet", "good.parquet", "-m", "tiny.aed", "-o", "out/"]
    done = subprocess.run([sys.executable, "-m", "aedetect", *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (6, "error: empty.parquet: holds no rows\n")
    assert sorted(os.listdir("out")) == ["good.parquet"]


def test_31_names_that_are_no_utf_8(prompt: Any) -> None:
    os.mkdir("in")
    name = os.fsdecode(b"in/x\xff.csv")
    Path(name).write_bytes(Path("normal.csv").read_bytes())
    model = os.fsdecode(b"m\xff.aed")
    os.rename("tiny.aed", model)
    words = ("--new-only", "--state", "s.db", "--summary", "sum.json", "--metrics", "m.prom")
    assert prompt.score("in", *words, model=model, output="out/").exit_code == 0
    assert os.path.exists(os.fsdecode(b"out/x\xff.csv"))
    told = json.loads(Path("sum.json").read_bytes())
    assert (told["files"][0]["output"], told["model"]["path"]) == (r"out/x\xff.csv", r"m\xff.aed")
    assert r'model="m\\xff.aed"' in Path("m.prom").read_text()
    shown = json.loads(CliRunner().invoke(app, ["state", "show", "s.db", "--json"]).stdout)
    assert shown["entries"][0]["output"] == r"out/x\xff.csv"
    forgotten = CliRunner().invoke(app, ["state", "forget", "s.db", name])
    assert (forgotten.stdout, forgotten.stderr) == ("1 entry forgotten\n", "")


def test_24_a_missing_file_among_good_ones_is_told_in_plain_words(prompt: Any) -> None:
    result = prompt.score("normal.csv", "none.csv", output="out/")
    assert (result.exit_code, result.stderr) == (
        6,
        "error: none.csv: cannot be read: No such file or directory\n",
    )


def test_26_a_disk_too_full_for_the_name_of_a_locks_holder(
    prompt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock.os, "write", full)
    prompt.score_refuses(
        "normal.csv", "--new-only", "--state", "s.db",
        code=5, message="s.db: cannot be written: no space left on the device",
    )  # fmt: skip
