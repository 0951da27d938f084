"""Inputs scored side by side come to what they come to one after the other."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.processes import PROGRAM
from support.prompt import Prompt
from support.tables import tiny_frame
from support.waiting import until

from aedetect.engine import executors
from aedetect.engine.plan import Plan
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory: four dumps, one of them bad, for which two processes are worthwhile."""
    monkeypatch.chdir(tmp_path)
    Path("m.aed").write_bytes(tiny_model.read_bytes())
    Path("in").mkdir()
    for number in range(3):
        tiny_frame(300, seed=number).to_csv(f"in/{number}.csv", index=False)
    Path("in/bad.csv").write_text("temp,load,site,open\n1,2\n")
    monkeypatch.setattr(executors, "WORTHWHILE_BYTES", 1)


def score(output: str, *words: str) -> dict[str, Any]:
    result = Prompt(Path())("score", "in", "-m", "m.aed", "-o", output, "--json", *words)
    assert result.exit_code == 6
    told: dict[str, Any] = json.loads(result.stdout)
    for changing in ("started", "finished", "seconds", "model"):
        del told[changing]
    for entry in told["files"]:
        entry["output"] = entry["output"] and Path(entry["output"]).name
    return told


def test_side_by_side_is_the_same(tmp_path: Path) -> None:
    serial = score("one/")
    both = score("two/", "--jobs", "2", "--new-only", "--state", "s.db")
    assert both == serial
    assert serial["drift"]["rows"] == 900
    for path in Path("one").iterdir():
        assert Path("two", path.name).read_bytes() == path.read_bytes()
    again = score("two/", "--jobs", "2", "--new-only", "--state", "s.db")
    assert [entry["status"] for entry in again["files"]].count("known") == 3
    assert not [path for path in tmp_path.rglob("*") if "aedetect-" in path.name]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("encode", ["--map", "{}.svg"], marks=pytest.mark.slow),
        ("clean", ["--changes", "{}.csv"]),
        pytest.param("clean", ["--only-anomalous-cells", "--changes", "{}.parquet"], marks=pytest.mark.slow),
        pytest.param("impute", ["--mark", "--draws", "2"], marks=pytest.mark.slow),
    ],
)
def test_every_task_is_the_same_side_by_side(command: str, words: list[str]) -> None:
    found = []
    for number, jobs in (("one", []), ("two", ["--jobs", "2"])):
        asked = [word.format(number) for word in words]
        line = [command, "in", "-m", "m.aed", "-o", f"{number}/", "--json", *asked, *jobs]
        result = Prompt(Path())(*line)
        assert result.exit_code == 6, result.output
        told = json.loads(result.stdout)
        for changing in ("started", "finished", "seconds"):
            del told[changing]
        for entry in told["files"]:
            entry["output"] = entry["output"] and Path(entry["output"]).name
        outputs = {path.name: path.read_bytes() for path in Path(number).iterdir()}
        sides = [path.read_bytes() for path in Path().glob(f"{number}.*")]
        found.append((told, outputs, sides))
    assert found[0] == found[1]
    assert len(found[0][1]) == 3


def test_an_output_that_cannot_be_written_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").mkdir()
    os.symlink("/dev/full", "out/1.csv")
    result = Prompt(Path())("score", "in", "-m", "m.aed", "-o", "out/", "--jobs", "2")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        5,
        "error: out/1.csv: cannot be written: no space left on the device",
    )


@pytest.mark.parametrize(
    ("size", "jobs", "used"), [(1, 1, 1), (1, 2, 2), (1, 9, 4), (10**9, 4, 1), (20_000, 9, 1)]
)
def test_more_processes_only_where_they_pay(
    size: int, jobs: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "WORTHWHILE_BYTES", size)
    sources = open_inputs(["in"], ReadOptions())
    assert executors.worthwhile(Plan(sources, [None] * len(sources)), jobs) == used


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "whom"),
    [
        (signal.SIGTERM, "the run"),
        (signal.SIGTERM, "all of it"),
        (signal.SIGHUP, "the run"),
        (signal.SIGINT, "all of it"),
        (signal.SIGKILL, "the run"),
    ],
)
def test_a_stopped_run_ends_at_once_and_leaves_nothing(tmp_path: Path, number: int, whom: str) -> None:
    """As `kill`, the terminal and systemd stop it; killed, it leaves what the next run removes."""
    Path("in/bad.csv").unlink()
    tiny_frame(300_000).to_csv("in/0.csv", index=False)
    for name in range(1, 16):
        os.link("in/0.csv", f"in/part{name}.csv")
    for name in ("in/1.csv", "in/2.csv"):
        Path(name).unlink()
    words = ["score", "in", "-m", "m.aed", "-o", "out/", "--jobs", "2"]
    environment = os.environ | {"AEDETECT_SCORING_BATCH_ROWS": "64"}
    with subprocess.Popen(
        [*PROGRAM, *words], stderr=subprocess.PIPE, env=environment, text=True, start_new_session=True
    ) as process:
        writers = until(
            lambda: found if len(found := list(tmp_path.glob("out/.*tmp*"))) > 1 else [], process=process
        )
        # Files of the processes that score, not of the run that started them.
        assert {int(path.name.rpartition("-tmp-")[2].partition("-")[0]) for path in writers} != {process.pid}
        tell = os.killpg if whom == "all of it" else os.kill
        tell(process.pid, number)
        stderr = process.communicate(timeout=20)[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}.get(signal.Signals(number), 143)
    assert "Traceback" not in stderr
    assert not [path for path in Path("out").iterdir() if not path.name.startswith(".")]
    if number != signal.SIGKILL:
        assert list(Path("out").iterdir()) == []
        assert stderr.startswith("error: interrupted" if number == signal.SIGINT else "error: terminated")
        return
    until(lambda: not any(_is_being_written(path) for path in writers), seconds=20)
    for path in Path("in").glob("part*"):
        path.unlink()
    assert Prompt(Path())("score", "in/0.csv", "-m", "m.aed", "-o", "out/").exit_code == 0
    assert [path.name for path in Path("out").iterdir()] == ["0.csv"]


def _is_being_written(temporary: Path) -> bool:
    """Whether the process that made a temporary file, which it keeps locked, still runs."""
    try:
        with open(temporary, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
