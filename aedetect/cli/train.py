"""`aedetect train`: learn normal."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_beside, running, sources_for_model, warn_of
from aedetect.cli.groups import group
from aedetect.cli.next_steps import Given, next_steps, scoring_of_new_rows
from aedetect.cli.options import COLUMNS, READING, SERIES, THRESHOLD, TRAINING, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TrainingProgress
from aedetect.cli.text import computed_on, plain
from aedetect.cli.train_view import after_training
from aedetect.engine.places import check_place
from aedetect.errors import OutputError, UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.output_names import Target
    from aedetect.scoring.feedback_store import Note
    from aedetect.scoring.fitted import FittedModel
    from aedetect.training.planned_rows import PlanRequest


@group(COLUMNS)
class ColumnOptions:
    """What each column is for."""

    columns: list[str] | None = option(
        "--columns A,B",
        "Learn from these columns only; may be repeated, and hold patterns such as 'temp*'.",
        completion.column_lists,
    )
    exclude: list[str] | None = option(
        "--exclude A,B",
        "Never learn from these columns; may be repeated, and hold patterns such as 'temp*'.",
        completion.column_lists,
    )
    id: list[str] | None = option(
        "--id COLUMN", "A column to carry through, never learned; may be repeated.", completion.columns
    )
    group: list[str] | None = option(
        "--group COLUMN",
        "A column of groups, such as regions: numbers are seen relative to the group of their row, and each "
        "group has its own threshold; repeated, the combination.",
        completion.columns,
    )
    label: str | None = option(
        "--label COLUMN",
        "The column that marks known anomalies: never learned, and those rows are left out.",
        completion.columns,
    )
    positive: str | None = option(
        "--positive VALUE", "The label that means anomaly, where it is not 1, true or yes."
    )
    role: list[str] | None = option(
        "--role COLUMN=ROLE",
        "Take a column for numeric, categorical, boolean, datetime, id or ignored; may be repeated.",
        completion.roles,
    )

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options."""
        return {
            "data.columns": self.columns or None,
            "data.exclude": self.exclude or None,
            "data.id": self.id or None,
            "data.group": self.group or None,
            "data.label": self.label,
            "data.positive": self.positive,
            "data.roles": _roles(self.role),
        }


@group(SERIES)
class SeriesOptions:
    """What makes time series of the rows."""

    time: list[str] | None = option(
        "--time COLUMN",
        "The rows are time series: the column of timestamps; given twice, that of the date and that of the "
        "time of day.",
        completion.columns,
    )
    entity: list[str] | None = option(
        "--entity COLUMN", "One series for each value of this column; may be repeated.", completion.columns
    )
    series_name: str | None = option(
        "--series-name COLUMN",
        "Of a long table, one reading a row: the column that names the sensor; each becomes a channel.",
        completion.columns,
    )
    value: str | None = option(
        "--value COLUMN", "Of a long table: the column that holds the readings.", completion.columns
    )
    every: str | None = option(
        "--every TIME", "Step of the grid that rows are sorted into, e.g. 5min; default: their usual step."
    )
    window: str | None = option(
        "--window N|TIME",
        "Length of the stretches learned, in steps or as in 6h; default: sized to the data.",
    )
    adapt: options.Adapt = None
    adopt_after: options.AdoptAfter = None
    causal: bool = option(
        "--causal", "Score each row without those after it, as when data come in one by one.", default=False
    )
    time_format: str | None = option(
        "--time-format FORMAT",
        "How timestamps are written, e.g. '%d/%m/%Y %H:%M', or epoch, excel (days) or steps (counted); "
        "default: found.",
    )
    time_zone: str | None = option(
        "--time-zone ZONE",
        "Zone of timestamps without one, e.g. Europe/Berlin; default: UTC.",
        completion.time_zones,
    )

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options."""
        return {
            "series.time": self.time or None,
            "series.entity": self.entity or None,
            "series.series_name": self.series_name,
            "series.value": self.value,
            "series.every": self.every,
            "series.window": self.window,
            "series.adapt": self.adapt,
            "series.adopt_after": self.adopt_after,
            "series.causal": self.causal or None,
            "series.time_format": self.time_format,
            "series.time_zone": self.time_zone,
        }


@group(TRAINING)
class TrainingOptions:
    """What network is trained, and how."""

    architecture: str | None = option(
        "--architecture NAME",
        "auto, evidence, memory, principal, denoising, variational or bottleneck; for time series patches "
        "or convolutional; default: auto.",
        completion.architectures,
    )
    latent_dim: str | None = option(
        "--latent --latent-dim N",
        "Numbers in the code that `aedetect encode` gives a row; default: enough for 90% of the variance, "
        "half as many as columns at most.",
    )
    epochs: str | None = option("--epochs N", "Passes over the training rows; default: sized to the data.")
    max_time: str | None = option("--max-time TIME", "Stop training after this long, e.g. 10m.")
    contamination: str | None = option(
        "--contamination R|auto",
        "Share of anomalies that may hide in the training data, or auto: some may; default: 0.",
        completion.contamination,
    )
    seed: str | None = option("--seed N", "Same seed, same machine, same model; default: 0.")

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options."""
        return {
            "model.architecture": self.architecture,
            "model.latent_dim": self.latent_dim,
            "training.epochs": self.epochs,
            "training.max_time": self.max_time,
            "training.contamination": self.contamination,
            "training.seed": self.seed,
        }


