"""`aedetect train`: learn normal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TrainingProgress, plain
from aedetect.cli.endings import after_training
from aedetect.cli.exit import reported
from aedetect.cli.options import COLUMNS, READING, SERIES, THRESHOLD, TRAINING
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import SeriesConfig


def train(
    inputs: options.Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="MODEL.aed", help="The model file to write.", show_default=False
        ),
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Learn from these columns only.", rich_help_panel=COLUMNS, show_default=False
        ),
    ] = None,
    exclude: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Never learn from these columns.", rich_help_panel=COLUMNS, show_default=False
        ),
    ] = None,
    id: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Carried through, never learned; may be repeated.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Marks known anomalies: never learned, and those rows are left out.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="The label that means anomaly, where it is not 1, true or yes.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=ROLE",
            help="Take a column for numeric, categorical, boolean, datetime, id or ignored; may be repeated.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The rows are time series: the column of timestamps.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="One series for each value of this column; may be repeated.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="N|TIME",
            help="Length of the stretches learned, in steps or as in 6h; default: sized to the data.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    causal: Annotated[
        bool,
        typer.Option(
            "--causal", help="A row's score uses no later rows, as data come in.", rich_help_panel=SERIES
        ),
    ] = False,
    time_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="How timestamps are written, e.g. '%d/%m/%Y %H:%M'; default: ISO or epoch numbers.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Zone of timestamps without one, e.g. Europe/Berlin; default: UTC.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    alarms_per_day: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Accept so many false events a day on each series, instead of an alert rate.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL.aed",
            help="Go on from the weights of an older model, with its columns, on new data.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    model_sha256: options.Digest = None,
    alert_rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            help="Share of normal rows you accept as false alarms; default: 0.01.",
            rich_help_panel=THRESHOLD,
            show_default=False,
        ),
    ] = None,
    contamination: Annotated[
        str | None,
        typer.Option(
            metavar="R|auto",
            help="Share of anomalies that may hide in the training data, or auto: some may; default: 0.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="auto, memory, principal, denoising, variational or bottleneck; for time series patches "
            "or convolutional; default: auto.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    latent_dim: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Numbers in the code that `encode` gives a row; default: enough for 90% of the variance.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Passes over the training rows; default: sized to the data.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    max_time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop training after this long, e.g. 10m.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Same seed, same machine, same model; default: 0.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the checkpoint that an interrupted run of the same command left.",
            rich_help_panel=TRAINING,
        ),
    ] = False,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    decimal: Annotated[
        str | None,
        typer.Option(
            metavar="MARK",
            help="The decimal mark in text files, '.' or ','; default: '.'.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = None,
    encoding: options.Encoding = None,
    na_values: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Further cell texts that mean 'missing'.",
            rich_help_panel=READING,
            show_default=False,
        ),
    ] = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Learn what normal rows look like, from rows that are (nearly) all normal.

    Says what each column is taken for, trains an autoencoder, fits a threshold on rows that the
    network never saw, and writes it all to one model file.

    Example: aedetect train january.csv february.csv -o model.aed --id customer_no

    Example: aedetect train sensors.csv -o model.aed --time timestamp --entity machine
    """
    out = Output("train", json, quiet, verbose)
    with reported(out):
        if alert_rate is not None and alarms_per_day is not None:
            raise UsageError("--alert-rate and --alarms-per-day exclude each other; choose one")
        overrides = {
            "data.columns": columns,
            "data.exclude": exclude,
            "data.id": id or None,
            "data.label": label,
            "data.positive": positive,
            "data.roles": _roles(role),
            "data.format": format,
            "data.delimiter": options.unescaped(delimiter),
            "data.decimal": decimal,
            "data.encoding": encoding,
            "data.na_values": na_values,
            "series.time": time,
            "series.entity": entity or None,
            "series.window": window,
            "series.causal": causal or None,
            "series.time_format": time_format,
            "series.time_zone": time_zone,
            "model.architecture": architecture,
            "model.latent_dim": latent_dim,
            "training.epochs": epochs,
            "training.max_time": max_time,
            "training.contamination": contamination,
            "training.seed": seed,
            "training.device": device,
            "threshold.alert_rate": alert_rate,
            "threshold.alarms_per_day": alarms_per_day,
        }
        if start is not None:
            _check_kept(overrides)
        elif model_sha256 is not None:
            raise UsageError("--model-sha256 is that of the model that --from names")
        _train(out, inputs, output, overrides, config, resume, start, model_sha256)


