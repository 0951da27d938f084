"""Options that several commands share, each declared once, and the groups that they come in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aedetect.cli import completion
from aedetect.cli.groups import group
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.tasks.suppression.request import MutingRequest

COLUMNS = "Columns"
TRAINING = "Training"
SERIES = "Time series"
THRESHOLD = "Threshold"
MUTING = "Muting"
READING = "Reading"
OUTPUT = "Output"
UNATTENDED = "Unattended runs"
RUN = "Model and settings"
MESSAGES = "Messages"
# The order of the panels in a help page; those of no panel come before them.
PANELS = (COLUMNS, TRAINING, OUTPUT, THRESHOLD, MUTING, SERIES, READING, UNATTENDED, RUN, MESSAGES)


def option(
    flags: str,
    help: str,
    complete: Callable[..., Any] | None = None,
    panel: str | None = None,
    default: Any = None,
) -> Any:
    """An option as it is read on its help page: `flags` as in '--output -o OUT', its default in `help`.

    `complete` offers values to a shell; `panel` is that of its group if it is None; `default` is ... for
    one that must be given, or whose default stands elsewhere. Numbers are taken as texts, which `number`
    and its kin read: what they say of a wrong one is ours.
    """
    words = flags.split()
    names = [word for word in words if word.startswith("-")]
    return typer.Option(
        default,
        *names,
        metavar=" ".join(words[len(names) :]) or None,
        help=help,
        rich_help_panel=panel,
        autocompletion=complete,
        show_default=False,
    )


def argument(metavar: str, help: str, complete: Callable[..., Any] | None = None, default: Any = None) -> Any:
    """What is named without a flag; `default` as for an option."""
    return typer.Argument(default, metavar=metavar, help=help, autocompletion=complete, show_default=False)


def time_of() -> Any:
    """The column of times that calendars are held against, in the panel of its group."""
    return option(
        "--time-of COLUMN",
        "Of tables, which --calendar needs it for: the column that says when a row was.",
        completion.columns,
    )


def learned_feedback() -> Any:
    """Notes to learn from, in the panel of its group."""
    return option(
        "--feedback FILE",
        "What `aedetect feedback` noted: rows called normal count as well, those called anomalies do not.",
    )


Inputs = Annotated[
    list[str],
    argument(
        "INPUT...",
        "Files, directories, quoted globs, '-' for CSV on stdin, or addresses as s3://bucket/folder/.",
        default=...,
    ),
]
Output = Annotated[
    str,
    option(
        "--output -o OUT",
        "A file, a folder for one output per input, both also as s3:// or gs:// addresses, or '-' for CSV on "
        "stdout.",
        panel=OUTPUT,
        default=...,
    ),
]
Digest = Annotated[
    str | None,
    option(
        "--model-sha256 DIGEST", "Refuse the model file if its SHA-256 is another.", panel=RUN, default=...
    ),
]
Jobs = Annotated[
    str | None,
    option(
        "--jobs N",
        "Work on N inputs, or parts of a large Parquet file, at once, where that is faster; default: 1.",
        panel=RUN,
        default=...,
    ),
]
On = Annotated[
    str | None,
    option(
        "--on PLACE",
        "Spread the work over the workers of a Ray cluster, --jobs N of them at most: ray for that of the "
        "variable RAY_ADDRESS, or one started on this machine for the run; or ray://HOST:PORT.",
        completion.places,
        panel=RUN,
        default=...,
    ),
]
ReadOn = Annotated[
    str | None,
    option(
        "--on PLACE",
        "Read the inputs on the workers of a Ray cluster: ray for that of the variable RAY_ADDRESS, or one "
        "started on this machine for the run; or ray://HOST:PORT.",
        completion.places,
        panel=RUN,
        default=...,
    ),
]
Adapt = Annotated[
    str | None,
    option(
        "--adapt N|TIME|off",
        "Steps, or a time as in 6h, in which alarms adapt to what has become normal; off: never; default: "
        "64 steps, or 30 minutes where that is more; or as trained.",
        panel=SERIES,
        default=...,
    ),
]
AdoptAfter = Annotated[
    str | None,
    option(
        "--adopt-after N|TIME",
        "Flag an event for as long as it lasts, up to so many steps or a time as in 7d; after that, what it "
        "shows is normal; default: what lasts is adapted to as --adapt says; or as trained.",
        panel=SERIES,
        default=...,
    ),
]
Positive = Annotated[
    str | None,
    option("--positive VALUE", "The label that means anomaly, where it is not 1, true or yes.", default=...),
]


@group()
class ModelOptions:
    """Which model file, and which it must be."""

    model: str = option("--model -m MODEL.aed", "The model file.", completion.model_files, default=...)
    model_sha256: Digest = None


@group(READING)
class ReadingOptions:
    """How inputs are read."""

    format: str | None = option(
        "--format NAME",
        "csv, tsv, jsonl, parquet or arrow; default: by content and suffix.",
        completion.formats,
    )
    delimiter: str | None = option("--delimiter CHAR", "The character between CSV fields; default: detected.")
    encoding: str | None = option(
        "--encoding NAME", "The encoding of text files; default: utf-8, or as trained.", completion.encodings
    )
    decimal: str | None = option(
        "--decimal MARK", "The decimal mark in text files, '.' or ','; default: '.', or as trained."
    )
    skip_rows: str | None = option(
        "--skip-rows N", "Skip N lines above the header of CSV files; default: 0, or as trained."
    )
    comment: str | None = option(
        "--comment MARK",
        "Leave out lines of CSV files that begin with this, e.g. '#'; default: none, or as trained.",
    )
    header: bool | None = option(
        "--header/--no-header",
        "Whether the first line of CSV files names the columns; without it they are column_1, column_2, …; "
        "default: it does, or as trained.",
    )
    units_row: bool | None = option(
        "--units-row/--no-units-row",
        "Skip the line below the header of CSV files if it holds units; default: no, or as trained.",
    )

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options."""
        return {
            "data.format": self.format,
            # A tab is hard to type in a shell.
            "data.delimiter": "\t" if self.delimiter in ("\\t", "tab") else self.delimiter,
            "data.encoding": self.encoding,
            "data.decimal": self.decimal,
            "data.skip_rows": self.skip_rows,
            "data.comment": self.comment,
            "data.header": self.header,
            "data.units_row": self.units_row,
        }


