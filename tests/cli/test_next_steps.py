"""What a command says is to be done next."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.cli.next_steps import beside


@pytest.fixture
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """`score` with the tiny model, in a folder with 'odd rows.csv', of which row 5 is odd."""
    frame = tiny_frame(60, seed=1)
    frame.loc[4, "load"] = 4000.0
    frame.to_csv(prompt.folder / "odd rows.csv", index=False)
    (prompt.folder / "m.aed").write_bytes(tiny_model.read_bytes())
    return prompt.command("score", "odd rows.csv", "-m", "m.aed")


def steps(text: str) -> list[str]:
    return ["aedetect" + line.partition("aedetect")[2] for line in text.splitlines() if "aedetect " in line]


def test_steps_are_commands_to_copy_with_the_flags_that_were_given(score: Prompt) -> None:
    flags = ("--alert-rate", "0.02", "--format", "csv")
    text = score(*flags, terminals=["stdout"], environment={"TERM": "xterm", "NO_COLOR": "1"}).stdout
    assert steps(text) == [
        "aedetect explain 'odd rows.csv' --row 5 -m m.aed --format csv --alert-rate 0.02",
        "aedetect report 'odd rows.csv' -m m.aed -o 'odd rows-report.html' "
        "--input-format csv --alert-rate 0.02",
        "aedetect score 'odd rows.csv' -m m.aed -o 'odd rows-scored.csv' --format csv --alert-rate 0.02",
    ]


def test_each_step_runs(score: Prompt) -> None:
    prompt = Prompt(score.folder)
    text = score(terminals=["stdout"], environment={"TERM": "xterm", "NO_COLOR": "1"}).stdout
    for step in steps(text):
        result = prompt(*shlex.split(step)[1:])
        assert result.exit_code == 0, result.output


def test_nothing_is_said_of_it_elsewhere(score: Prompt) -> None:
    assert "next:" not in score().stdout
    assert (
        "next:"
        not in score("--quiet", terminals=["stdout"], environment={"TERM": "xterm", "NO_COLOR": "1"}).output
    )
    assert (
        "next:"
        not in score("--json", terminals=["stdout"], environment={"TERM": "xterm", "NO_COLOR": "1"}).stdout
    )


def test_what_came_from_standard_input_is_not_read_again(score: Prompt) -> None:
    rows = (score.folder / "odd rows.csv").read_text()
    text = Prompt(score.folder)(
        "score",
        "-",
        "-m",
        "m.aed",
        stdin=rows,
        terminals=["stdout"],
        environment={"TERM": "xterm", "NO_COLOR": "1"},
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
