"""The program: its commands and their order."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aedetect._version import __version__
from aedetect.cli import (
    calibrate,
    clean,
    decode,
    drift,
    encode,
    evaluate,
    explain,
    impute,
    inspect,
    report,
    sample,
    score,
    state,
    train,
)
from aedetect.cli.console import discard_stdout
from aedetect.cli.streams import fill_closed
from aedetect.errors import ExitCode

app = typer.Typer(
    name="aedetect",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
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

    aedetect train normal.csv -o model.aed

    aedetect score new.csv -m model.aed -o scored.csv
    """


app.command(no_args_is_help=True)(train.train)
app.command(no_args_is_help=True)(score.score)
app.command(no_args_is_help=True)(evaluate.evaluate)
app.command(no_args_is_help=True)(explain.explain)
app.command(no_args_is_help=True)(calibrate.calibrate)
app.command(no_args_is_help=True)(drift.drift)
app.command(no_args_is_help=True)(report.report)
app.command(no_args_is_help=True)(inspect.inspect)
for job in (encode.encode, decode.decode, clean.clean, impute.impute, sample.sample):
    app.command(no_args_is_help=True)(job)
app.add_typer(state.app, name="state")


def run() -> None:
    """Entry point of the console script."""
    fill_closed()
    try:
        try:
            app(prog_name="aedetect")
        except SystemExit as end:
            # Help is printed outside of any command, where a closed pipe is taken for a failure.
            if isinstance(end.__context__, BrokenPipeError):
                raise BrokenPipeError from None
            sys.stdout.flush()
            raise
    except BrokenPipeError:
        discard_stdout()
        sys.exit(ExitCode.CLOSED_PIPE)
    except OSError as error:
        discard_stdout()
        print(f"error: standard output: cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(ExitCode.OUTPUT)


if __name__ == "__main__":
    run()
