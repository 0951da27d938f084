"""Options that several commands share, each declared once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aedetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aedetect.config import Config
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel

READING = "Reading"
OUTPUT = "Output"
TRAINING = "Training"
COLUMNS = "Columns"
THRESHOLD = "Threshold"
SERIES = "Time series"
UNATTENDED = "Unattended runs"

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Files, directories, quoted globs, '-' for CSV on stdin, or object-store URIs.",
        show_default=False,
    ),
]
Model = Annotated[
    Path, typer.Option("--model", "-m", metavar="MODEL.aed", help="The model file.", show_default=False)
]
Digest = Annotated[
    str | None,
    typer.Option(
        "--model-sha256",
        metavar="DIGEST",
        help="Refuse the model file if its SHA-256 is another.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object on stdout and nothing else there.", rich_help_panel=OUTPUT
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print only errors (and JSON, if asked for).", rich_help_panel=OUTPUT),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more about what is done.", rich_help_panel=OUTPUT)
]
LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option(
        help="How notes, warnings and errors are written to stderr: as text or as JSON lines.",
        rich_help_panel=OUTPUT,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A TOML file of settings; flags and AEDETECT_… variables win over it.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="csv, tsv, jsonl, parquet or arrow; default: by content and suffix.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="The mark between CSV fields; default: found.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="The encoding of text files; default: utf-8.",
        rich_help_panel=READING,
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="NAME", help="auto, cpu, cuda or mps; default: auto.", show_default=False
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        help="Work on up to N inputs side by side, where that is faster; default: 1.",
        rich_help_panel=UNATTENDED,
        show_default=False,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column that marks anomalies; default: the one named in training.",
        show_default=False,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        metavar="VALUE",
        help="The label that means anomaly, where it is not 1, true or yes.",
        show_default=False,
    ),
]
AlertRate = Annotated[
    float | None,
    typer.Option(
        metavar="R",
        help="Flag this share of normal rows; default: as trained.",
        rich_help_panel=THRESHOLD,
        show_default=False,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="VALUE",
        help="Flag rows that score above this.",
        rich_help_panel=THRESHOLD,
        show_default=False,
    ),
]

_FLAGS = {"threshold.value": "--threshold", "data.roles": "--role", "scoring.jobs": "--jobs"}


def settings(config: Path | None, overrides: dict[str, Any]) -> Config:
    """The configuration that a command runs with; errors speak of settings by their flags."""
    from aedetect.config import Config

    return Config.build(config, os.environ, overrides, _flag)


def reading(
    format: str | None,
    delimiter: str | None,
    encoding: str | None,
    device: str | None = None,
    jobs: int | None = None,
) -> dict[str, Any]:
    """The settings behind the options on how inputs are read, and where and by how many to compute."""
    return {
        "data.format": format,
        "data.delimiter": unescaped(delimiter),
        "data.encoding": encoding,
        "training.device": device,
        "scoring.jobs": jobs,
    }


def flagging(alert_rate: float | None, threshold: float | None) -> dict[str, Any]:
    """Overrides of where the threshold lies. Raises UsageError where both are given."""
    if threshold is not None and alert_rate is not None:
        raise UsageError("--threshold and --alert-rate exclude each other; choose one")
    return {"threshold.alert_rate": alert_rate, "threshold.value": threshold}


def duration(text: str | None, flag: str) -> float:
    """The seconds that a flag such as `--min-age 10m` means. Raises UsageError for what is no time."""
    from aedetect.config import parse_duration
    from aedetect.errors import UsageError

    if text is None:
        return 0.0
    try:
        return float(str(parse_duration(text)))
    except ValueError as error:
        raise UsageError(f"{flag} = {text!r}: {error}") from None


def unescaped(mark: str | None) -> str | None:
    """A delimiter as typed in a shell, where a tab is hard to type."""
    return "\t" if mark in ("\\t", "tab") else mark


def _flag(name: str) -> str:
    return _FLAGS.get(name) or "--" + name.partition(".")[2].replace("_", "-")


def opened(
    words: Sequence[str], model: Path, settings: Config, digest: str | None = None
) -> tuple[FittedModel, list[FileInput], dict[str, str | None]]:
    """The model and the inputs that a command looks at, and the model's entry in its summary."""
    from aedetect.io.files import open_inputs
    from aedetect.io.inputs import read_options
    from aedetect.scoring.fitted import FittedModel

    sources = open_inputs(words, read_options(settings.data))
    fitted = FittedModel.load(model, device=settings.training.device, sha256=digest).adjusted(settings)
    return fitted, sources, told_of(model, fitted)


def told_of(path: Path, fitted: FittedModel) -> dict[str, str | None]:
    """A model's entry in a summary."""
    return {"path": str(path), "sha256": fitted.sha256, "trained": fitted.training.started}