@group(TRAINING)
class VerdictOptions:
    """What is known of rows beforehand: when they were planned, what people said of them."""

    calendar: list[Path] | None = option(
        "--calendar PLAN",
        "Leave out rows within the entries of an iCalendar file (.ics), or of a table with columns start, "
        "end and name; may be repeated.",
    )
    time_of: str | None = options.time_of()
    feedback: Path | None = options.learned_feedback()

    def planned(self) -> PlanRequest:
        """The rows that are left out, as they were planned."""
        from aedetect.training.planned_rows import PlanRequest

        return PlanRequest(self.calendar or (), self.time_of)

    def notes(self) -> Sequence[Note]:
        """What people said of rows. Raises DataError or OutputError where that cannot be read."""
        from aedetect.scoring.feedback_store import read_notes

        return read_notes(self.feedback) if self.feedback is not None else ()


@group(TRAINING)
class StartOptions:
    """What training goes on from."""

    start: Path | None = option(
        "--from MODEL.aed",
        "Go on from the weights of an older model, with its columns, on new data.",
        completion.model_files,
    )
    model_sha256: str | None = option(
        "--model-sha256 DIGEST", "Refuse the model of --from if its SHA-256 is another."
    )
    resume: bool = option(
        "--resume",
        "Go on from the checkpoint that an interrupted run of the same command left.",
        default=False,
    )

    def check(self, overrides: Mapping[str, Any]) -> None:
        """Raises UsageError for settings that an older model settles, and for a digest without one."""
        if self.start is None and self.model_sha256 is not None:
            raise UsageError("--model-sha256 is that of the model that --from names")
        for name, flag in _KEPT.items() if self.start is not None else ():
            if overrides[name] is not None:
                raise UsageError(
                    f"{flag} cannot be changed with --from: the older model settles it; "
                    "to change it, train without --from"
                )


@group(READING)
class TrainReadingOptions(options.ReadingOptions):
    """How inputs are read; what is learned with the model is said in training alone."""

    thousands: str | None = option(
        "--thousands MARK",
        "The mark between groups of three digits: ',', '.', ' ', \"'\" or none; default: found.",
    )
    na_values: str | None = option("--na-values A,B", "Further cell texts that mean 'missing'.")

    def overrides(self) -> dict[str, Any]:
        """The settings behind these options."""
        settings = {
            "data.thousands": self.thousands,
            "data.na_values": self.na_values,
        }
        return super().overrides() | settings


