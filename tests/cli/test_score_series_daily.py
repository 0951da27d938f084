"""Series that arrive in dumps: the ledger keeps the end of each, so that dumps may be short or deleted."""

from __future__ import annotations

import os
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.sensors import DAY, broken, readings

NEW = ("--new-only", "--state", "ledger.db")
WINDOW = 24


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two machines with a scale each."""
    path = tmp_path_factory.mktemp("model")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", WINDOW, "--alert-rate", "0.001")
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path / "m.aed"


@pytest.fixture
def new() -> pd.DataFrame:
    """Three days of three machines, one of them new, with missing cells, a pause and an event at a cut."""
    frame = broken(readings(3, 3, seed=5, start="2026-02-01"), 2 * DAY - 20, 2 * DAY + 20)
    frame.loc[DAY - 40 : DAY + 5, "load"] = float("nan")
    frame.loc[3 * DAY + DAY - 3 : 3 * DAY + DAY + 90, "load"] = float("nan")
    frame = frame.drop(index=range(3 * DAY + 2 * DAY - 30, 3 * DAY + 2 * DAY - 10))
    return frame.assign(time=frame["time"].astype(str)).reset_index(drop=True)


@pytest.fixture(autouse=True)
def score(prompt: Prompt, model: Path) -> Prompt:
    """Scoring with m.aed, in a folder with an empty folder of dumps."""
    os.symlink(model, "m.aed")
    Path("dumps").mkdir()
    return prompt.command("score", after=("-m", "m.aed"))


def dump(frame: pd.DataFrame, name: str) -> Path:
    path = Path("dumps", f"{name}.csv")
    # Older releases of pandas convert the bits of a missing time as well, which numpy warns of.
    with np.errstate(invalid="ignore"):
        frame.to_csv(path, index=False)
    return path


def table(path: str | Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"is_anomaly": str, "anomaly_features": str}).drop(columns="anomaly_event")


def in_one_go(score: Prompt, frame: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    """The verdicts on the rows of `part` where all of `frame` is scored at once."""
    with np.errstate(invalid="ignore"):
        frame.to_csv("whole.csv", index=False)
    score.json("whole.csv", "-o", "whole-scored.csv")
    return table("whole-scored.csv")[part.to_numpy()].reset_index(drop=True)


def tails() -> list[tuple[Any, ...]]:
    with sqlite3.connect("ledger.db") as database:
        found = database.execute("SELECT * FROM tails ORDER BY series").fetchall()
    database.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("rows", [DAY, 10])
def test_a_dump_is_judged_as_if_all_had_come_at_once(
    score: Prompt, new: pd.DataFrame, deleted: bool, rows: int
) -> None:
    starts = pd.date_range("2026-02-01", "2026-02-04", freq=f"{rows * 10}min")
    if rows < WINDOW:
        # Around the pause, where the history of a dump is the shortest.
        starts = starts[28:34]
        early = new["time"] < str(starts[0])
        path = dump(new[early], "0")
        score.json("dumps", "-o", "out/", *NEW)
    for start, end in pairwise(starts):
        if deleted:
            for path in Path("dumps").iterdir():
                path.unlink()
        part = (new["time"] >= str(start)) & (new["time"] < str(end))
        path = dump(new[part], f"{start:%m-%dT%H%M}")
        found = score.json("dumps", "-o", "out/", *NEW)
        assert found["rows"] == part.sum()
        known = new["time"] < str(end)
        pd.testing.assert_frame_equal(
            table(Path("out", path.name)), in_one_go(score, new[known], part[known])
        )


def test_a_dump_delivered_anew_is_judged_as_before(score: Prompt, prompt: Prompt, new: pd.DataFrame) -> None:
    for day in ("02-01", "02-02"):
        dump(new[new["time"].str.contains(day)], day)
        score.json("dumps", "-o", "out/", *NEW)
    before, kept = Path("out/02-02.csv").read_text(), [row[:4] for row in tails()]
    assert prompt("state", "forget", "ledger.db", "dumps/02-02.csv").exit_code == 0
    assert score.json("dumps", "-o", "out/", *NEW)["rows"] > 0
    assert Path("out/02-02.csv").read_text() == before
    assert [row[:4] for row in tails()] == kept


def test_a_dump_that_comes_late_is_judged_with_those_before_it(score: Prompt, new: pd.DataFrame) -> None:
    days = [new["time"].str.contains(day) for day in ("02-01", "02-02", "02-03")]
    for number in (0, 2, 1):
        dump(new[days[number]], str(number))
        found = score.json("dumps", "-o", "out/", *NEW)
    # After the pause there are fewer rows than a window has.
    assert found["warmup"] == 10


def test_a_failed_run_does_not_move_the_end(score: Prompt, new: pd.DataFrame) -> None:
    dump(new[new["time"].str.contains("02-01")], "02-01")
    score.json("dumps", "-o", "out/", *NEW)
    before = tails()
    dump(new[new["time"].str.contains("02-02")], "02-02")
    os.symlink("/dev/full", "out/02-02.csv")
    assert score("dumps", "-o", "out/", *NEW).exit_code == 5
    assert tails() == before
    Path("out/02-02.csv").unlink()
    score.json("dumps", "-o", "out/", *NEW)
    assert len(tails()) == len(before) == 3
    assert all(later != earlier for later, earlier in zip(tails(), before, strict=True))


def test_the_ledger_says_that_it_keeps_them(score: Prompt, prompt: Prompt, new: pd.DataFrame) -> None:
    dump(new[new["time"].str.contains("02-01")], "02-01")
    score.json("dumps", "-o", "out/", *NEW)
    digest = tails()[0][0]
    assert prompt("state", "show", "ledger.db").stdout.splitlines()[-1] == (
        f"the end of 3 series, {sum(row[2] for row in tails())} rows up to 2026-02-01T23:50:00+00:00, "
        f"of model {digest[:12]}"
    )
    told = prompt("state", "show", "ledger.db", "--json").json()
    assert [(count["model"], count["series"]) for count in told["tails"]] == [(digest, 3)]
    assert prompt("state", "forget", "ledger.db", "--all").exit_code == 0
    assert tails() == []


@pytest.mark.parametrize("value", ["substr(data, 1, 90)", "zeroblob(length(data))"])
def test_a_damaged_end_is_5(score: Prompt, new: pd.DataFrame, value: str) -> None:
    dump(new[new["time"].str.contains("02-01")], "02-01")
    score.json("dumps", "-o", "out/", *NEW)
    with sqlite3.connect("ledger.db") as database:
        database.execute(f"UPDATE tails SET data = {value}")
    database.close()
    dump(new[new["time"].str.contains("02-02")], "02-02")
    result = score("dumps", "-o", "out/", *NEW)
    assert (result.exit_code, result.stderr) == (
        5,
        "error: ledger.db: the state file is damaged; restore it from a backup, or remove it to have every "
        "input scored anew\n",
    )
    assert not Path("out/02-02.csv").exists()


def test_a_ledger_made_before_ends_were_kept(score: Prompt, prompt: Prompt, new: pd.DataFrame) -> None:
    dump(new[new["time"].str.contains("02-01")], "02-01")
    score.json("dumps", "-o", "out/", *NEW)
    with sqlite3.connect("ledger.db") as database:
        database.execute("DROP TABLE tails")
        database.execute("DROP TABLE deliveries")
        database.execute("PRAGMA user_version = 1")
    database.close()
    assert prompt("state", "show", "ledger.db").stdout.splitlines()[-1] == "1 entry"
    dump(new[new["time"].str.contains("02-02")], "02-02")
    found = score.json("dumps", "-o", "out/", *NEW)
    assert [entry["status"] for entry in found["files"]] == ["known", "scored"]
    # After the pause there are fewer rows than a window has.
    assert found["warmup"] == 10
    assert len(tails()) == 3
