"""Standard streams that whoever starts the program has closed, as some schedulers do."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.prompt import Prompt, Result
from support.tables import tiny_frame

NOWHERE = "error: standard output: cannot be written: Bad file descriptor\n"
TEXT = "in.csv: 200 rows"


@pytest.fixture(autouse=True)
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    tiny_frame(200).to_csv("in.csv", index=False)
    return prompt.command("score", after=("-m", tiny_model))


def closing(redirections: str) -> str:
    """A command of the shell that starts the program so; they are in the shell's language."""
    return f'exec "$@" {redirections}'


@pytest.mark.slow
def test_all_closed(score: Prompt) -> None:
    """No file may take the number of a stream: what is printed would go into it."""
    assert score.process("in.csv", "-o", "open.csv", "-q").exit_code == 0
    closed = score.process("in.csv", "-o", "closed.csv", "-q", shell=closing("<&- >&- 2>&-"))
    assert closed == Result(0, "", "")
    assert Path("closed.csv").read_bytes() == Path("open.csv").read_bytes()


@pytest.mark.parametrize("output", ["out.csv", "-"])
def test_nowhere_to_print_to(score: Prompt, output: str) -> None:
    assert score.process("in.csv", "-o", output, shell=closing(">&-")) == Result(5, "", NOWHERE)


def test_nothing_to_read_from(score: Prompt) -> None:
    expected = "error: <stdin>: cannot be read: Bad file descriptor\n"
    assert score.process("-", "-o", "out.csv", shell=closing("<&-")) == Result(3, "", expected)
    assert not Path("out.csv").exists()


def test_messages_have_nowhere_to_go(score: Prompt) -> None:
    result = score.process("in.csv", "-o", "out.csv", shell=closing("2>&-"))
    assert (result.exit_code, result.stdout[: len(TEXT)]) == (0, TEXT)
    assert score.process("none.csv", "-o", "out.csv", shell=closing("2>&-")) == Result(3, "", "")
