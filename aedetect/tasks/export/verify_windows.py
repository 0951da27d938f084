"""The exported graph of a model of time series beside the product, on windows of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Mask, Matrix
from aedetect.data.series.channels import Channels, filled_forward
from aedetect.data.series.entities import Name
from aedetect.data.series.row_store import RowStore
from aedetect.data.series.scaling import series_scales
from aedetect.data.series.segments import segment_values
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.models.ensemble import window_scores
from aedetect.models.threads import single_threaded
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.one_series import OneSeries, grid_of, prepared
from aedetect.scoring.series_reader import SeriesReader
from aedetect.tasks.export.verify import runtime_name, session_of
from aedetect.tasks.export.window_graph import CENTER, SPREAD, WINDOW, margin_of

if TYPE_CHECKING:
    import onnxruntime
    from onnx import ModelProto

# A graph takes one window at a time; of more than so many some are compared, evenly spread.
MOST_WINDOWS = 2000
# Scores may differ by this share of their size, or of the usual one where they are smaller.
NEAR = 1e-3


@dataclass(frozen=True)
class WindowVerification:
    """How the graph of a model of time series compares with the product.

    `windows` of `in_all` were compared. `left_out`: those of which the product knows more than the graph: in
    which a watched constant has changed, or which begin with a missing cell, where the last known one before
    counts. `score_difference`: the largest, in the product's.
    """

    runtime: str
    windows: int = 0
    in_all: int = 0
    left_out: int = 0
    score_difference: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For metadata and JSON."""
        return {
            "runtime": self.runtime,
            "windows": self.windows,
            "windows_in_all": self.in_all,
            "left_out": self.left_out,
            "largest_relative_difference": {"score": self.score_difference},
        }


@dataclass(frozen=True)
class _Stretch:
    """A segment as the graph and as the product take it.

    `given` [steps, columns]: in the units of training; `center`, `spread` [columns]: of its series;
    `channels` [steps, channels].
    """

    given: Floats
    center: Floats
    spread: Floats
    channels: Matrix