def _check_kept(overrides: dict[str, Any]) -> None:
    """With --from, the older model says what the columns are and how the network is built."""
    flags = {
        "data.columns": "--columns",
        "data.exclude": "--exclude",
        "data.id": "--id",
        "data.roles": "--role",
        "data.decimal": "--decimal",
        "data.na_values": "--na-values",
        "model.architecture": "--architecture",
    }
    for name, flag in flags.items():
        if overrides[name] is not None:
            raise UsageError(f"{flag} cannot be changed with --from: the older model settles it; retrain")


def _check_series(overrides: dict[str, Any], series: SeriesConfig) -> None:
    """Flags that only time series have are not passed over in silence."""
    flags = {
        "series.entity": "--entity",
        "series.window": "--window",
        "series.causal": "--causal",
        "series.time_format": "--time-format",
        "series.time_zone": "--time-zone",
        "threshold.alarms_per_day": "--alarms-per-day",
    }
    for name, flag in flags.items():
        if series.time is None and overrides[name] is not None:
            raise UsageError(f"{flag} goes with --time COLUMN, which makes time series of the rows")


def _train(
    out: Output,
    inputs: list[str],
    output: Path,
    overrides: dict[str, Any],
    config: Path | None,
    resume: bool,
    start: Path | None,
    digest: str | None,
) -> None:
    from aedetect.engine.plan import check_model_output
    from aedetect.engine.summary import Clock
    from aedetect.io.atomic import remove_leftovers
    from aedetect.io.files import open_inputs
    from aedetect.io.inputs import read_options
    from aedetect.io.lock import Locks

    clock = Clock()
    settings = options.settings(config, overrides)
    _check_series(overrides, settings.series)
    check_model_output(output)
    sources = open_inputs(inputs, read_options(settings.data))
    check_model_output(output, sources)
    from aedetect.scoring.fitted import FittedModel
    from aedetect.training.fit import fit
    from aedetect.training.request import FitRequest
    from aedetect.training.summary import train_summary

    checkpoint = output.with_name(output.name + ".checkpoint")
    older = FittedModel.load(start, device=settings.training.device, sha256=digest) if start else None
    with Locks([str(output)]):
        with TrainingProgress(out, settings.training.device) as callback:
            fitted = fit(FitRequest(sources, settings, callback, checkpoint, resume, older))
        fitted.save(output)
        checkpoint.unlink(missing_ok=True)
        remove_leftovers(checkpoint)
    summary = train_summary("train", fitted, output, clock, callback.notices)
    for text in summary["warnings"][len(callback.notices) :]:
        out.warn(text)
    out.result(summary)
    training = fitted.training
    out.say()
    out.say(
        f"{plain(str(output))}: learned {training.rows:,} normal rows in {summary['seconds']:.1f} s "
        f"on {training.device}"
    )
    out.say(f"rows scoring above {fitted.threshold:.3g} are flagged, {fitted.threshold_policy.promise}")
    if not (out.json or out.quiet):
        after_training(out, fitted, sources)


def _roles(words: list[str] | None) -> dict[str, str] | None:
    if not words:
        return None
    pairs = [word.rpartition("=") for word in words]
    for word, (name, _, role) in zip(words, pairs, strict=True):
        if not name or not role:
            raise UsageError(f"--role {word!r}: write it as COLUMN=ROLE, e.g. --role zip=categorical")
    return {name: role for name, _, role in pairs}
