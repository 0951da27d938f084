"""`evaluate --on ray`: the same figures as on one machine, to the last digit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.pretend_cluster import pretend, told_of
from support.prompt import Prompt
from support.sensors import DAY, broken, readings

FLAGS = ("--time", "time", "--window", 24, "--alert-rate", "0.001", "--epochs", 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """series.aed and other.aed tell machines apart; one.aed takes all rows for one series."""
    path = tmp_path_factory.mktemp("models")
    readings(8, 3).to_csv(path / "normal.csv", index=False)
    readings(8, 1).drop(columns="machine").to_csv(path / "alone.csv", index=False)
    train = Prompt(path).command("train")
    for name, words in {
        "series.aed": ("normal.csv", "--entity", "machine"),
        "other.aed": ("normal.csv", "--entity", "machine", "--seed", 5),
        "one.aed": ("alone.csv",),
    }.items():
        assert train(*words, *FLAGS, "-o", name).exit_code == 0
    return path


@pytest.fixture
def evaluate(prompt: Prompt, models: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """Evaluation in a folder with labelled dumps of several machines, some of whose times are missing."""
    pretend(monkeypatch)
    for name in ("series.aed", "other.aed", "one.aed"):
        os.symlink(models / name, name)
    frame = broken(readings(4, 4, seed=5, start="2026-02-01"), 2 * DAY - 20, 2 * DAY + 20).assign(fault=0)
    frame.loc[2 * DAY - 20 : 2 * DAY + 19, "fault"] = 1
    frame = frame.sort_values("time", kind="stable")
    frame["time"] = frame["time"].astype("string")
    frame.iloc[[7, 99], frame.columns.get_loc("time")] = None
    frame.iloc[[300, 301], frame.columns.get_loc("fault")] = None
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_csv(f"dump-{number}.csv", index=False)
    return prompt.command("evaluate", after=("--label", "fault"))


DUMPS = [f"dump-{number}.csv" for number in range(3)]


@pytest.mark.parametrize(
    "more", [("--by", "machine"), ("--compare", "other.aed")], ids=lambda words: words[0]
)
def test_series_that_workers_judge_have_the_same_figures(evaluate: Prompt, more: tuple[str, ...]) -> None:
    words = (*DUMPS, "-m", "series.aed", *more)
    elsewhere = evaluate.json(*words, "--on", "ray")
    assert elsewhere["workers"] == 2
    assert elsewhere["series"]["events"] == 1
    here = evaluate.json(*words)
    assert here["workers"] is None
    assert told_of(elsewhere) == told_of(here)


def test_one_series_is_judged_here_which_is_said(evaluate: Prompt) -> None:
    words = (DUMPS[0], "-m", "one.aed")
    elsewhere, here = evaluate.json(*words, "--on", "ray"), evaluate.json(*words)
    said = (
        "--on ray: judged on this machine, as the model knows no column that tells series apart (--entity): "
        "all rows are one series"
    )
    result = evaluate(*words, "--on", "ray")
    assert said in " ".join(result.stderr.split())
    assert elsewhere["workers"] is None
    assert told_of(elsewhere) == told_of(here)


def test_an_input_that_cannot_be_read_is_named(evaluate: Prompt) -> None:
    Path("bad.csv").write_text("time,machine,temp,load,open,fault\nnever,m0,1,2,true,0\n")
    words = (*DUMPS[:1], "bad.csv", "-m", "series.aed")
    elsewhere, here = evaluate(*words, "--on", "ray"), evaluate(*words)
    assert elsewhere.exit_code == here.exit_code == 3
    assert elsewhere.stderr == here.stderr
    assert "bad.csv: column 'time': no cell can be read as a timestamp" in here.stderr