@group(THRESHOLD)
class ThresholdOptions:
    """Where the threshold lies, where it is not the one of the model file."""

    alert_rate: str | None = option(
        "--alert-rate R", "Flag this share of normal rows, as 0.01 or 1%; default: as trained."
    )
    threshold: str | None = option("--threshold VALUE", "Flag rows that score above this.")

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options. Raises UsageError where both are given."""
        if self.threshold is not None and self.alert_rate is not None:
            raise UsageError("--threshold and --alert-rate exclude each other; choose one")
        return {"threshold.alert_rate": self.alert_rate, "threshold.value": self.threshold}


@group(MUTING)
class MutingOptions:
    """What says that rows above the threshold are fine."""

    feedback: Path | None = option(
        "--feedback FILE", "Mute rows like those that `aedetect feedback` noted here as normal."
    )
    calendar: list[Path] | None = option(
        "--calendar PLAN",
        "Mute rows within the entries of an iCalendar file (.ics), or of a table with columns start, end and "
        "name; may be repeated.",
    )
    time_of: str | None = time_of()
    time_zone: str | None = option(
        "--time-zone ZONE",
        "Of tables: the zone of the times in --time-of that name none, e.g. Europe/Berlin; default: UTC.",
        completion.time_zones,
    )
    rule: list[str] | None = option(
        "--rule RULE",
        "Which alarms count, as in 'temp above least=5 where host=web-*': others are muted; may be repeated.",
    )
    rules: Path | None = option(
        "--rules FILE", "A TOML file of rules, which may stand in that of --config as well."
    )

    @property
    def words(self) -> list[str]:
        """These options as they are typed."""
        given: list[tuple[str, object]] = [("--feedback", self.feedback)]
        given += [("--calendar", path) for path in self.calendar or []]
        given += [("--time-of", self.time_of), ("--time-zone", self.time_zone)]
        given += [("--rules", self.rules), *[("--rule", text) for text in self.rule or []]]
        return [word for flag, value in given if value is not None for word in (flag, str(value))]

    def request(self, config: Path | None) -> MutingRequest:
        """What was asked for, for any command; the file `config` may hold rules.

        Raises UsageError for what is no rule.
        """
        from aedetect.config.rules import rule_of_text, rules_of_file
        from aedetect.tasks.suppression.request import MutingRequest

        rules = [] if config is None else rules_of_file(config)
        rules += [] if self.rules is None else rules_of_file(self.rules, alone=True)
        rules += [rule_of_text(text, place) for place, text in enumerate(self.rule or [], len(rules) + 1)]
        return MutingRequest(self.feedback, self.calendar or (), self.time_of, self.time_zone, rules)


@group(RUN)
class RunOptions:
    """What a run works with: settings, and where to compute."""

    device: str | None = option("--device NAME", "auto, cpu, cuda or mps; default: auto.", completion.devices)
    config: Path | None = option(
        "--config FILE", "A TOML file of settings; flags and AEDETECT_… variables win over it."
    )

    def settings(self, *overrides: Mapping[str, Any]) -> Config:
        """The configuration that a command runs with; errors speak of settings by their flags.

        Raises UsageError for a device that is not there.
        """
        from aedetect.config import Config

        merged: dict[str, Any] = {"training.device": self.device}
        for part in overrides:
            merged |= part
        settings = Config.build(self.config, os.environ, merged, _flag)
        if settings.training.device not in ("auto", "cpu"):
            from aedetect.models.device import pick_device

            pick_device(settings.training.device)
        return settings


@group(MESSAGES)
class MessageOptions:
    """What is printed, and how."""

    json: bool = option("--json", "Print one JSON object on stdout and nothing else there.", default=False)
    log_format: Literal["text", "json"] = option(
        "--log-format text|json",
        "How notes, warnings and errors are written to stderr: as text or as JSON lines; default: text.",
        default="text",
    )
    quiet: bool = option("--quiet -q", "Print only errors (and JSON, if asked for).", default=False)
    verbose: bool = option("--verbose -v", "Say more about what is done.", default=False)


@group()
class LabelOptions:
    """Which column marks anomalies, to hold scores against."""

    label: str | None = option(
        "--label COLUMN",
        "The column that marks anomalies; default: the one named in training.",
        completion.columns,
    )
    positive: Positive = None

    @property
    def words(self) -> list[str]:
        """These options as they are typed."""
        given = (("--label", self.label), ("--positive", self.positive))
        return [word for flag, value in given if value is not None for word in (flag, value)]


_FLAGS = {"threshold.value": "--threshold", "data.roles": "--role", "scoring.jobs": "--jobs"}


def _flag(name: str) -> str:
    return _FLAGS.get(name) or "--" + name.partition(".")[2].replace("_", "-")


def duration(text: str | None, flag: str) -> float:
    """The seconds that a flag such as `--min-age 10m` means. Raises UsageError for what is no time."""
    from aedetect.config.typed import parse_duration

    return 0.0 if text is None else float(_read(parse_duration, text, flag))


def whole(text: str, flag: str) -> int:
    """The whole number that was typed, as 2690 or 2,690. Raises UsageError for what is none."""
    from aedetect.config import typed

    return int(_read(typed.whole, text, flag))


def number(text: str, flag: str) -> float:
    """The number that was typed. Raises UsageError for what is none."""
    from aedetect.config import typed

    return float(_read(typed.number, text, flag))


def share(text: str, flag: str) -> float:
    """The share that was typed, as 0.01 or 1%. Raises UsageError for what is none."""
    from aedetect.config import typed

    return float(_read(typed.share, text, flag))


def rates(text: str, flag: str) -> list[float]:
    """The rates that were typed, as 0.001,1%. Raises UsageError where one is none between 0 and 1."""
    typed_rates = []
    for word in text.split(","):
        try:
            rate = share(word, flag)
        except UsageError:
            rate = 0.0
        if not 0 < rate < 1:
            raise UsageError(
                f"{flag} {text!r}: {word!r} is no rate between 0 and 1; write e.g. {flag} 0.001,0.01 "
                f"or {flag} 0.1%,1%"
            )
        typed_rates.append(rate)
    return typed_rates


def _read(parse: Callable[[object], object], text: str, flag: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{flag} = {text!r}: {error}") from None
