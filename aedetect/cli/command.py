"""What every command repeats: its frame, opening model and inputs, saying what failed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import typer

from aedetect.cli.exit import reported
from aedetect.cli.options import MessageOptions, ModelOptions, MutingOptions
from aedetect.cli.output import Output
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.output_names import Target
    from aedetect.engine.task import FileSummary
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel


@contextlib.contextmanager
def running(name: str, messages: MessageOptions) -> Iterator[Output]:
    """The frame of a command: where it prints, and exceptions that end in exit codes."""
    out = Output(name, messages.json, messages.quiet, messages.verbose, messages.log_format)
    with reported(out):
        yield out


@dataclass(frozen=True)
class Opened:
    """A model, the inputs to look at with it, and the model's entry in a summary.

    `left_out`: what is to be said of files that a folder holds beside.
    """

    fitted: FittedModel
    sources: list[FileInput]
    entry: dict[str, str | None]
    left_out: list[str]


def look(words: Sequence[str], model: ModelOptions | None = None, output: str | None = None) -> None:
    """Raises the errors of inputs that are not there, of an output in no folder, of what is no model file.

    Nothing is loaded for it, so that a mistyped name is told at once.
    """
    from aedetect.io.locate import check_named
    from aedetect.io.stores import suffixed

    check_named(words)
    # Folders may be made; what has a suffix and no slash behind is the name of a file.
    named = output is not None and not output.endswith(("/", os.sep)) and PurePath(suffixed(output)).suffix
    if output is not None and named:
        from aedetect.io.atomic import check_writable

        check_writable(output)
    if model is not None:
        from aedetect.scoring.model_header import check_head

        check_head(model.model, model.model_sha256)


def look_beside(
    feedback: Path | None, calendars: Sequence[Path] | None = None, rules: Path | None = None
) -> None:
    """Raises the errors of files that say what is known of rows, and are not there."""
    from aedetect.io.locate import check_named

    if feedback is not None and not feedback.exists():
        from aedetect.scoring.feedback_store import read_notes

        read_notes(feedback)
    for plan in calendars or ():
        check_named([str(plan)])
    if rules is not None and not rules.exists():
        from aedetect.config.rules import rules_of_file

        rules_of_file(rules, alone=True)


def look_at_muting(muting: MutingOptions) -> None:
    """Raises the errors of files that say which rows are fine, and are not there."""
    look_beside(muting.feedback, muting.calendar, muting.rules)


def look_at_columns(words: Sequence[str], model: ModelOptions, settings: Config) -> None:
    """Raises the error of an only input that lacks columns of the model, where that is soon told."""
    from aedetect.scoring.needed_columns import check_columns

    check_columns(words, model.model, settings.data)


def opened(words: Sequence[str], model: ModelOptions, settings: Config) -> Opened:
    """The model with `settings` applied, and the inputs. Raises the errors of finding and loading."""
    from aedetect.engine.plan import Plan
    from aedetect.io.files import as_trained, open_inputs, read_options
    from aedetect.io.locate import left_out
    from aedetect.io.source import no_rows
    from aedetect.io.without_pandas import keep_pandas_out

    keep_pandas_out()
    sources = open_inputs(words, read_options(settings.data))
    fitted = loaded(model, settings)
    sources = as_trained(fitted.placed(sources), fitted.config.data, settings.data)
    if not Plan(sources, ()).surveyed().rows_elsewhere:
        raise no_rows(sources[0])
    return Opened(fitted.adjusted(settings), sources, entry_of(model.model, fitted), left_out(words))


def loaded(model: ModelOptions, settings: Config) -> FittedModel:
    """The model as it is in its file. Raises ModelError."""
    from aedetect.scoring.fitted import FittedModel

    return FittedModel.load(model.model, device=settings.training.device, sha256=model.model_sha256)


def entry_of(path: str | os.PathLike[str], fitted: FittedModel) -> dict[str, str | None]:
    """A model's entry in a summary."""
    return {"path": str(path), "sha256": fitted.sha256, "trained": fitted.training.started}


def sources_for_model(words: Sequence[str], target: Target, settings: Config) -> list[FileInput]:
    """The inputs of a command that writes a model file, once it is clear that the file can be written."""
    from aedetect.engine.output_names import MODEL, check_suffix
    from aedetect.engine.plan import check_model_output
    from aedetect.io.files import open_inputs, read_options

    check_model_output(target)
    data, series = settings.data, settings.series
    named = {*data.columns, *data.id, *data.roles, *series.time_columns, *series.entity, data.label or ""}
    sources = [source.with_columns(named) for source in open_inputs(words, read_options(data))]
    check_model_output(target, sources)
    check_suffix(target.path, MODEL)
    return sources


def stdout_for_one(first: str, second: str) -> UsageError:
    """The error where two things that are asked for would both be written to stdout."""
    return UsageError(f"{first} and {second} both write to stdout; choose one")


def warn_of(out: Output, warnings: Sequence[str], noticed: Sequence[str]) -> None:
    """Warn of what was not said on the way."""
    for text in warnings:
        if text not in noticed:
            out.warn(text)


def tell_failures(out: Output, files: Sequence[FileSummary]) -> None:
    """Each input that failed, on stderr."""
    for entry in files:
        if entry.error:
            out.error(entry.error, ExitCode.PARTIAL)


def end_with(exit_code: int) -> None:
    """End the command with a code that is no failure of its own."""
    if exit_code:
        raise typer.Exit(exit_code)


def short_envelope(command: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a command prints with --json that runs no model: the same frame without a model and times."""
    from aedetect.engine.summary import SUMMARY_VERSION

    return {"schema_version": SUMMARY_VERSION, "command": command, **body, "exit_code": 0}
