"""`aedetect sample`: new rows like those learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, plain
from aedetect.cli.exit import reported
from aedetect.errors import UsageError


def sample(
    count: Annotated[int, typer.Argument(metavar="N", help="How many rows.", show_default=False)],
    model: options.Model,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="OUT", help="A file, or '-' for CSV.", show_default=False),
    ],
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Only rows of this category; may be repeated.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Same seed, same rows; default: 0.", show_default=False),
    ] = 0,
    device: options.Device = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Make new rows that look like those learned from, and copy none of them.

    They have the model's columns, in their types and ranges: whole numbers are whole, categories
    are known ones.

    Example: aedetect sample 1000 -m model.aed -o new.csv --where service=http
    """
    out = Output("sample", json, quiet, verbose)
    with reported(out):
        if json and output == "-":
            raise UsageError("--json and -o - both write to stdout; choose one")
        result = _sample(count, model, output, _conditions(where or []), seed, device)
        out.result(result)
        if output != "-":
            out.say(f"{count:,} new row{'s' * (count != 1)} → {plain(output)}")


def _sample(
    count: int, model: Path, output: str, where: dict[str, str], seed: int, device: str | None
) -> dict[str, Any]:
    from aedetect.io.atomic import check_writable, same_file
    from aedetect.io.write import open_sink, output_format

    output_format(output)
    if output != "-":
        if same_file(output, model):
            raise UsageError(f"{output}: the output is also the model file; choose another name")
        check_writable(output)
    settings = options.settings(None, {"training.device": device})

    from aedetect.engine.summary import envelope
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.sample import sample_batches, sample_schema

    fitted = FittedModel.load(model, device=settings.training.device)
    batches = sample_batches(fitted, count, seed, where)
    with open_sink(output, sample_schema(fitted)) as sink:
        for batch in batches:
            sink.write(batch)
    body = {"rows": count, "output": output, "seed": seed, "where": where}
    return envelope("sample", options.told_of(model, fitted), body)


def _conditions(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        column, mark, value = word.partition("=")
        if not (column and mark):
            raise UsageError(f"--where {word}: write it like --where COLUMN=VALUE")
        if found.setdefault(column, value) != value:
            raise UsageError(f"--where {word}: {column!r} was asked to be {found[column]!r} before")
    return found
