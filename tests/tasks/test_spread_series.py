"""`score --on ray` on time series: the same files and the same summary as on one machine, to the last bit."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from support.pretend_cluster import pretend
from support.prompt import Prompt
from support.sensors import DAY, broken, readings

from aedetect.engine import divided

FLAGS = ("--time", "time", "--entity", "machine", "--window", 24, "--alert-rate", "0.001", "--epochs", 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    readings(8, 3).to_csv(path / "normal.csv", index=False)
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *FLAGS).exit_code == 0
    return path / "m.aed"


@pytest.fixture
def score(prompt: Prompt, model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """Scoring with m.aed, in a folder with dumps of several machines."""
    pretend(monkeypatch)
    os.symlink(model, "m.aed")
    frame = broken(readings(4, 5, seed=5, start="2026-02-01"), 2 * DAY - 20, 2 * DAY + 20)
    frame = frame.drop(index=range(3 * DAY, 3 * DAY + 60)).sort_values("time", kind="stable")
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 4)):
        frame.iloc[rows].to_csv(f"dump-{number}.csv", index=False)
    return prompt.command("score", after=("-m", "m.aed"))


DUMPS = [f"dump-{number}.csv" for number in range(4)]


def both(score: Prompt, inputs: Sequence[str], *flags: object, code: int = 0) -> dict[str, Any]:
    """Score here and elsewhere: all files that come of it, and all that is said. Gives the summary."""
    said = {}
    for where, on in (("here", ()), ("elsewhere", ("--on", "ray"))):
        Path(where).mkdir(exist_ok=True)
        asked = [str(flag).replace("WHERE", where) for flag in flags]
        result = score(*inputs, *asked, *on, "--json")
        assert result.exit_code == code, result.output
        said[where] = result.json()
    here, elsewhere = (_timeless(said[where], where) for where in said)
    assert elsewhere == here
    for path in Path("here").rglob("*"):
        if path.is_file() and path.suffix != ".db":
            assert Path("elsewhere", path.relative_to("here")).read_bytes() == path.read_bytes(), path
    assert len(list(Path("here").rglob("*"))) == len(list(Path("elsewhere").rglob("*")))
    return said["elsewhere"]


def _timeless(summary: dict[str, Any], where: str) -> Any:
    others = ("seconds", "started", "finished", "workers")
    kept = {name: value for name, value in summary.items() if name not in others}
    kept["model"] = {name: value for name, value in kept["model"].items() if name != "age_days"}
    return json.loads(json.dumps(kept).replace(f"{where}/", "WHERE/"))


@pytest.mark.parametrize(
    "flags",
    [
        ("-o", "WHERE/", "--events", "WHERE/events.csv", "--silence", "2h"),
        ("-o", "WHERE/all.parquet", "--events", "WHERE/events.parquet"),
        pytest.param(("-o", "WHERE/odd.csv", "--only-anomalies", "--keep", "none"), marks=pytest.mark.slow),
        pytest.param((), marks=pytest.mark.slow),
    ],
    ids=["a file each", "one file", "only anomalies", "no output"],
)
def test_files_and_summary_are_the_same(score: Prompt, flags: Sequence[str]) -> None:
    summary = both(score, DUMPS, *flags)
    assert summary["workers"] == 2
    assert summary["anomalies"] > 20
    assert not list(Path().rglob(".aedetect*"))


def test_one_bad_file_fails_alone(score: Prompt) -> None:
    Path("bad.csv").write_text("time,machine,temp,load,open\nnever,m0,1,2,true\n")
    summary = both(score, [*DUMPS[:2], "bad.csv", *DUMPS[2:]], "-o", "WHERE/", code=6)
    assert [entry["status"] for entry in summary["files"]] == [
        "scored",
        "scored",
        "failed",
        "scored",
        "scored",
    ]


def test_a_history_goes_before(score: Prompt) -> None:
    both(score, DUMPS[2:], "--history", DUMPS[0], "--history", DUMPS[1], "-o", "WHERE/")


def test_what_is_muted_is_muted_there(score: Prompt) -> None:
    Path("calendar.csv").write_text(
        "start,end,name\n2026-02-02,2026-02-03,Repair\n2026-02-20,2026-02-21,Later\n"
    )
    summary = both(score, DUMPS, "--calendar", "calendar.csv", "--events", "WHERE/events.csv", "-o", "WHERE/")
    assert summary["muted"] > 0


@pytest.mark.slow
def test_dumps_day_by_day_are_one_series(score: Prompt) -> None:
    for last in range(1, 5):
        both(score, DUMPS[:last], "--new-only", "--state", "WHERE/ledger.db", "-o", "WHERE/")
    here, elsewhere = (_tails(f"{where}/ledger.db") for where in ("here", "elsewhere"))
    assert here
    assert elsewhere == here


@pytest.mark.slow
def test_a_dump_that_comes_late_is_judged_among_those_before(score: Prompt) -> None:
    for dumps in ([DUMPS[0], DUMPS[2]], [DUMPS[0], DUMPS[1], DUMPS[2], DUMPS[3]]):
        both(score, dumps, "--new-only", "--state", "WHERE/ledger.db", "-o", "WHERE/")
    assert _tails("elsewhere/ledger.db") == _tails("here/ledger.db")


def _tails(path: str) -> list[Any]:
    with sqlite3.connect(path) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        table = next(name for name in tables if "tail" in name)
        return sorted(map(repr, database.execute(f"select * from {table}")))


def test_one_series_is_judged_here_and_that_is_said(score: Prompt, tmp_path: Path) -> None:
    frame = readings(6).drop(columns="machine")
    frame.to_csv("one.csv", index=False)
    train = ("train", "one.csv", "-o", "one.aed", "--time", "time", "--window", "24")
    assert Prompt(tmp_path)(*train).exit_code == 0
    result = Prompt(tmp_path)("score", "one.csv", "-m", "one.aed", "--on", "ray", "-o", "out.csv")
    assert result.exit_code == 0, result.output
    assert (
        "warning: --on ray: judged on this machine, as the model knows no column that tells series apart "
        "(--entity): all rows are one series" in result.stderr
    )
    assert len(pd.read_csv("out.csv")) == len(frame)


def test_a_large_file_is_written_span_by_span(score: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided, "LEAST_BYTES", 1)
    monkeypatch.setattr(divided, "SPAN_ROWS", 500)
    frame = pd.concat([pd.read_csv(path, parse_dates=["time"]) for path in DUMPS])
    frame.to_parquet("large.parquet", row_group_size=170, index=False)
    flags = ("--events", "events.csv", "--json")
    here = score("large.parquet", "-o", "here.parquet", *flags).json()
    events = Path("events.csv").read_bytes()
    elsewhere = score("large.parquet", "-o", "elsewhere.parquet", *flags, "--on", "ray").json()
    assert pq.read_table("elsewhere.parquet").equals(pq.read_table("here.parquet"))
    assert Path("events.csv").read_bytes() == events
    assert elsewhere["anomalies"] == here["anomalies"] > 20
    assert (elsewhere["warnings"], elsewhere["drift"]) == (here["warnings"], here["drift"])


def test_drift_is_the_same(prompt: Prompt, score: Prompt) -> None:
    drift = prompt.command("drift", after=("-m", "m.aed", "--json"))
    here, elsewhere = drift(*DUMPS).json(), drift(*DUMPS, "--on", "ray").json()
    for name in ("seconds", "started", "finished", "workers", "model"):
        here.pop(name, None), elsewhere.pop(name, None)
    assert elsewhere == here
