"""The fitted model: encoder, members, calibration and threshold, to and from a model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from aedetect.config import Config, SeriesConfig, parse_duration
from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import MOST_SERIES_CATEGORIES
from aedetect.data.features.feature_statistics import STATISTICS
from aedetect.data.features.groups import GroupScaling
from aedetect.data.reference import Sketch
from aedetect.data.schema import Schema
from aedetect.data.series.buffer import Rows
from aedetect.data.series.channels import Channels
from aedetect.data.series.entities import Name
from aedetect.data.series.gross import set_aside
from aedetect.data.series.long_table import LongColumns, LongTable, WideInput
from aedetect.data.series.scaling import Scales, SeriesState
from aedetect.errors import ModelError, UsageError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.models.device import check_double_precision, on_host, pick_device, placed
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.heads import AuxiliaryHeads
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import (
    AUTO,
    chosen_for,
    evaluation_of,
    series_evaluation_of,
    short_evaluation_of,
)
from aedetect.scoring.alarms import USUAL_ADAPT, AlarmParts, AlarmRule, short_steps
from aedetect.scoring.calibration import Calibration, without_highest
from aedetect.scoring.events import event_gap
from aedetect.scoring.group_thresholds import GroupCalibration, GroupThresholds
from aedetect.scoring.lasting import Patience
from aedetect.scoring.manifest import Manifest, TrainingSummary
from aedetect.scoring.model_file import Tensors, read_model_file, unpack_checked, write_model_file
from aedetect.scoring.model_header import refusing
from aedetect.scoring.scale_shares import single_share
from aedetect.scoring.threshold import ThresholdPolicy, policy_of, set_to

# What the names of the auxiliary networks' tensors begin with in the model file.
_AUXILIARY = "companion."
NORMAL_ROWS = "explain.normal_rows"
_BEYOND = "calibration.beyond"
# A constant that moved, or an infinite number, is stranger than any calibration row: its score
# is at least this many times the strangest of them.
OUT_OF_RANGE = 2.0
_LEAST_SCALE = 1e-6
# Alarms adapt no faster than in so many seconds, unless told to.
_LEAST_SECONDS = 1800.0


@dataclass(frozen=True)
class SeriesParts:
    """What a model of time series has beside that of a table.

    `peaks`: largest scores of spans, unscaled. `limits` [2, channels]: beyond them, in the scale of its
    series, a cell is gross; `alarms`: the scales of time. Both are None in files of formats before 4.
    """

    state: SeriesState
    scales: Scales | None
    peaks: Floats
    limits: Matrix | None = None
    alarms: AlarmParts | None = None

    @property
    def exact(self) -> bool:
        """Whether channels are of 64 bits, as they are for several series; not so in older models."""
        return bool(self.state.entity) and self.limits is not None

    @property
    def unjudged(self) -> int:
        """Rows at the start of each series that are not judged: none but in older models."""
        return self.state.window - 1 if self.alarms is None else 0

    def set_aside(self, rows: Rows, names: Sequence[Name]) -> tuple[Rows, Mask]:
        """Rows without their gross cells, and which those were [rows, channels]."""
        return set_aside(rows, names, self.scales, self.limits, self.state.beginning)

    def adapt_steps(self, settings: SeriesConfig) -> float | None:
        """In how many steps alarms adapt to what is new; None where they never do."""
        if settings.adapt is None:
            # Steps may be seconds: nobody would see an alarm that has adapted within a minute.
            return max(float(USUAL_ADAPT), _LEAST_SECONDS / self.state.step)
        if settings.adapt == "off":
            return None
        return self._steps(settings.adapt)

    def adopt_steps(self, settings: SeriesConfig) -> float | None:
        """How many steps an event is held for before what it shows counts as normal; None for not at all."""
        return None if settings.adopt_after is None else self._steps(settings.adopt_after)

    def _steps(self, span: int | str) -> float:
        """A number of steps, or a duration as such, at least 1."""
        if isinstance(span, int):
            return float(span)
        return max(float(parse_duration(span)) / self.state.step, 1.0)  # type: ignore[arg-type]


@dataclass(frozen=True)
class FittedModel:
    """What was learned, and the settings it is used with; nothing in it changes.

    `members`: the evaluation passes of the networks, whose errors are averaged. `device`: 'cpu', or that of a
    GPU. `scale`: what an unscaled score is divided by.
    `sha256`: digest of the file it came from; None for one just fitted. `series`: what it knows of time;
    None for one of tables. `heads`: the auxiliary networks; None for series and in files of format 1.
    `normal_rows`: a sample of the encoded rows learned from [rows, features]; none in older files.
    `sketch`: how the training values are spread; None in older files. `beyond`: what a changed constant adds
    to a score, where calibration rows have changed some; None where that is at least twice the strangest.
    `groups`: calibration rows by group; None for models that know no groups.
    """

    config: Config
    encoder: FeatureEncoder
    members: Sequence[Any]
    calibration: Calibration
    scale: np.float32
    training: TrainingSummary
    device: str
    normal_rows: Matrix
    sha256: str | None = None
    series: SeriesParts | None = None
    heads: AuxiliaryHeads | None = None
    sketch: Sketch | None = None
    beyond: float | None = None
    groups: GroupCalibration | None = None

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, device: str = "auto", sha256: str | None = None
    ) -> FittedModel:
        """The model in the file at `path`; runs no code from it.

        Raises ModelError for a file that is missing, damaged, too new, no model file, or one whose
        digest is not `sha256`; UsageError for a device that is not there.
        """
        return cls._of_parts(os.fspath(path), read_model_file(path, sha256), device)

    @classmethod
    def of_bytes(
        cls, data: bytes, *, name: str = "the model", device: str = "auto", sha256: str | None = None
    ) -> FittedModel:
        """The model in the bytes of a model file, called `name` in messages; see `load`."""
        with refusing(name):
            parts = unpack_checked(data, sha256)
        return cls._of_parts(name, parts, device)

    @classmethod
    def _of_parts(cls, name: str, parts: tuple[Manifest, Tensors, str], device: str) -> FittedModel:
        picked = pick_device(device)
        try:
            return _of_tensors(*parts, picked)
        except (KeyError, RuntimeError, ValueError, UsageError) as error:
            raise ModelError(f"{name}: the model file is damaged ({str(error).splitlines()[0]})") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. Raises OutputError where that fails."""
        state = self.series.state if self.series else None
        write_model_file(
            path, self.schema, self.encoder.state, self.config, self.training, self.tensors(), state
        )

    @property
    def schema(self) -> Schema:
        return self.encoder.schema

    @property
    def columns(self) -> list[str]:
        """Columns that errors are attributed to: learned ones and watched constants."""
        return list(dict.fromkeys(self.encoder.owners))

    @cached_property
    def long_table(self) -> LongTable | None:
        """How a long table is read; None where inputs are tables of a column for each channel."""
        settings = self.config.series
        if settings.series_name is None or settings.value is None:
            return None
        shared = (*settings.time_columns, *settings.entity)
        optional = (*self.schema.names("id"), *self.schema.names("label"))
        columns = LongColumns(settings.series_name, settings.value, shared, optional)
        return LongTable(columns, tuple(self.columns))

    @property
    def input_schema(self) -> Schema:
        """The columns of inputs as they come, of which a long table has others than the model."""
        long = self.long_table
        return self.schema if long is None else long.columns.input_schema(self.schema)

    def check(self, source: Input, used: str | None = None) -> list[str]:
        """Match the columns of `source` as it comes by name; see `Schema.check`."""
        return self.input_schema.check(source.name, source.open(1024).schema, used=used)

    def placed(self, sources: Sequence[FileInput]) -> list[FileInput]:
        """Files with those columns of the model that the names of the folders above them tell of."""
        roles = {column.name for column in self.input_schema.columns if column.role in ("id", "label")}
        needed = roles | {column.name for column in self.input_schema.inputs}
        return [source.with_columns(needed) for source in sources]

    def as_read(self, source: Input) -> Input:
        """`source` with the columns that the model knows."""
        long = self.long_table
        return self.schema.completed(source) if long is None else WideInput(source, long, self.schema.rules)

    @property
    def most_categories(self) -> int:
        """How many categories of a column are told apart at most."""
        most = self.config.data.max_categories
        return most if self.series is None else min(most, MOST_SERIES_CATEGORIES)

    @property
    def window(self) -> int:
        """How many rows of a series are scored together; 0 for a model of tables."""
        return self.series.state.window if self.series is not None else 0

    @property
    def auxiliary(self) -> AuxiliaryHeads:
        """The networks behind `encode`, `clean`, `impute` and `sample`.

        Raises ModelError for a model of time series, and for a file of a format that had none; UsageError
        on a GPU that cannot compute them.
        """
        if self.series is not None:
            raise ModelError(
                "a model of time series has no codes and repairs; train one of tables, without --time"
            )
        if self.heads is None:
            raise ModelError("the model has no code member, which older versions left out; retrain")
        check_double_precision(self.device, "codes, repairs and expected values need")
        return self.heads

    @property
    def out_of_range_score(self) -> float:
        """The least score of a row that is stranger than any calibration row without such a change."""
        if self.beyond is not None:
            return self.beyond
        return OUT_OF_RANGE * float(self.calibration.scores[-1])

    @cached_property
    def threshold_policy(self) -> ThresholdPolicy:
        """Where the threshold lies, and what it promises."""
        state, peaks = (self.series.state, self.series.peaks) if self.series else (None, np.empty(0))
        alarms = self.series.alarms if self.series else None
        single = None if alarms is None else single_share(alarms.scales)
        return policy_of(self.config.threshold, self.calibration, state, peaks, float(self.scale), single)

    @cached_property
    def group_thresholds(self) -> GroupThresholds | None:
        """The thresholds of groups; None for models that know no groups."""
        if self.groups is None:
            return None
        return GroupThresholds(self.config.threshold, self.calibration, self.groups, self.threshold)

    def thresholds(self, groups: Integers) -> Floats:
        """The threshold for each row, by the numbers of their groups [rows]."""
        if self.group_thresholds is None:
            return np.full(len(groups), self.threshold)
        return np.asarray(self.group_thresholds.values[groups])

    def p_values(self, scores: Floats, groups: Integers) -> Floats:
        """p-values in (0, 1] of `scores` [rows] of a table's rows, by the numbers of their groups [rows]."""
        if self.group_thresholds is None:
            return self.calibration.p_values(scores)
        return self.group_thresholds.p_values(scores, groups)

    def on_one_scale(self, scores: Floats, groups: Integers) -> Floats:
        """Scores [rows] for charts: those of each group scaled so that its threshold lies at `threshold`."""
        if self.group_thresholds is None:
            return scores
        tiny = np.finfo(np.float64).tiny
        return np.asarray(scores * (self.threshold / np.maximum(self.thresholds(groups), tiny)))

    @cached_property
    def alarm_rule(self) -> AlarmRule | None:
        """How rows of series are flagged; None where scores above the threshold are.

        That is so of tables, of a threshold set by hand and of files of formats before 4.
        """
        if self.series is None or self.series.alarms is None or self.config.threshold.value is not None:
            return None
        unscaled = Calibration(self.calibration.scores * float(self.scale))
        policy, settings = self.threshold_policy, self.config.series
        adapt, after = self.series.adapt_steps(settings), self.series.adopt_steps(settings)
        gap = event_gap(settings, self.window)
        patience = None if after is None else Patience(after, gap, adapt or USUAL_ADAPT)
        return AlarmRule(self.series.alarms.with_long(unscaled), policy.flagging_rate, adapt, patience)

    @property
    def flagged_in_words(self) -> str:
        """Which rows are flagged, for people: 'rows scoring above 2.69'."""
        if self.group_thresholds is not None and not self.group_thresholds.is_by_hand:
            return f"rows scoring above the threshold of their group, {self.group_thresholds.in_words},"
        if self.alarm_rule is None:
            return f"rows scoring above {self.threshold:.3g}"
        return f"rows with a p-value of at most {self.alarm_rule.rate:.3g}"

    @property
    def promise_in_words(self) -> str:
        """What share of normal rows is flagged: '1% of normal rows in each of 12 groups'."""
        said, groups = self.threshold_policy.promise, self.group_thresholds
        return said if groups is None or groups.is_by_hand else f"{said} {groups.promise}"

    @property
    def threshold(self) -> float:
        """Scores above this are flagged, but for series with an `alarm_rule`; of groups, the pooled one.

        Raises UsageError for settings that the model cannot follow.
        """
        return self.threshold_policy.value

    def with_threshold(self, value: float | None = None, alert_rate: float | None = None) -> FittedModel:
        """This model with a threshold given as such, or for an alert rate; as it is where both are None.

        Raises UsageError for an alert rate outside (0, 1) and a threshold that is not finite.
        """
        chosen = set_to(self.config.threshold, value, alert_rate)
        return replace(self, config=self.config.model_copy(update={"threshold": chosen}))

    def adjusted(self, settings: Config) -> FittedModel:
        """This model with those scoring, threshold, event and label settings that `settings` sets, and its
        decimal mark."""
        data = settings.data.model_dump(
            include={"label", "positive", "decimal"} & settings.data.model_fields_set
        )
        mark = data.get("decimal", self.schema.decimal)
        encoder = self.encoder
        if mark != self.schema.decimal:
            encoder = encoder.reading(self.schema.with_decimal(mark))
        asked = settings.threshold.model_dump(include=settings.threshold.model_fields_set)
        if "alert_rate" in asked:
            # A rate asked for now overrules a fixed threshold of training.
            asked.setdefault("value", None)
            asked.setdefault("alarms_per_day", None)
        scoring = settings.scoring.model_dump(include=settings.scoring.model_fields_set)
        used = {"event_gap", "event_rows", "adapt", "adopt_after", "silence"}
        events = settings.series.model_dump(include=used & settings.series.model_fields_set)
        update: dict[str, Any] = {
            "data": self.config.data.model_copy(update=data),
            "scoring": self.config.scoring.model_copy(update=scoring),
            "threshold": self.config.threshold.model_copy(update=asked),
            "series": self.config.series.model_copy(update=events),
            "drift": settings.drift,
        }
        return replace(self, config=self.config.model_copy(update=update), encoder=encoder)

    def tensors(self) -> Tensors:
        """All arrays of the model, under their names in the model file."""
        tensors: Tensors = {f"features.{name}": values for name, values in self.encoder.statistics().items()}
        if self.sketch:
            tensors |= self.sketch.tensors()
        tensors["calibration.scores"] = self.calibration.scores
        tensors["calibration.scale"] = np.array([self.scale], dtype=np.float32)
        if self.beyond is not None:
            tensors[_BEYOND] = np.array([self.beyond])
        if self.encoder.groups is not None and self.groups is not None:
            tensors |= {**self.encoder.groups.tensors(), **self.groups.tensors()}
        if len(self.normal_rows):
            tensors[NORMAL_ROWS] = self.normal_rows
        for index, model in enumerate(self.members):
            for name, values in model.arrays.values.items():
                tensors[f"members.{index}.{name}"] = on_host(values)
        if self.series:
            tensors["series.peaks"] = self.series.peaks
            if self.series.scales:
                tensors["series.centers"] = self.series.scales.centers
                tensors["series.spreads"] = self.series.scales.spreads
            if self.series.limits is not None:
                tensors["series.limits"] = self.series.limits
            if self.series.alarms:
                tensors |= self.series.alarms.tensors()
        if self.heads is not None:
            for name, values in self.heads.arrays.values.items():
                tensors[f"{_AUXILIARY}{name}"] = on_host(values)
        return tensors


