"""What a command says is to be done next."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.cli.next_steps import beside

AROUND = {"TERM": "xterm", "NO_COLOR": "1"}


@pytest.fixture
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """`score` with the tiny model, in a folder with 'odd rows.csv', of which row 5 is odd."""
    frame = tiny_frame(60, seed=1)
    frame.loc[4, "load"] = 4000.0
    frame.to_csv(prompt.folder / "odd rows.csv", index=False)
    (prompt.folder / "m.aed").write_bytes(tiny_model.read_bytes())
    return prompt.command("score", "odd rows.csv", "-m", "m.aed")


def steps(text: str) -> list[str]:
    return [
        "aedetect" + line.partition("aedetect")[2]
        for line in text.splitlines()
        if line.lstrip().startswith(("next: aedetect", "aedetect "))
    ]


def test_steps_are_commands_to_copy_with_the_flags_that_were_given(score: Prompt) -> None:
    flags = ("--alert-rate", "0.02", "--format", "csv")
    text = score(*flags, terminals=["stdout"], environment=AROUND).stdout
    assert steps(text) == [
        "aedetect explain 'odd rows.csv' --row 5 -m m.aed --format csv --alert-rate 0.02",
        "aedetect report 'odd rows.csv' -m m.aed -o 'odd rows-report.html' "
        "--input-format csv --alert-rate 0.02",
        "aedetect score 'odd rows.csv' -m m.aed -o 'odd rows-scored.csv' --format csv --alert-rate 0.02",
    ]


def test_each_step_runs(score: Prompt) -> None:
    prompt = Prompt(score.folder)
    text = score(terminals=["stdout"], environment=AROUND).stdout
    for step in steps(text):
        result = prompt(*shlex.split(step)[1:])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "next_ones"),
    [
        ("train odd.csv -o new.aed --epochs 1", ["score NEW.csv -m new.aed -o NEW-scored.csv",
                                                 "inspect new.aed"]),
        ("score odd.csv -m m.aed -o out.csv", ["explain odd.csv --row 5 -m m.aed",
                                               "report odd.csv -m m.aed -o odd-report.html"]),
        ("evaluate odd.csv -m m.aed --label bad", ["report odd.csv -m m.aed -o odd-report.html --label bad"]),
        ("backtest odd.csv -m m.aed", ["backtest odd.csv -m m.aed --budget 5/dump"]),
        ("explain odd.csv -m m.aed", ["report odd.csv -m m.aed -o odd-report.html"]),
        ("calibrate odd.csv -m m.aed -o new.aed", ["score NEW.csv -m new.aed -o NEW-scored.csv"]),
        ("drift odd.csv -m m.aed", ["report odd.csv -m m.aed -o odd-report.html"]),
        ("report odd.csv -m m.aed -o r.html", ["explain odd.csv -m m.aed"]),
        ("inspect m.aed", ["score NEW.csv -m m.aed -o NEW-scored.csv"]),
        ("encode odd.csv -m m.aed -o codes.parquet", ["decode codes.parquet -m m.aed -o codes-rebuilt.csv"]),
        ("clean odd.csv -m m.aed -o out.csv", ["clean odd.csv -m m.aed -o out.csv --changes changes.csv",
                                               "score out.csv -m m.aed"]),
        ("impute odd.csv -m m.aed -o out.csv", ["score out.csv -m m.aed"]),
        ("sample 10 -m m.aed -o out.csv", ["score out.csv -m m.aed"]),
    ],
    ids=lambda value: value.partition(" ")[0] if isinstance(value, str) else None,
)  # fmt: skip
def test_every_command_says_what_to_do_next(score: Prompt, words: str, next_ones: list[str]) -> None:
    prompt = Prompt(score.folder, {"AEDETECT_TRAINING_FOLDS": "2"})
    frame = tiny_frame(60, seed=1).assign(bad=0)
    frame.loc[4, ["load", "bad"]] = 4000.0, 1
    frame.to_csv(score.folder / "odd.csv", index=False)
    result = prompt(*words.split(), terminals=["stdout"], environment=AROUND)
    assert result.exit_code == 0, result.output
    assert steps(result.stdout) == ["aedetect " + step for step in next_ones]
    for step in next_ones:
        ended = prompt(*step.split())
        assert ended.exit_code == (3 if "NEW.csv" in step else 0), ended.output


def test_nothing_is_said_of_it_elsewhere(score: Prompt) -> None:
    assert "next:" not in score().stdout
    assert "next:" not in score("--quiet", terminals=["stdout"], environment=AROUND).output
    assert "next:" not in score("--json", terminals=["stdout"], environment=AROUND).stdout


def test_what_came_from_standard_input_is_not_read_again(score: Prompt) -> None:
    rows = (score.folder / "odd rows.csv").read_text()
    text = Prompt(score.folder)(
        "score",
        "-",
        "-m",
        "m.aed",
        stdin=rows,
        terminals=["stdout"],
        environment=AROUND,
    ).stdout
    assert "load is 4,000.0" in text
    assert steps(text) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/march.csv.gz", "march-x"),
        ("data/", "data-x"),
        ("*.csv", "rows-x"),
        ("s3://bucket/day/*", "day-x"),
    ],
)
def test_names_for_what_is_made_of_a_file(path: str, name: str) -> None:
    assert beside(path, "-x") == name
