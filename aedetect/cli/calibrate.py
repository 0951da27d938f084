"""`aedetect calibrate`: a new threshold for the same network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress, plain
from aedetect.cli.exit import reported
from aedetect.cli.options import THRESHOLD
from aedetect.errors import UsageError


def calibrate(
    model: options.Model,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="NEW.aed",
            help="The model file to write; may be the old one.",
            show_default=False,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT...]",
            help="Normal rows that the model has not learned from; without them only --alert-rate changes.",
            show_default=False,
        ),
    ] = None,
    alert_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="Share of normal rows you accept as false alarms; default: as trained.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Marks known anomalies: those rows are left out.", show_default=False
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="The label that means anomaly, where it is not 1, true or yes.",
            show_default=False,
        ),
    ] = None,
    model_sha256: options.Digest = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    log_format: options.LogFormat = "text",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Set a new threshold, from new normal rows or for a new alert rate; the network stays.

    Scores mean the same as before; the p-values and the threshold follow the new rows. The model
    file notes which one it was made from.

    Example: aedetect calibrate april.csv -m model.aed -o model-april.aed
    """
    out = Output("calibrate", json, quiet, verbose, log_format)
    with reported(out):
        if not inputs and alert_rate is None:
            raise UsageError("name new normal rows (INPUT), or an --alert-rate, or both")
        overrides = {
            "data.format": format,
            "data.delimiter": options.unescaped(delimiter),
            "data.encoding": encoding,
            "data.label": label,
            "data.positive": positive,
            "training.device": device,
            "threshold.alert_rate": alert_rate,
        }
        _calibrate(out, inputs or [], model, output, overrides, config, model_sha256)


def _calibrate(
    out: Output,
    inputs: list[str],
    model: Path,
    output: Path,
    overrides: dict[str, Any],
    config: Path | None,
    digest: str | None,
) -> None:
    from aedetect.engine.plan import check_model_output
    from aedetect.engine.summary import Clock
    from aedetect.io.files import open_inputs
    from aedetect.io.inputs import read_options
    from aedetect.io.lock import Locks

    clock = Clock()
    settings = options.settings(config, overrides)
    check_model_output(output)
    sources = open_inputs(inputs, read_options(settings.data))
    check_model_output(output, sources)
    from aedetect.scoring.fitted import FittedModel
    from aedetect.training.calibrate import calibrated
    from aedetect.training.summary import train_summary

    with Locks([str(output)]), TerminalProgress(out, settings.training.device) as callback:
        older = FittedModel.load(model, device=settings.training.device, sha256=digest)
        fitted = calibrated(older.adjusted(settings), sources or None, callback)
        fitted.save(output)
    told = train_summary("calibrate", fitted, output, clock, callback.notices)
    for text in told["warnings"][len(callback.notices) :]:
        out.warn(text)
    out.result(told | {"threshold_before": older.threshold})
    out.say(
        f"{plain(str(output))}: rows scoring above {fitted.threshold:.3g} are flagged, "
        f"{fitted.threshold_policy.promise}; before, those above {older.threshold:.3g}"
    )