def scaled(raw: Floats, left_out: float = 0.0) -> tuple[np.float32, Calibration]:
    """The scale of unscaled scores [rows] of normal rows, and the calibration they give.

    `left_out`: the share of the rows, those of the highest scores, that are taken for anomalies.
    """
    raw = without_highest(raw, left_out)
    scale = np.float32(max(float(np.median(raw)), _LEAST_SCALE))
    return scale, Calibration(raw / float(scale))


def _of_tensors(manifest: Manifest, tensors: Tensors, digest: str, device: str) -> FittedModel:
    """The model that a file holds. Raises KeyError, RuntimeError or ValueError where parts do not fit."""
    statistics = {name: tensors[f"features.{name}"] for name in STATISTICS}
    names = manifest.features.groups
    groups = GroupScaling.of_tensors(names, tensors)
    encoder = FeatureEncoder(manifest.model_schema, manifest.features, statistics, groups)
    manifest = _with_architecture(manifest, encoder)
    channels = Channels.of(encoder)
    series = _series_parts(manifest, tensors, channels, device)
    members = _members(manifest, encoder, channels, tensors, device)
    # Models made before explanations were have none, those of time series neither.
    nothing = np.empty((0, encoder.layout.width), dtype=np.float32)
    normal_rows = np.asarray(tensors.get(NORMAL_ROWS, nothing), dtype=np.float32)
    if normal_rows.shape[1:] != nothing.shape[1:]:
        raise ValueError(f"{NORMAL_ROWS} has {normal_rows.shape} cells")
    return FittedModel(
        config=manifest.config,
        encoder=encoder,
        members=members,
        calibration=Calibration(np.asarray(tensors["calibration.scores"])),
        scale=np.float32(tensors["calibration.scale"][0]),
        training=manifest.training,
        device=device,
        normal_rows=normal_rows,
        sha256=digest,
        series=series,
        heads=_auxiliary(manifest.config, encoder, tensors, device),
        sketch=Sketch.of_tensors(encoder, tensors),
        beyond=float(tensors[_BEYOND][0]) if _BEYOND in tensors else None,
        groups=GroupCalibration.of_tensors(names, tensors),
    )


