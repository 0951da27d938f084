"""Every setting of aedetect, once: its name, type, default and meaning.

A configuration is built by `Config.build` from, in rising precedence, the defaults below, a
TOML file, environment variables (``AEDETECT_TRAINING_EPOCHS=20``) and explicit overrides
(command-line flags). Unknown names are errors.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from aedetect.config.names import closest, did_you_mean, split_names
from aedetect.config.refusals import refusal
from aedetect.config.rules import TABLE as RULES
from aedetect.config.rules import rules_of
from aedetect.config.typed import is_whole, number, parse_duration, share, whole
from aedetect.errors import UsageError

__all__ = ["Config", "parse_duration", "setting_names"]

Role = Literal[
    "numeric", "categorical", "boolean", "datetime", "text", "id", "label", "constant", "ignored", "time",
    "entity",
]  # fmt: skip
AssignableRole = Literal["numeric", "categorical", "boolean", "datetime", "id", "ignored"]

ENVIRONMENT_PREFIX = "AEDETECT_"
# Variables that are no settings: where messages go is a secret, which no model file is to hold.
_NO_SETTINGS = {"AEDETECT_NOTIFY"}


def _split_names(value: object) -> object:
    return split_names(value) if isinstance(value, str) else value


def _time_columns(value: object) -> object:
    """One column as its name, several as a list; a name is never split, as it may hold a comma."""
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        names = list(value)
        return names if len(names) > 1 else names[0] if names else None
    if value is None or isinstance(value, str):
        return value
    raise ValueError("not the name of a column; write it in quotes, or a list of two such names")


def _contamination(value: object) -> object:
    if value == "auto":
        return value
    said = "not a share of anomalies; write a number from 0 to below 0.5, such as 0.05 or 5%, or auto"
    try:
        anomalies = share(value)
    except ValueError as error:
        raise ValueError(str(error) if "comma" in str(error) else said) from None
    if not isinstance(anomalies, (int, float)) or not 0 <= anomalies < 0.5:
        raise ValueError(said)
    return float(anomalies)


def _span(value: object) -> object:
    """Steps as a whole number, a duration as its text."""
    said = "neither a number of steps nor a duration; write it like 96 or 6h"
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(said)
    text = value.strip()
    if is_whole(text):
        return whole(text)
    try:
        parse_duration(text)
    except ValueError as error:
        raise ValueError(str(error) if "comma" in str(error) else said) from None
    return text


def _delimiter(value: object) -> object:
    if isinstance(value, str) and (len(value) != 1 or not value.isascii() or value in '"\r\n\0'):
        raise ValueError("not a delimiter; give one ASCII character, no quote or line end, e.g. ';' or tab")
    return value


def _comment(value: object) -> object:
    if isinstance(value, str) and (not value.strip() or any(mark in value for mark in '"\r\n\0')):
        raise ValueError("no mark of a comment; give what such lines begin with, e.g. '#'")
    return value


def _adapt(value: object) -> object:
    if value is False or (isinstance(value, str) and value.strip() == "off"):
        return "off"
    said = "not a number of steps, nor a duration; write it like 64 or 6h, or off"
    try:
        span = _span(value)
    except ValueError:
        raise ValueError(said) from None
    if isinstance(span, int) and span < 1:
        raise ValueError(said)
    return span


def _lasting(value: object) -> object:
    said = "not a number of steps, nor a duration; write it like 672 or 7d"
    try:
        span = _span(value)
    except ValueError:
        raise ValueError(said) from None
    if (parse_duration(span) if isinstance(span, str) else span) < 1:  # type: ignore[operator]
        raise ValueError(said)
    return span


# A stretch of a time series: a number of steps, or a duration such as 6h.
Span = Annotated[int | str, BeforeValidator(_span)]
Adapt = Annotated[int | str, BeforeValidator(_adapt)]
# How long an event may last: a number of steps, or a duration such as 7d.
Lasting = Annotated[int | str, BeforeValidator(_lasting)]
Contamination = Annotated[float | Literal["auto"], BeforeValidator(_contamination)]
Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
Share = Annotated[float, BeforeValidator(share), Field(gt=0, lt=1)]
Number = Annotated[float, BeforeValidator(number)]
Whole = Annotated[int, BeforeValidator(whole)]
Delimiter = Annotated[str, BeforeValidator(_delimiter)]
CommentMark = Annotated[str, BeforeValidator(_comment)]
Names = Annotated[list[str], BeforeValidator(_split_names)]
TimeColumns = Annotated[str | list[str] | None, BeforeValidator(_time_columns)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class DataConfig(_Section):
    """How files are read and what each column is taken for."""

    columns: Names = Field([], description="learn from these columns only; empty: all that are usable")
    exclude: Names = Field([], description="never learn from these columns")
    id: Names = Field([], description="columns carried through to the output, never learned")
    label: str | None = Field(None, description="column that marks known anomalies; never learned")
    positive: str | None = Field(None, description="value of the label column that means anomaly")
    group: Names = Field(
        [],
        description="columns whose values, together, say which group a row belongs to: numbers are seen "
        "relative to their group, and each group has its own threshold",
    )
    roles: dict[str, AssignableRole] = Field({}, description="roles set by hand, by column name")
    format: Literal["csv", "tsv", "jsonl", "parquet", "arrow"] | None = Field(
        None, description="format of the inputs; unset: by content and suffix"
    )
    delimiter: Delimiter | None = Field(None, description="CSV delimiter; unset: found")
    decimal: Literal[".", ","] = Field(".", description="decimal mark of numbers in text files")
    thousands: Literal[",", ".", " ", "'", "none"] | None = Field(
        None, description="mark between groups of three digits in text files, or none; unset: found"
    )
    encoding: str = Field("utf-8", description="encoding of text files")
    na_values: Names = Field([], description="further cell texts that mean 'missing'")
    skip_rows: Whole = Field(0, ge=0, description="lines of a CSV file above its header that are skipped")
    comment: CommentMark | None = Field(None, description="lines of a CSV file that begin so are left out")
    header: bool | None = Field(
        None,
        description="whether the first line of a CSV file names the columns; unset: yes, or asked where it "
        "looks like data",
    )
    units_row: bool = Field(False, description="the line below the header of a CSV file may hold units")
    max_categories: Whole = Field(
        1000, ge=2, description="distinct values kept of a categorical column; the rest count as rare"
    )
    memory_mb: Whole = Field(512, ge=1, description="of training data above this size a sample is learned")

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings that came later are written to models only where they are set."""
        data: dict[str, Any] = handler(self)
        for name in ("group", "thousands", "skip_rows", "comment", "header", "units_row"):
            if name in data and data[name] == DataConfig.model_fields[name].default:
                del data[name]
        return data


