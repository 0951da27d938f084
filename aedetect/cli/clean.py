"""`aedetect clean`: rows without noise and impossible values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.detector import Detector


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
        overrides = options.reading(format, delimiter, encoding, device)
        overrides["threshold.alert_rate"] = alert_rate
        from aedetect.tasks.repairing import DEFAULT_NOISE, Clean, CleanOptions

        def job(detector: Detector) -> Clean:
            threshold = detector.threshold if only_anomalous_cells else None
            return Clean(detector, CleanOptions(strength, threshold, listed=changes is not None))

        strength = DEFAULT_NOISE if noise is None else noise
        convert(out, inputs, model, output, overrides, config, job, changes)