def _with_architecture(manifest: Manifest, encoder: FeatureEncoder) -> Manifest:
    """The manifest of a table with the architecture named that its format meant by 'auto'."""
    model = manifest.config.model
    if manifest.series or model.architecture != AUTO:
        return manifest
    name = chosen_for(encoder.layout, manifest.format_version)
    if name == chosen_for(encoder.layout):
        return manifest
    model = model.model_copy(update={"architecture": name})
    return manifest.model_copy(update={"config": manifest.config.model_copy(update={"model": model})})


def _members(
    manifest: Manifest, encoder: FeatureEncoder, channels: Channels, tensors: Tensors, device: str
) -> list[Any]:
    members: list[Any] = []
    for index in range(len(manifest.training.members)):
        weights, settings = _weights(tensors, f"members.{index}.", device), manifest.config.model
        if manifest.series:
            layout = WindowLayout(manifest.series.window, channels.width)
            members.append(series_evaluation_of(layout, settings, weights))
        else:
            members.append(evaluation_of(encoder.layout, settings, weights))
    return members


def _weights(tensors: Tensors, prefix: str, device: str) -> Arrays:
    """The arrays of one network, where it computes."""
    return placed(
        {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)},
        device,
    )


def _series_parts(
    manifest: Manifest, tensors: Tensors, channels: Channels, device: str
) -> SeriesParts | None:
    state = manifest.series
    if state is None:
        return None
    scales = alarms = None
    # Where gross cells were set aside, there is a scale for all series together.
    if state.scaled_apart or "series.centers" in tensors:
        scales = Scales(state.names, tensors["series.centers"], tensors["series.spreads"], channels.measured)
    if "series.step.usual" in tensors:
        alarms = AlarmParts.of_tensors(tensors, _short_members(manifest, state, tensors, channels, device))
    return SeriesParts(state, scales, tensors["series.peaks"], tensors.get("series.limits"), alarms)


def _short_members(
    manifest: Manifest, state: SeriesState, tensors: Tensors, channels: Channels, device: str
) -> list[WindowEvaluation]:
    members: list[WindowEvaluation] = []
    steps = short_steps(state.window)
    while steps is not None and f"series.short.{len(members)}.basis" in tensors:
        weights = _weights(tensors, f"series.short.{len(members)}.", device)
        layout = WindowLayout(steps, channels.width)
        members.append(short_evaluation_of(layout, manifest.config.model, weights))
    return members


def _auxiliary(
    config: Config, encoder: FeatureEncoder, tensors: Tensors, device: str
) -> AuxiliaryHeads | None:
    stored = _weights(tensors, _AUXILIARY, device)
    return AuxiliaryHeads(encoder.layout, config.model, stored) if stored.values else None
