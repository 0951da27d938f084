"""Every setting of aedetect, once: its name, type, default and meaning.

A configuration is built by `Config.build` from, in rising precedence, the defaults below, a
TOML file, environment variables (``AEDETECT_TRAINING_EPOCHS=20``) and explicit overrides
(command-line flags). Unknown names are errors.
"""

from __future__ import annotations

import difflib
import os
import re
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

from aedetect.errors import UsageError

Role = Literal[
    "numeric", "categorical", "boolean", "datetime", "text", "id", "label", "constant", "ignored", "time",
    "entity",
]  # fmt: skip
AssignableRole = Literal["numeric", "categorical", "boolean", "datetime", "id", "ignored"]

ENVIRONMENT_PREFIX = "AEDETECT_"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)?")
_DURATION_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """Turn '90', '90s', '10m', '2h' or '1d' into seconds; other values pass through."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("not a duration; write it like 90s, 10m or 2h")
        return float(match[1]) * _DURATION_SECONDS[match[2] or "s"]
    return value


def _split_names(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _time_columns(value: object) -> object:
    """One column as its name, several as a list; a name is never split, as it may hold a comma."""
    if isinstance(value, (list, tuple)):
        names = list(value)
        return names if len(names) > 1 else names[0] if names else None
    return value


def _contamination(value: object) -> object:
    if value == "auto":
        return value
    try:
        share = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = -1.0
    if isinstance(value, bool) or not 0 <= share < 0.5:
        raise ValueError("not a share of anomalies; write a number from 0 to below 0.5, or auto")
    return share


def _span(value: object) -> object:
    """Steps as a whole number, a duration as its text."""
    if isinstance(value, str):
        text = value.strip()
        if text.isdecimal():
            return int(text)
        if _DURATION.fullmatch(text) is None:
            raise ValueError("neither a number of steps nor a duration; write it like 96 or 6h")
        return text
    return value


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
    span = _span(value)
    if isinstance(span, bool) or (isinstance(span, int) and span < 1):
        raise ValueError("not a number of steps, nor a duration; write it like 64 or 6h, or off")
    return span


# A stretch of a time series: a number of steps, or a duration such as 6h.
Span = Annotated[int | str, BeforeValidator(_span)]
Adapt = Annotated[int | str, BeforeValidator(_adapt)]
Contamination = Annotated[float | Literal["auto"], BeforeValidator(_contamination)]
Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
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
    skip_rows: int = Field(0, ge=0, description="lines of a CSV file above its header that are skipped")
    comment: CommentMark | None = Field(None, description="lines of a CSV file that begin so are left out")
    header: bool | None = Field(
        None,
        description="whether the first line of a CSV file names the columns; unset: yes, or asked where it "
        "looks like data",
    )
    units_row: bool = Field(False, description="the line below the header of a CSV file may hold units")
    max_categories: int = Field(
        1000, ge=2, description="distinct values kept of a categorical column; the rest count as rare"
    )
    memory_mb: int = Field(512, ge=1, description="training data above this size are streamed from disk")

    @model_serializer(mode="wrap")
    def _serialised(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Settings that came later are written to models only where they are set."""
        data: dict[str, Any] = handler(self)
        for name in ("thousands", "skip_rows", "comment", "header", "units_row"):
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
    smoothing: int = Field(0, ge=0, description="scores are averaged over this many steps")
    adapt: Adapt | None = Field(
        None,
        description="steps, or a duration such as 6h, in which alarms adapt to what has become normal; off: "
        "never; unset: 64 steps, or 30 minutes where that is more",
    )
    causal: bool = Field(False, description="a row's score uses no later rows")
    event_gap: int | None = Field(
        None,
        ge=0,
        description="normal rows between two flagged ones of one event; unset: a twelfth of a window, "
        "at least 4",
    )
    event_rows: int = Field(1, ge=1, description="fewest flagged rows of an event")

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
    width: int = Field(128, ge=4, description="units in each hidden layer")
    depth: int = Field(3, ge=1, le=16, description="hidden layers")
    latent_dim: int | None = Field(
        None, ge=1, description="numbers in a row's code; unset: enough for 90% of the variance"
    )