class SeriesConfig(_Section):
    """Rows as time series; in force where `time` names a column."""

    time: TimeColumns = Field(
        None,
        description="column of timestamps: the rows are time series; of a date and a time of day in two "
        "columns, both",
    )
    entity: Names = Field([], description="columns that tell one series from another, a machine, say")
    series_name: str | None = Field(
        None,
        description="column of a long table that names what is read, a sensor, say: each name becomes a "
        "channel; goes with value",
    )
    value: str | None = Field(None, description="column of a long table that holds the readings")
    time_format: str | None = Field(
        None,
        description="how timestamps are written, as in strptime, or epoch, excel or steps; unset: found",
    )
    time_zone: str | None = Field(None, description="zone of timestamps without one; unset: UTC")
    every: Seconds | None = Field(
        None, description="step of the grid that rows are sorted into, e.g. 5min; unset: their usual step"
    )
    window: Span | None = Field(
        None, description="length of the stretches learned, in steps or as in 6h; unset: sized to the data"
    )
    smoothing: Whole = Field(0, ge=0, description="scores are averaged over this many steps")
    adapt: Adapt | None = Field(
        None,
        description="steps, or a duration such as 6h, in which alarms adapt to what has become normal; off: "
        "never; unset: 64 steps, or 30 minutes where that is more",
    )
    adopt_after: Lasting | None = Field(
        None,
        description="steps, or a duration such as 7d, that an event is flagged for while it lasts; then "
        "what it shows counts as normal; unset: what lasts is adapted to as adapt says",
    )
    causal: bool = Field(False, description="a row's score uses no later rows")
    event_gap: Whole | None = Field(
        None,
        ge=0,
        description="normal rows between two flagged ones of one event; unset: a twelfth of a window, "
        "at least 4",
    )
    event_rows: Whole = Field(1, ge=1, description="fewest flagged rows of an event")
    silence: Seconds | None = Field(
        None,
        description="time without a row of a series that is an event of its own, e.g. 2h; unset: none is",
    )

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings that came later are written to models only where they are set."""
        series: dict[str, Any] = handler(self)
        for name in ("adopt_after", "silence"):
            if series.get(name, 0) is None:
                del series[name]
        return series

    @property
    def time_columns(self) -> list[str]:
        """The columns of `time`, which are joined by spaces; none where the rows are no series."""
        return [self.time] if isinstance(self.time, str) else self.time or []


class ModelConfig(_Section):
    """The autoencoder."""

    architecture: str = Field(
        "auto",
        description="which autoencoder: auto, evidence, memory, principal, denoising, variational or "
        "bottleneck; for time series auto, patches or convolutional",
    )
    width: Whole = Field(128, ge=4, description="units in each hidden layer")
    depth: Whole = Field(3, ge=1, le=16, description="hidden layers")
    latent_dim: Whole | None = Field(
        None,
        ge=1,
        description="numbers in a row's code; unset: enough for 90% of the variance, half as many as columns "
        "at most",
    )


class TrainingConfig(_Section):
    """The training loop."""

    epochs: Whole | None = Field(
        None, ge=1, description="passes over the training rows; unset: sized to the data"
    )
    max_time: Seconds | None = Field(None, description="stop training after this long, e.g. 10m")
    batch_size: Whole = Field(256, ge=1, description="rows per step")
    learning_rate: Number = Field(2e-3, gt=0, description="peak learning rate")
    weight_decay: Number = Field(1e-4, ge=0, description="AdamW weight decay")
    gradient_clip: Number = Field(1.0, gt=0, description="largest gradient norm of a step")
    patience: Whole = Field(6, ge=1, description="evaluations without progress before training stops early")
    folds: Whole | None = Field(
        None,
        ge=2,
        description="networks trained on a small table or a short series, each on all folds of it but one "
        "(cross-conformal folds); unset: 5, or 3 networks side by side where an architecture has that",
    )
    fold_below: Whole = Field(2000, ge=0, description="tables with fewer normal rows than this use folds")
    contamination: Contamination = Field(
        0.0, description="share of anomalies that may hide in the training data, or auto: some may"
    )
    checkpoint_every: Seconds = Field(30.0, description="seconds between checkpoints of a training run")
    seed: Whole = Field(0, ge=0, lt=2**63, description="same seed, same machine, same model")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")


class ThresholdConfig(_Section):
    """From scores to verdicts."""

    alert_rate: Share = Field(0.01, description="share of normal rows you accept as false alarms")
    alarms_per_day: Number | None = Field(
        None, gt=0, description="false events a day that you accept on each series, besides alert_rate"
    )
    value: Number | None = Field(None, description="a fixed threshold on anomaly_score, instead of a rate")


class ScoringConfig(_Section):
    """The scoring pass."""

    batch_rows: Whole = Field(32768, ge=1, description="rows read and scored at a time")
    top_features: Whole = Field(3, ge=1, description="columns named in anomaly_features")
    jobs: Whole = Field(1, ge=1, description="processes that score inputs side by side, where that is faster")
    # Where a run computes is no property of a model, and not in its file.
    on: str | None = Field(
        None,
        exclude=True,
        description="a Ray cluster whose workers do it: ray, or ray://HOST:PORT; unset: this machine",
    )


class DriftConfig(_Section):
    """When new data are taken to have moved away from the training data."""

    psi: Number = Field(0.25, gt=0, description="population stability index that counts as drift")
    share: Share = Field(
        0.05, description="further share of missing, unseen or out-of-range values that does"
    )
    significance: Share = Field(
        0.001, description="chance of calling drift what is none, over all columns of a run"
    )
    least_rows: Whole = Field(50, ge=1, description="rows below which nothing is said of drift")


class Config(_Section):
    """All settings. Sections are the tables of a configuration file."""

    data: DataConfig = Field(default_factory=DataConfig)
    series: SeriesConfig = Field(default_factory=SeriesConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    threshold: ThresholdConfig = Field(default_factory=ThresholdConfig)
    scoring: ScoringConfig = Field(default_factory=ScoringConfig)
    drift: DriftConfig = Field(default_factory=DriftConfig)

    @classmethod
    def build(
        cls,
        path: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
        shown_as: Callable[[str], str] = str,
    ) -> Self:
        """Layer defaults < TOML file at `path` < `environment` < `overrides`.

        `overrides` maps dotted names (``training.epochs``) to values; None means 'not given'.
        `shown_as` gives the name under which an error speaks of an override, such as its flag.
        Raises UsageError for unreadable files, unknown names and values out of range.
        """
        tree: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for name, value, source in (
            *_from_file(path),
            *_from_environment(environment or {}),
            *_from_overrides(overrides or {}, shown_as),
        ):
            section, _, key = name.partition(".")
            tree.setdefault(section, {})[key] = value
            origin[name] = source
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise UsageError(_explain(error, tree, origin)) from None


def setting_names() -> list[str]:
    """Dotted names of all settings, in the order they are declared."""
    return [
        f"{section}.{key}"
        for section, info in Config.model_fields.items()
        for key in _section(info).model_fields
    ]


def _section(info: Any) -> type[_Section]:
    annotation = info.annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, _Section)
    return annotation


def _from_file(path: str | os.PathLike[str] | None) -> Iterator[tuple[str, Any, str]]:
    if path is None:
        return
    try:
        tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the configuration file: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from None
    known = setting_names()
    # They are of scoring, and no settings that a model keeps: here they are only checked.
    rules_of(tree.pop(RULES, []), os.fspath(path))
    for section, table in tree.items():
        if not isinstance(table, dict) or section not in Config.model_fields:
            raise UsageError(f"{path}: {_misplaced(section, isinstance(table, dict))}")
        for key, value in table.items():
            name = f"{section}.{key}"
            if name not in known:
                raise UsageError(f"{path}: {_unknown(section, key)}")
            yield name, value, f"{path}: {name}"


def _sections_of(key: str) -> list[str]:
    """The tables that have a setting called `key`."""
    return [section for section, info in Config.model_fields.items() if key in _section(info).model_fields]


def _places(key: str) -> str:
    return " or ".join(f"[{section}]" for section in _sections_of(key))


def _misplaced(name: str, is_table: bool) -> str:
    """What is wrong with a name at the top of a file that is no table of settings."""
    tables, keys = list(Config.model_fields), [entry.partition(".")[2] for entry in setting_names()]
    if not is_table and name in tables:
        return f"{name!r} is a table of settings; write [{name}], and its settings in the lines below"
    what = f"unknown table [{name}]" if is_table else f"{name!r} stands outside a table"
    if closest(name, [*tables, *keys, RULES]) == RULES:
        return f"{what}; did you mean [[{RULES}]]?"
    if name in keys:
        return f"{what}; {name} belongs under {_places(name)}"
    if is_table:
        close = closest(name, tables)
        if close is not None:
            return f"{what}; did you mean {close!r}?"
    close = closest(name, keys)
    if close is not None:
        return f"{what}; did you mean {close!r}, which belongs under {_places(close)}?"
    if is_table:
        return f"{what}; known are: {', '.join(tables)}"
    return f"{what}; settings belong under one of {', '.join(f'[{table}]' for table in tables)}"


def _unknown(section: str, key: str) -> str:
    """What is wrong with a key that its table does not know."""
    here = [entry.partition(".")[2] for entry in setting_names() if entry.startswith(f"{section}.")]
    said = f"unknown setting '{section}.{key}'"
    if _sections_of(key):
        return f"{said}; {key} belongs under {_places(key)}"
    close = closest(key, here)
    if close is not None:
        return f"{said}; did you mean '{section}.{close}'?"
    close = closest(key, [entry.partition(".")[2] for entry in setting_names()])
    if close is not None:
        return f"{said}; did you mean {close!r}, which belongs under {_places(close)}?"
    return f"{said}; [{section}] has: {', '.join(here)}"


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    known = {ENVIRONMENT_PREFIX + name.replace(".", "_").upper(): name for name in setting_names()}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _NO_SETTINGS:
            continue
        if variable not in known:
            raise UsageError(f"unknown environment variable {variable}{_did_you_mean(variable, list(known))}")
        if known[variable] == "data.roles":
            pairs = (part.rpartition("=") for part in split_names(environment[variable]))
            yield known[variable], {name: role for name, _, role in pairs}, variable
        else:
            yield known[variable], environment[variable], variable


def _from_overrides(
    overrides: Mapping[str, Any], shown_as: Callable[[str], str]
) -> Iterator[tuple[str, Any, str]]:
    known = setting_names()
    for name, value in overrides.items():
        if name not in known:
            raise UsageError(f"unknown setting {name!r}{_did_you_mean(name, known)}")
        if value is not None:
            yield name, value, shown_as(name)


def _did_you_mean(name: str, known: list[str]) -> str:
    return did_you_mean(name, known) or f"; known are: {', '.join(known)}"


def _explain(error: ValidationError, tree: Mapping[str, Any], origin: Mapping[str, str]) -> str:
    """The first of the errors, with the name that the setting has where it was given."""
    first = error.errors()[0]
    section, key, *below = (str(part) for part in first["loc"])
    where = origin.get(f"{section}.{key}", f"{section}.{key}")
    given = tree[section][key]
    for part in below:
        # Below a setting are names of columns, which a flag has behind it.
        where += f" {part}" if where.startswith("--") else f".{part}"
        given = given.get(part, first["input"]) if isinstance(given, dict) else first["input"]
    field = _section(Config.model_fields[section]).model_fields[key]
    return f"{where} = {given!r}: {refusal(first, field)}"