# With --from, the older model says what the columns are and how the network is built.
_KEPT = {
    "data.columns": "--columns",
    "data.exclude": "--exclude",
    "data.id": "--id",
    "data.group": "--group",
    "data.roles": "--role",
    "data.decimal": "--decimal",
    "data.thousands": "--thousands",
    "data.na_values": "--na-values",
    "model.architecture": "--architecture",
}
_OF_SERIES = {
    "series.entity": "--entity",
    "series.series_name": "--series-name",
    "series.value": "--value",
    "series.every": "--every",
    "series.window": "--window",
    "series.adapt": "--adapt",
    "series.adopt_after": "--adopt-after",
    "series.causal": "--causal",
    "series.time_format": "--time-format",
    "series.time_zone": "--time-zone",
    "threshold.alarms_per_day": "--alarms-per-day",
}


def train(
    inputs: options.Inputs,
    output: Annotated[
        str,
        option(
            "--output -o MODEL.aed", "The model file to write, here or at s3://bucket/model.aed.", default=...
        ),
    ],
    column: ColumnOptions,
    series: SeriesOptions,
    training: TrainingOptions,
    start: StartOptions,
    verdicts: VerdictOptions,
    reading: TrainReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    alert_rate: str | None = option(
        "--alert-rate R",
        "Share of normal rows you accept as false alarms, as 0.01 or 1%; default: 0.01.",
        panel=THRESHOLD,
    ),
    alarms_per_day: str | None = option(
        "--alarms-per-day N",
        "Of time series: accept at most so many false events a day on each series, and 1% of normal rows.",
        panel=THRESHOLD,
    ),
    on: options.ReadOn = None,
) -> None:
    """Learn what normal rows look like, from rows that are (nearly) all normal.

    Says what each column is taken for, trains an autoencoder, fits a threshold on rows that the
    network never saw, and writes it all to one model file.

    Example: aedetect train january.csv february.csv -o model.aed --id customer_no

    Example: aedetect train sensors.csv -o model.aed --time timestamp --entity machine

    Example: aedetect train sales.csv -o model.aed --group region

    Example: aedetect train readings.csv -o model.aed --time at --series-name sensor --value reading

    Example: aedetect train s3://lake/2026/ -o model.aed --on ray://head:10001
    """
    with running("train", messages) as out:
        if alert_rate is not None and alarms_per_day is not None:
            raise UsageError("--alert-rate and --alarms-per-day exclude each other; choose one")
        look(inputs)
        look_beside(verdicts.feedback, verdicts.calendar)
        overrides = {
            **column.overrides(),
            **series.overrides(),
            **training.overrides(),
            **reading.overrides(),
            "threshold.alert_rate": alert_rate,
            "threshold.alarms_per_day": alarms_per_day,
        }
        start.check(overrides)
        check_place(on)
        settings = run.settings(overrides)
        check_flags(overrides, settings, bool(verdicts.calendar))
        check_learns(settings)
        from aedetect.engine.output_names import Target

        target = Target.of(output, "model.aed")
        _train(out, inputs, target, start, settings, verdicts, on)
        given = Given(reading, run).words
        next_steps(out, scoring_of_new_rows(target.path, inputs[0], given), ["inspect", target.path])


def check_learns(settings: Config) -> None:
    """Raises UsageError for a device that nothing is learned on."""
    if settings.training.device not in ("auto", "cpu"):
        from aedetect.models.device import check_double_precision

        check_double_precision(settings.training.device, "training needs")


def check_flags(overrides: Mapping[str, Any], settings: Config, planned: bool) -> None:
    """Flags that go with others alone, as those of time series do, are not passed over in silence."""
    if overrides["data.positive"] is not None and settings.data.label is None:
        raise UsageError("--positive goes with --label COLUMN, which names the column of the labels")
    dated = "datetime" in settings.data.roles.values()
    for name, flag in _OF_SERIES.items():
        if settings.series.time is not None or overrides[name] is None:
            continue
        if planned and name in ("series.time_zone", "series.time_format"):
            continue
        if name != "series.time_format":
            raise UsageError(f"{flag} goes with --time COLUMN, which makes time series of the rows")
        if not dated:
            raise UsageError(
                f"{flag} goes with --time COLUMN, which makes time series of the rows, with --role "
                "COLUMN=datetime, or with --calendar and --time-of"
            )


