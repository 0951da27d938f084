"""Groups of options: a dataclass as one parameter of a command."""

from __future__ import annotations

import inspect
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from aedetect.cli.groups import group, grouped
from aedetect.cli.options import option


@group("Colours")
class Paint:
    """What to paint with."""

    colour: str = option("--colour NAME", "Its colour.", default="red")
    coats: int = option("--coats -c N", "How many coats.", default=...)
    gloss: bool = option("--gloss", "Shining.", panel="Finish", default=False)


@group()
class Work:
    """A group that holds another."""

    place: Annotated[str, typer.Argument()]
    paint: Paint


def paint(work: Work, note: str | None = option("--note TEXT", "A note.")) -> None:
    """Paint a place."""
    print(f"{work.place}, {work.paint}, {note}")


def typed(*words: str) -> tuple[int, str]:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(grouped(paint))
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["door", "-c", "2"], "door, Paint(colour='red', coats=2, gloss=False), None\n"),
        (
            ["--gloss", "--colour", "blue", "--note", "soon", "--coats", "1", "door"],
            "door, Paint(colour='blue', coats=1, gloss=True), soon\n",
        ),
    ],
)
def test_a_command_gets_its_groups_packed(words: list[str], printed: str) -> None:
    assert typed(*words) == (0, printed)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["door"], "error: missing option '--coats' / '-c'"),
        (["-c", "2"], "error: missing argument 'place'"),
        (["door", "-c", "two"], "error: invalid value for '--coats' / '-c'"),
    ],
)
def test_what_a_group_needs_must_be_given(words: list[str], error: str) -> None:
    code, output = typed(*words)
    assert code == 2
    assert error in output.lower()


def test_fields_come_in_the_order_of_their_groups_under_their_own_names() -> None:
    parameters = inspect.signature(grouped(paint)).parameters
    assert list(parameters) == ["place", "colour", "coats", "gloss", "note"]


def test_options_stand_in_the_panel_of_their_group_or_their_own() -> None:
    panels = {
        name: parameter.default.rich_help_panel
        for name, parameter in inspect.signature(grouped(paint)).parameters.items()
        if name != "place"
    }
    assert panels == {"colour": "Colours", "coats": "Colours", "gloss": "Finish", "note": None}


def test_two_options_of_one_name_are_refused() -> None:
    def twice(paint: Paint, colour: str = "none") -> None:
        """Has a colour in its group already."""

    with pytest.raises(TypeError, match=r"^twice: two options are named colour$"):
        grouped(twice)


def test_a_group_cannot_be_changed() -> None:
    made = Paint(colour="red", coats=1, gloss=True)
    with pytest.raises(AttributeError):
        made.colour = "blue"
