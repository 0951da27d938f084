"""`aedetect train` from the shell."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from support.model_content import content_of
from support.pretend_cluster import PretendCluster
from support.prompt import Prompt
from support.tables import tiny_frame

import aedetect
from aedetect.engine import places
from aedetect.engine.cluster import Here, Workers


@pytest.fixture(autouse=True)
def train(prompt: Prompt) -> Prompt:
    quick = prompt.setting(training_epochs="1", training_folds="2", training_device="cpu", model_width="8")
    return quick.command("train")


def test_it_says_what_each_column_was_taken_for(train: Prompt, tiny_csv: Path) -> None:
    result = train(tiny_csv, "-o", "m.aed")
    assert result.exit_code == 0
    lines = [line.split()[:2] for line in result.stdout.splitlines()]
    for pair in (["temp", "numeric"], ["site", "categorical"], ["open", "boolean"]):
        assert pair in lines
    assert "m.aed: learned 200 normal rows in " in result.stdout
    assert os.listdir() == ["m.aed"]


def test_the_summary_is_the_contract(train: Prompt, tiny_csv: Path) -> None:
    result = train(tiny_csv, "-o", "m.aed", "--json")
    found = json.loads(result.stdout)
    assert list(found) == [
        *["schema_version", "aedetect_version", "command", "model", "rows", "rows_left_out", "columns"],
        *["networks", "calibration", "threshold", "alert_rate", "expected_alert_rate", "warnings"],
        *["started", "finished", "seconds", "exit_code"],
    ]
    assert (found["command"], found["rows"], found["networks"]) == ("train", 200, 1)
    assert found["threshold"] == aedetect.load("m.aed").threshold
    assert result.stderr == ""


def test_a_rate_finer_than_the_rows_can_show_is_said(train: Prompt, tiny_csv: Path) -> None:
    result = train(tiny_csv, "-o", "m.aed", "--alert-rate", "0.001", "-q", "--json")
    assert json.loads(result.stdout)["warnings"][-1] == (
        "an alert rate of 0.001 is finer than 200 calibration rows can show (at best 0.005); "
        "the threshold follows a fitted tail beyond them"
    )


def test_the_same_command_gives_the_same_network(train: Prompt, tiny_csv: Path) -> None:
    from aedetect.scoring.model_file import read_model_file

    for name in ("a.aed", "b.aed"):
        assert train(tiny_csv, "-o", name).exit_code == 0
    first, second = read_model_file("a.aed")[1], read_model_file("b.aed")[1]
    assert {name: tensor.tobytes() for name, tensor in first.items()} == {
        name: tensor.tobytes() for name, tensor in second.items()
    }


def test_flags_win_over_the_environment(train: Prompt, tiny_csv: Path) -> None:
    train = train.setting(threshold_alert_rate="0.2")
    assert train.json(tiny_csv, "-o", "m.aed")["alert_rate"] == 0.2
    assert train.json(tiny_csv, "-o", "m.aed", "--alert-rate", "0.3")["alert_rate"] == 0.3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "-"], "-o -: a model goes to a file, not to stdout; name one, e.g. -o model.aed"),
        (["-o", "in.csv"], "in.csv: the model would overwrite an input; choose another name"),
        (
            ["-o", "m.aed", "--role", "temp"],
            "--role 'temp': write it as COLUMN=ROLE, e.g. --role zip=categorical",
        ),
        (
            ["-o", "m.aed", "--role", "temp=number"],
            "--role temp = 'number': not one of numeric, categorical, boolean, datetime, id or ignored; "
            "did you mean 'numeric'?",
        ),
        (["-o", "m.aed", "--epochs", "0"], "--epochs = '0': must be at least 1"),
        (
            ["-o", "m.aed", "--on", "spark"],
            "--on spark: no such place; give 'ray', or the address of a cluster as ray://HOST:PORT",
        ),
        (
            ["-o", "m.aed", "--max-time", "soon"],
            "--max-time = 'soon': not a duration; write it like 90s, 10m or 2h",
        ),
        (
            ["-o", "m.aed", "--contamination", "0.5"],
            "--contamination = '0.5': not a share of anomalies; write a number from 0 to below 0.5, "
            "such as 0.05 or 5%, or auto",
        ),
    ],
)
def test_wrong_use(train: Prompt, tiny_csv: Path, words: list[str], message: str) -> None:
    data = tiny_csv.read_bytes()
    Path("in.csv").write_bytes(data)
    assert train("in.csv", *words).usage() == message
    assert os.listdir() == ["in.csv"]
    assert Path("in.csv").read_bytes() == data


def test_rows_are_read_on_a_cluster(train: Prompt, tiny_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(place: str | None, **_: object) -> contextlib.nullcontext[Workers]:
        return contextlib.nullcontext(PretendCluster() if place == "ray" else Here())

    monkeypatch.setattr(places, "opened_workers", opened)
    monkeypatch.setattr("aedetect.cli.train.check_place", lambda _: None)
    here, there = (
        train.json(tiny_csv, "-o", f"{name}.aed", *words)
        for name, words in (("here", []), ("there", ["--on", "ray"]))
    )
    assert (here.get("workers"), there["workers"]) == (None, 2)
    first, second = (aedetect.load(f"{name}.aed").fitted for name in ("here", "there"))
    assert content_of(first) == content_of(second)


def test_a_resume_without_a_checkpoint_starts_anew(train: Prompt, tiny_csv: Path) -> None:
    assert train(tiny_csv, "-o", "m.aed", "--resume").exit_code == 0
    assert os.listdir() == ["m.aed"]


def test_roles_do_not_depend_on_how_many_batches_a_file_is_read_in(train: Prompt) -> None:
    tiny_frame(3000).to_csv("long.csv", index=False)
    result = train.setting(scoring_batch_rows="100")("long.csv", "-o", "m.aed", "--json")
    assert [column["role"] for column in json.loads(result.stdout)["columns"]] == [
        *["numeric", "numeric", "categorical", "boolean"]
    ]
