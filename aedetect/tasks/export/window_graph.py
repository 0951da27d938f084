"""A model of time series as a graph: a window in, its score out.

The steps are those of `data.series.channels`, `data.series.scaling` and `models.ensemble.window_scores`.
"""

from __future__ import annotations

from typing import Any

import ndonnx
import numpy as np

from aedetect.data.series.channels import LINEAR
from aedetect.errors import ModelError
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.missing import held
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import series_evaluation_of
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.tasks.export.graph import as_constants, constant

_LARGEST = 1e6
WINDOW, CENTER, SPREAD = "window", "center", "spread"


def check_windows(fitted: FittedModel) -> None:
    """Raises ModelError that says why, for a model whose windows hold more than numbers."""
    others = [column.column for column in fitted.encoder.state.numeric if column.role != "numeric"]
    others += [vocabulary.column for vocabulary in fitted.encoder.state.categorical]
    if others:
        raise ModelError(
            "a model of time series can be exported where all its columns are numbers, and "
            f"{others[0]!r} is not"
        )
    counters = [column.column for column in fitted.encoder.state.numeric if column.counter]
    if counters:
        raise ModelError(
            "a model of time series with a counter cannot be exported: "
            f"{counters[0]!r} is learned by its growth"
        )


def window_graph(fitted: FittedModel, series: SeriesParts) -> tuple[dict[str, Array], dict[str, Array]]:
    """The inputs and outputs of the graph by name: a window [steps, columns] in float64, its score [1].

    With the window come as many steps to either side as its score may depend on.
    """
    steps, width = series.state.window + 2 * margin_of(fitted), len(fitted.encoder.state.numeric)
    window = ndonnx.argument(shape=(steps, width), dtype=ndonnx.float64)
    inputs = {WINDOW: window}
    if series.state.scaled_apart:
        inputs |= {name: ndonnx.argument(shape=(width,), dtype=ndonnx.float64) for name in (CENTER, SPREAD)}
        center, spread = inputs[CENTER], inputs[SPREAD]
    elif series.scales is not None:
        center, spread = (
            constant(each[0, :width]) for each in (series.scales.centers, series.scales.spreads)
        )
    else:
        center, spread = constant(np.zeros(width)), constant(np.ones(width))
    standardised = (window - constant(fitted.encoder.mean)) / constant(fitted.encoder.deviation)
    limited = ndonnx.where(standardised > _LARGEST, _LARGEST, standardised)
    limited = ndonnx.where(limited < -_LARGEST, -_LARGEST, limited)
    scaled = ndonnx.astype((limited - center) / spread, ndonnx.float32)
    channels = _log_compressed(scaled)
    constants = len(fitted.encoder.state.constant)
    if constants:
        unchanged = constant(np.zeros((steps, constants), dtype=np.float32))
        channels = ndonnx.concat([channels, unchanged], axis=1)
    return inputs, {"anomaly_score": _score(fitted, channels, series.state.window, width + constants)}


def margin_of(fitted: FittedModel) -> int:
    """How many steps to either side of a window its score may depend on."""
    return max(int(model.margin) for model in fitted.members)


def _score(fitted: FittedModel, channels: Array, steps: int, width: int) -> Array:
    total: Array = 0.0
    margin = margin_of(fitted)
    for member in fitted.members:
        arrays = as_constants(member.arrays.values)
        model: WindowEvaluation = series_evaluation_of(
            WindowLayout(steps, width), fitted.config.model, arrays
        )
        seen = channels if model.takes_missing else held(channels)
        total = total + ndonnx.astype(model.sliding_scores(seen, margin, margin), ndonnx.float64)
    window = channels[margin : margin + steps, :]
    known = ndonnx.sum(ndonnx.astype(~ndonnx.isnan(window), ndonnx.int64))
    score = total / (len(fitted.members) * float(fitted.scale))
    return ndonnx.where(2 * known >= steps * width, score, np.nan)


def _log_compressed(values: Array) -> Array:
    """As `data.series.channels.log_compressed`."""
    size = ndonnx.abs(values)
    far = ndonnx.sign(values) * LINEAR * (1 + ndonnx.log(ndonnx.where(size > LINEAR, size, LINEAR) / LINEAR))
    return ndonnx.where(size > LINEAR, far, values)


def described_window(fitted: FittedModel, series: SeriesParts) -> list[dict[str, Any]]:
    """The inputs, for metadata and JSON."""
    names = [column.column for column in fitted.encoder.state.numeric]
    steps, margin = series.state.window, margin_of(fitted)
    described: list[dict[str, Any]] = [
        {
            "name": WINDOW,
            "type": "double",
            "shape": [steps + 2 * margin, len(names)],
            "columns": names,
            "step_seconds": series.state.step,
            "steps_before_and_after": margin,
            "meaning": "a row for each step, in the units of training; NaN where missing",
        }
    ]
    if series.state.scaled_apart and series.scales is not None:
        for name, values in ((CENTER, series.scales.centers), (SPREAD, series.scales.spreads)):
            of_series = {
                ", ".join(map(str, key)): row[: len(names)].tolist()
                for key, row in zip(series.scales.names, values, strict=True)
            }
            meaning = "of the series, after the scaling of all; those learned are in of_series"
            described.append(
                {
                    "name": name,
                    "type": "double",
                    "shape": [len(names)],
                    "columns": names,
                    "meaning": meaning,
                    "of_series": of_series,
                }
            )
    return described