def _train(
    out: Output,
    words: list[str],
    target: Target,
    start: StartOptions,
    settings: Config,
    verdicts: VerdictOptions,
    on: str | None,
) -> None:
    from aedetect.engine.places import opened_workers
    from aedetect.engine.summary import Clock
    from aedetect.io.atomic import remove_leftovers
    from aedetect.io.locate import left_out
    from aedetect.io.lock import Locks

    clock = Clock()
    sources = sources_for_model(words, target, settings)
    from aedetect.io.files import as_trained
    from aedetect.scoring.fitted import FittedModel
    from aedetect.training.fit import fit
    from aedetect.training.request import FitRequest
    from aedetect.training.summary import train_summary

    output = target.path
    checkpoint = checkpoint_of(output)
    planned, notes = verdicts.planned(), verdicts.notes()
    older = None
    if start.start is not None:
        older = FittedModel.load(start.start, device=settings.training.device, sha256=start.model_sha256)
        sources = as_trained(older.placed(sources), older.config.data, settings.data)
    out.on_stop = lambda: _kept(checkpoint)
    target.make_folder()
    with Locks([output]):
        with (
            TrainingProgress(out, output) as callback,
            opened_workers(on, notice=callback.notice) as workers,
        ):
            for text in left_out(words):
                callback.notice(text)
            asked = FitRequest(sources, settings, callback, checkpoint, start.resume, older, planned, notes)
            fitted = fit(replace(asked, workers=workers))
        saved(fitted, output)
        checkpoint.unlink(missing_ok=True)
        remove_leftovers(checkpoint)
    summary = train_summary("train", fitted, output, clock, callback.notices)
    warn_of(out, summary["warnings"], callback.notices)
    out.result(summary | ({} if on is None else {"workers": workers.taken_part}))
    training = fitted.training
    out.say()
    out.say(
        f"{plain(output)}: learned {training.rows:,} normal rows in {summary['seconds']:.1f} s "
        f"{computed_on(training.device)}"
    )
    out.say(f"{fitted.flagged_in_words} are flagged, {fitted.promise_in_words}")
    if not (out.json or out.quiet):
        after_training(out, fitted, sources)


def checkpoint_of(output: str) -> Path:
    """Where training notes how far it is: beside the model file; in this folder, where that is in a store."""
    from aedetect.io.stores import is_address, name_of

    return Path(f"{name_of(output) if is_address(output) else output}.checkpoint")


def saved(fitted: FittedModel, output: str) -> None:
    """Write a model that took long to learn: what a store does not take is kept on this machine.

    Raises OutputError.
    """
    from aedetect.io.stores import is_address, name_of

    try:
        fitted.save(output)
    except OutputError as error:
        if not is_address(output):
            raise
        rescued = Path(tempfile.mkdtemp(prefix="aedetect-"), name_of(output))
        fitted.save(rescued)
        raise OutputError(f"{error}; the model is in {rescued}, to be copied from there") from None


def _kept(checkpoint: Path) -> str:
    """What is left of a training that was stopped."""
    if not checkpoint.exists():
        return ", and there is nothing to go on from yet: start again"
    return f"; to go on from {checkpoint}, run the same command with --resume"


def _roles(words: list[str] | None) -> dict[str, str] | None:
    if not words:
        return None
    roles = {}
    for word in words:
        name, _, role = word.rpartition("=")
        if not name or not role:
            raise UsageError(f"--role {word!r}: write it as COLUMN=ROLE, e.g. --role zip=categorical")
        roles[name] = role
    return roles
