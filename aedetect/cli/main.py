"""The program: its commands and their order."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from aedetect._version import __version__
from aedetect.cli.commands import Commands
from aedetect.cli.help import DefaultingGroup, HelpfulGroup
from aedetect.cli.output import discard_stdout
from aedetect.cli.plain_text import degrade_streams, in_utf8_mode
from aedetect.cli.streams import fill_closed
from aedetect.errors import ExitCode

DETECT = "Learn, score, understand"
LOOK_AFTER = "Look after a model"
OTHER_USES = "Other uses of a model"

# By panel, in the order of the help page; the function of a command has its name, and its module, too.
_COMMANDS = {
    DETECT: ("train", "score", "explain", "report"),
    LOOK_AFTER: ("evaluate", "backtest", "calibrate", "refresh", "tune", "drift", "inspect", "export"),
    OTHER_USES: ("encode", "decode", "clean", "impute", "sample"),
}


def _commands() -> Commands:
    commands = Commands()
    for panel, names in _COMMANDS.items():
        for name in names:
            commands.add(name, panel)
    commands.add_group("feedback", LOOK_AFTER, DefaultingGroup, ("note", "list_", "undo"))
    commands.add_group("state", LOOK_AFTER, HelpfulGroup, ("show", "forget"))
    return commands


class Program(HelpfulGroup):
    """All commands, each of which is loaded when it is meant."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.commands = self._all = _commands()

    def summaries(self) -> Iterator[tuple[str, str, str | None]]:
        # To make the commands would read all their options, which the page does not show.
        return self._all.summaries()


app = typer.Typer(
    name="aedetect",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Texts are never read as markup, and wrong use is told in plain lines.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"aedetect {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Learn what normal rows look like, flag what does not belong.

    Example: aedetect train normal.csv -o model.aed

    Example: aedetect score new.csv -m model.aed -o scored.csv

    `aedetect COMMAND --help` tells more of a command.
    """


def run() -> None:
    """Entry point of the console script."""
    fill_closed()
    # To look for plugins pydantic reads what every installed package says of itself; none are meant here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    in_utf8_mode()
    degrade_streams()
    try:
        try:
            app(prog_name="aedetect")
        except SystemExit as end:
            # Help is printed outside of any command, where a closed pipe is taken for a failure.
            if isinstance(end.__context__, BrokenPipeError):
                raise BrokenPipeError from None
            sys.stdout.flush()
            raise
    except KeyboardInterrupt:
        # Before a command began, or while a shell was waiting for words to offer.
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        discard_stdout()
        sys.exit(ExitCode.CLOSED_PIPE)
    except OSError as error:
        discard_stdout()
        print(f"error: standard output: cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(ExitCode.OUTPUT)


if __name__ == "__main__":
    run()
