"""`aedetect calibrate`: a new threshold for the same network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalMonitor, plain
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
    import time
    from datetime import UTC, datetime

    from aedetect.detector import load
    from aedetect.engine.outputs import check_training_output, train_summary
    from aedetect.io.files import open_inputs
    from aedetect.io.inputs import read_options
    from aedetect.io.lock import Locks

    started, clock = datetime.now(UTC), time.monotonic()
    settings = options.settings(config, overrides)
    check_training_output(output)
    sources = open_inputs(inputs, read_options(settings.data))
    check_training_output(output, sources)
    with Locks([str(output)]), TerminalMonitor(out, settings.training.device) as monitor:
        older = load(model, device=settings.training.device, sha256=digest)
        detector = older.adjusted(settings).calibrated(sources or None, monitor=monitor)
        detector.save(output)
    told = train_summary(detector, output, started, time.monotonic() - clock, monitor.notices)
    for text in told["warnings"][len(monitor.notices) :]:
        out.warn(text)
    out.result(told | {"command": "calibrate", "threshold_before": older.threshold})
    out.say(
        f"{plain(str(output))}: rows scoring above {detector.threshold:.3g} are flagged, "
        f"{options.promise(detector.config)}; before, those above {older.threshold:.3g}"
    )