def verified_windows(
    fitted: FittedModel, series: SeriesParts, model: ModelProto, sources: Sequence[Input]
) -> WindowVerification:
    """The graph beside the product on windows of `sources`, which are read as series that run on.

    Raises ModelError where scores differ by more than rounding, and DataError for rows that cannot be read
    or make no window.
    """
    window, margin, session = series.state.window, margin_of(fitted), session_of(model)
    expected, graph = [np.empty(0)], [np.empty(0)]
    in_all = left_out = 0
    with RowStore(Channels.of(fitted.encoder).width) as store, single_threaded(fitted.device):
        reader = SeriesReader(fitted, series)
        reader.gather(sources, (), store)
        for source in sources:
            failure = reader.taken[id(source)].failure
            if failure is not None:
                raise failure
        stride = -(-len(store) // MOST_WINDOWS)
        for stretch in _stretches(fitted, series, reader.entities.names, store, sources):
            starts = np.arange(margin, len(stretch.given) - window - margin + 1)
            usable = _all_in_graph(fitted, stretch.channels, starts, window, margin)
            # Of all windows, one after the other, every so manyth one.
            chosen = starts[usable & ((in_all + np.arange(len(starts))) % stride == 0)]
            in_all, left_out = in_all + len(starts), left_out + int((~usable).sum())
            if len(chosen):
                scores = window_scores(fitted.members, stretch.channels, window, fitted.device)
                expected.append(scores[chosen] / float(fitted.scale))
                graph.append(_in_runtime(session, stretch, chosen - margin, window + 2 * margin))
    return _compared(np.concatenate(expected), np.concatenate(graph), sources[0], (in_all, left_out), window)


def _compared(
    scores: Floats, others: Floats, source: Input, counts: tuple[int, int], window: int
) -> WindowVerification:
    in_all, left_out = counts
    if not len(scores):
        raise DataError(
            f"{source.name}: no series has a stretch of {window} steps, a window, that can be compared; "
            "verify with more rows"
        )
    unlike = np.isnan(scores) != np.isnan(others)
    known = ~(np.isnan(scores) | np.isnan(others))
    difference = np.zeros(len(scores))
    if known.any():
        size = np.maximum(np.abs(scores[known]), np.median(np.abs(scores[known])))
        tiny = np.finfo(np.float64).tiny
        difference[known] = np.abs(others[known] - scores[known]) / np.maximum(size, tiny)
    different = int((unlike | (difference > NEAR)).sum())
    if different:
        raise ModelError(
            f"{different:,} of {len(scores):,} windows score otherwise in the exported file than in the "
            "product; nothing was written"
        )
    return WindowVerification(runtime_name(), len(scores), in_all, left_out, float(difference.max()))


def _stretches(
    fitted: FittedModel, series: SeriesParts, names: Sequence[Name], store: RowStore, sources: Sequence[Input]
) -> Iterator[_Stretch]:
    numbers, scales, beginning = _numbers(fitted, sources), series.scales, series.state.beginning
    width = numbers.shape[1]
    holds = None if series.state.apart is None else np.asarray(series.state.apart, dtype=np.int64)[:width]
    for one in prepared(fitted, series, names, store, grid_of(series, store)):
        name = names[one.number]
        if one.gross.any() and scales is not None and scales.apart and name not in scales.places:
            # What is set aside of a new series changes its scale.
            continue
        centers, spreads = series_scales(one.rows, [name], scales, beginning)
        center, spread = (np.asarray(each[0, :width], dtype=np.float64) for each in (centers, spreads))
        origin = fitted.encoder.mean + center * fitted.encoder.deviation
        for given, channels in zip(_given(one, numbers), one.read_channels, strict=True):
            # At the start of a series what is missing counts as usual, in older models.
            filled = filled_forward(given - origin, holds) + origin
            yield _Stretch(filled, center, spread, channels)


def _given(one: OneSeries, numbers: Floats) -> Iterator[AnyArray]:
    """The numbers [steps, columns] of each segment, a step a slot, as they were read."""
    return segment_values(replace(one.rows, values=numbers[one.places]), one.timeline)


def _numbers(fitted: FittedModel, sources: Sequence[Input]) -> Floats:
    """The numbers [rows, columns] of all rows, one input after the other, in the units of training."""
    size = batch_rows(fitted.config, len(fitted.encoder.owners))
    parts = [np.empty((0, len(fitted.encoder.state.numeric)))]
    for source in sources:
        parts += [
            fitted.encoder.transform(rows).numbers for rows in fitted.as_read(source).open(size).batches()
        ]
    return np.concatenate(parts)


def _all_in_graph(fitted: FittedModel, channels: Matrix, starts: AnyArray, window: int, margin: int) -> Mask:
    """Which windows [starts], with what is beside them, hold all that the product knows of them."""
    constants = channels[:, len(fitted.encoder.state.numeric) :]
    changed = np.concatenate([[0], np.cumsum((constants != 0).any(axis=1))])
    unchanged = np.asarray(changed[starts + window + margin] == changed[starts - margin])
    if all(model.takes_missing for model in fitted.members):
        return unchanged
    return np.asarray(unchanged & ~np.isnan(channels[starts - margin]).any(axis=1))


def _in_runtime(
    session: onnxruntime.InferenceSession, stretch: _Stretch, starts: AnyArray, steps: int
) -> Floats:
    taken = {each.name for each in session.get_inputs()}
    beside = {CENTER: stretch.center, SPREAD: stretch.spread}
    beside = {name: values for name, values in beside.items() if name in taken}
    return np.array(
        [
            session.run(None, {WINDOW: stretch.given[start : start + steps], **beside})[0][0]
            for start in starts.tolist()
        ]
    )
