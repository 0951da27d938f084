"""`aedetect impute`: rows without gaps."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT


def impute(
    inputs: options.Inputs,
    model: options.Model,
    output: RowsOutput,
    mark: Annotated[
        bool,
        typer.Option(
            "--mark",
            help="Add a column 'imputed' that names the cells filled.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Give N plausible fills of each row, numbered in a column 'draw'.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Same seed, same draws; default: 0.", show_default=False),
    ] = 0,
    jobs: options.Jobs = None,
    model_sha256: options.Digest = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Fill missing cells with what the other cells of their row let expect.

    Observed cells stay as they were written. Filled ones keep the column's type and range: whole
    numbers stay whole, categories are known ones.

    Example: aedetect impute march.csv -m model.aed -o march-filled.csv --mark
    """
    out = Output("impute", json, quiet, verbose)
    with reported(out):
        overrides = options.reading(format, delimiter, encoding, device, jobs)
        from aedetect.tasks.rows_run import RowsRequest, impute_task

        request = RowsRequest(inputs, model, output, model_sha256)
        make = partial(impute_task, mark=mark, draws=draws, seed=seed)
        convert(out, request, options.settings(config, overrides), make)
