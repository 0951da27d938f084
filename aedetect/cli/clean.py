"""`aedetect clean`: rows without noise and impossible values."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT
from aedetect.errors import UsageError


def clean(
    inputs: options.Inputs,
    model: options.Model,
    output: RowsOutput,
    noise: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            help="How strong the noise on numbers is, in standard deviations of their column; 0: repair "
            "impossible values alone; default: 0.5.",
            show_default=False,
        ),
    ] = None,
    only_anomalous_cells: Annotated[
        bool,
        typer.Option("--only-anomalous-cells", help="Replace just the cells to blame for a flagged row."),
    ] = False,
    changes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="List each changed cell: row, column, was, is, why.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = None,
    alert_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="With --only-anomalous-cells, flag this share of normal rows; default: as trained.",
            show_default=False,
        ),
    ] = None,
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
    """Remove noise from numbers, and put values right that no row can have.

    Infinite or unreadable numbers and categories never seen are replaced by what is expected
    there. Missing cells stay missing (see `aedetect impute`); cells that are not changed stay
    as they were written.

    Example: aedetect clean march.csv -m model.aed -o march-clean.csv --changes changes.csv
    """
    out = Output("clean", json, quiet, verbose)
    with reported(out):
        if only_anomalous_cells and noise is not None:
            raise UsageError("--only-anomalous-cells and --noise exclude each other; choose one")
        if alert_rate is not None and not only_anomalous_cells:
            raise UsageError("--alert-rate needs --only-anomalous-cells")
        overrides = options.reading(format, delimiter, encoding, device, jobs)
        overrides["threshold.alert_rate"] = alert_rate
        from aedetect.tasks.rows_run import RowsRequest, clean_task

        request = RowsRequest(inputs, model, output, model_sha256, side=changes)
        make = partial(clean_task, noise=noise, flagged_only=only_anomalous_cells, listed=changes is not None)
        convert(out, request, options.settings(config, overrides), make)