class TrainingConfig(_Section):
    """The training loop."""

    epochs: int | None = Field(
        None, ge=1, description="passes over the training rows; unset: sized to the data"
    )
    max_time: Seconds | None = Field(None, description="stop training after this long, e.g. 10m")
    batch_size: int = Field(256, ge=1, description="rows per step")
    learning_rate: float = Field(2e-3, gt=0, description="peak learning rate")
    weight_decay: float = Field(1e-4, ge=0, description="AdamW weight decay")
    gradient_clip: float = Field(1.0, gt=0, description="largest gradient norm of a step")
    patience: int = Field(6, ge=1, description="evaluations without progress before training stops early")
    folds: int | None = Field(
        None,
        ge=2,
        description="networks trained on a small table or a short series, each on all folds of it but one "
        "(cross-conformal folds); unset: 5, or 3 networks side by side where an architecture has that",
    )
    fold_below: int = Field(2000, ge=0, description="tables with fewer normal rows than this use folds")
    contamination: Contamination = Field(
        0.0, description="share of anomalies that may hide in the training data, or auto: some may"
    )
    checkpoint_every: Seconds = Field(30.0, description="seconds between checkpoints of a training run")
    seed: int = Field(0, ge=0, lt=2**63, description="same seed, same machine, same model")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")


class ThresholdConfig(_Section):
    """From scores to verdicts."""

    alert_rate: float = Field(0.01, gt=0, lt=1, description="share of normal rows you accept as false alarms")
    alarms_per_day: float | None = Field(
        None, gt=0, description="false events a day that you accept on each series, besides alert_rate"
    )
    value: float | None = Field(None, description="a fixed threshold on anomaly_score, instead of a rate")


class ScoringConfig(_Section):
    """The scoring pass."""

    batch_rows: int = Field(32768, ge=1, description="rows read and scored at a time")
    top_features: int = Field(3, ge=1, description="columns named in anomaly_features")
    jobs: int = Field(1, ge=1, description="processes that score inputs side by side, where that is faster")


class DriftConfig(_Section):
    """When new data are taken to have moved away from the training data."""

    psi: float = Field(0.25, gt=0, description="population stability index that counts as drift")
    share: float = Field(
        0.05, gt=0, lt=1, description="further share of missing, unseen or out-of-range values that does"
    )
    significance: float = Field(
        0.001, gt=0, lt=1, description="chance of calling drift what is none, over all columns of a run"
    )
    least_rows: int = Field(50, ge=1, description="rows below which nothing is said of drift")


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
            raise UsageError(_explain(error, origin)) from None


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
    for section, table in tree.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"{path}: {section!r} stands outside a table; settings belong under one of "
                + ", ".join(f"[{name}]" for name in Config.model_fields)
            )
        if section not in Config.model_fields:
            raise UsageError(
                f"{path}: unknown table [{section}]{_did_you_mean(section, list(Config.model_fields))}"
            )
        for key, value in table.items():
            name = f"{section}.{key}"
            if name not in known:
                raise UsageError(f"{path}: unknown setting {name!r}{_did_you_mean(name, known)}")
            yield name, value, f"{path}: {name}"


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    known = {ENVIRONMENT_PREFIX + name.replace(".", "_").upper(): name for name in setting_names()}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        if variable not in known:
            raise UsageError(f"unknown environment variable {variable}{_did_you_mean(variable, list(known))}")
        if known[variable] == "data.roles":
            pairs = (part.partition("=") for part in environment[variable].split(",") if part)
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
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(known)}"


def _explain(error: ValidationError, origin: Mapping[str, str]) -> str:
    first = error.errors()[0]
    section, key, *below = (str(part) for part in first["loc"])
    where = ".".join([origin.get(f"{section}.{key}", f"{section}.{key}"), *below])
    message = first["msg"].removeprefix("Value error, ")
    return f"{where} = {first['input']!r}: {message[0].lower()}{message[1:]}"
