"""The program: its commands and their order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from aedetect._version import __version__
from aedetect.cli import (
    backtest,
    calibrate,
    clean,
    decode,
    drift,
    encode,
    evaluate,
    explain,
    export,
    feedback,
    impute,
    inspect,
    refresh,
    report,
    sample,
    score,
    state,
    train,
)
from aedetect.cli.groups import grouped
from aedetect.cli.help import DefaultingGroup, HelpfulCommand, HelpfulGroup
from aedetect.cli.output import discard_stdout
from aedetect.cli.plain_text import degrade_streams, in_utf8_mode
from aedetect.cli.streams import fill_closed
from aedetect.errors import ExitCode

DETECT = "Learn, score, understand"
LOOK_AFTER = "Look after a model"
OTHER_USES = "Other uses of a model"

_COMMANDS: dict[str, Sequence[Callable[..., None]]] = {
    DETECT: (train.train, score.score, explain.explain, report.report),
    LOOK_AFTER: (
        evaluate.evaluate,
        backtest.backtest,
        calibrate.calibrate,
        refresh.refresh,
        drift.drift,
        inspect.inspect,
        export.export,
    ),
    OTHER_USES: (encode.encode, decode.decode, clean.clean, impute.impute, sample.sample),
}

app = typer.Typer(
    name="aedetect",
    cls=HelpfulGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Texts are never read as markup, and wrong use is told in plain lines.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
verdicts = typer.Typer(cls=DefaultingGroup, no_args_is_help=True, rich_markup_mode=None, help=feedback.HELP)
ledger = typer.Typer(cls=HelpfulGroup, no_args_is_help=True, rich_markup_mode=None, help=state.HELP)


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


for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(cls=HelpfulCommand, no_args_is_help=True, rich_help_panel=panel)(grouped(command))
for command in (feedback.note, feedback.list_, feedback.undo):
    verdicts.command(
        name=command.__name__.rstrip("_"), cls=HelpfulCommand, no_args_is_help=command is not feedback.list_
    )(grouped(command))
app.add_typer(verdicts, name="feedback", rich_help_panel=LOOK_AFTER)
for command in (state.show, state.forget):
    ledger.command(cls=HelpfulCommand, no_args_is_help=True)(grouped(command))
app.add_typer(ledger, name="state", rich_help_panel=LOOK_AFTER)


def run() -> None:
    """Entry point of the console script."""
    fill_closed()
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
