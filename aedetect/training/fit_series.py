"""Fitting a model of time series: what `aedetect train --time` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise

import numpy as np
import torch

from aedetect._version import __version__
from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features import Encoded
from aedetect.data.reference import Sketch
from aedetect.data.series.buffer import Gatherer, Rows
from aedetect.data.series.entities import Entities
from aedetect.data.series.scaling import Scales, SeriesState, standardized_segments
from aedetect.data.series.segments import Timeline, find_interval, repeated_instants
from aedetect.data.series.timestamps import find_clock, instant
from aedetect.data.series.window_length import USUAL_WINDOW, period, whole_periods, window_steps
from aedetect.engine.callbacks import Monitor
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.models.ensemble import single_threaded, window_scores
from aedetect.models.registry import build_series
from aedetect.models.window_base import SeriesAutoencoder, WindowLayout
from aedetect.scoring.fitted import Fitted, SeriesParts
from aedetect.scoring.manifest import TrainingRecord, TrainingSummary
from aedetect.scoring.row_scores import peaks_of, row_scores
from aedetect.training.device import pick_device
from aedetect.training.feed import WindowFeed
from aedetect.training.fit_table import member_seed, presumed_normal
from aedetect.training.loop import Hooks, seeded, train
from aedetect.training.split import unreadable_cell
from aedetect.training.survey import Chunk, Survey, chunks, survey

# Long series: so many stretches, spread evenly, calibrate with this share of the rows, at most so many rows.
_CALIBRATION_SHARE, _BLOCKS, _MOST_CALIBRATION = 0.2, 10, 100_000
# Windows that reach into what was learned are known in part. A stretch is judged by windows inside it
# alone, or, where it is shorter than so many, by those at least half inside.
_BARE = 1.5
# Shorter ones, in windows, are folded: rows of a window are strange together, so that a threshold on few
# windows keeps no promise. What takes long to train is folded where there is no other way.
_FOLDED_WINDOWS, _FOLDED_IF_TRAINED = 250, 50
_MOST_HELD_OUT = 256
# A stretch of the training rows that scores so many times the median looks anomalous itself.
_OUTSTANDING = 4.0


@dataclass(frozen=True)
class _Prepared:
    """Training stretches end to end: [steps, channels], and where each begins."""

    steps: Matrix
    starts: Integers
    lengths: Integers
    window: int

    def window_starts(self, without: Mask | None = None) -> Integers:
        """Places of all windows that contain no step marked in `without` [steps]."""
        places = [
            np.arange(start, start + length - self.window + 1)
            for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
            if length >= self.window
        ]
        found = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        if without is None or not len(found):
            return found
        marked = np.r_[0, np.cumsum(without)]
        return np.asarray(found[marked[found + self.window] == marked[found]])


def fit_series(inputs: Sequence[Input], config: Config, monitor: Monitor) -> Fitted:
    """Fit a model on the series in `inputs`. Raises DataError or UsageError for what the user can repair."""
    started, clock = datetime.now(UTC), time.monotonic()
    device = pick_device(config.training.device)
    monitor.stage("reading")
    found = survey(inputs, config)
    monitor.columns(found.schema)
    for text in found.notices:
        monitor.notice(text)
    gatherer, sketch = _gathered(inputs, found, config)
    rows, names = gatherer.rows(), gatherer.entities.names
    interval = find_interval(rows.seconds, rows.series)
    timeline = Timeline.of(rows.seconds, rows.series, interval.gap)
    _note(rows, timeline, interval.step, found, monitor)
    scales = Scales.fit(rows, names, gatherer.channels.measured)
    own = standardized_segments(rows, timeline, names, scales, USUAL_WINDOW)
    beginning = whole_periods(USUAL_WINDOW, period(own))
    own = standardized_segments(rows, timeline, names, scales, beginning)
    window = window_steps(config.series.window, interval.step, own)
    prepared = _prepared(own, window, inputs[0].name)
    monitor.stage("training")
    deadline = clock + config.training.max_time if config.training.max_time else None
    fitting = _Fitting(prepared, config, device, monitor, deadline)
    members, records, held_out = fitting.run()
    raw = np.concatenate([scores for scores in held_out if len(scores)])
    raw = presumed_normal(raw, config.training.contamination)
    if not config.training.contamination:
        _warn_of_strangest(fitting.held_out, float(np.median(raw)), window, rows, timeline, names, monitor)
    state = SeriesState(
        clock=gatherer.clock,
        entity=gatherer.entities.columns,
        step=interval.step,
        gap=interval.gap,
        window=window,
        beginning=beginning,
        scaled_apart=scales is not None,
        names=scales.names if scales else (),
    )
    peaks = np.concatenate([peaks_of(scores, window) for scores in held_out if len(scores)])
    summary = TrainingSummary(
        inputs=tuple(source.name for source in inputs),
        rows=len(rows),
        rows_left_out={"labelled": found.labelled},
        calibration=fitting.calibration,
        members=tuple(records),
        device=str(device),
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        versions={"aedetect": __version__, "torch": torch.__version__, "numpy": np.__version__},
    )
    nothing = np.empty((0, found.encoder.layout.width), dtype=np.float32)
    parts = SeriesParts(state, scales, peaks)
    return Fitted(found.schema, found.encoder, members, raw, summary, device, nothing, parts, sketch=sketch)


def _gathered(inputs: Sequence[Input], found: Survey, config: Config) -> tuple[Gatherer, Sketch]:
    settings, sketch = config.series, Sketch.empty(found.encoder)
    assert settings.time is not None
    gatherer: Gatherer | None = None
    for chunk in chunks(inputs, config):
        if not len(chunk.batch):
            continue
        if gatherer is None:
            array = chunk.batch.column(settings.time)
            clock = find_clock(
                settings.time,
                array,
                found.schema.rules,
                settings.time_format,
                settings.time_zone,
                chunk.locate,
            )
            gatherer = Gatherer(clock, Entities(settings.entity), found.encoder)
        encoded = take(gatherer, chunk)
        sketch.update(encoded.matrix, encoded.changed_constants)
    assert gatherer is not None
    return gatherer, sketch


def take(gatherer: Gatherer, chunk: Chunk) -> Encoded:
    """Keep rows to learn from, or to calibrate with; the encoded rows.

    Raises DataError for a cell that cannot be read and a row without a time.
    """
    encoded, times = gatherer.take(chunk.batch, chunk.locate)
    for column, fault in encoded.unreadable.items():
        raise DataError(unreadable_cell(chunk, column, fault.first_row, gatherer.encoder))
    if np.isnan(times.seconds).any():
        index, name = int(np.isnan(times.seconds).argmax()), gatherer.clock.column
        value = chunk.batch.column(name)[index].as_py()
        what = (
            f"{str(value)[:40]!r} is no timestamp as the others are" if times.bad[index] else "no timestamp"
        )
        raise DataError(f"{chunk.locate(index)}, column {name!r}: {what}; repair or remove the row")
    return encoded


def _note(rows: Rows, timeline: Timeline, step: float, found: Survey, monitor: Monitor) -> None:
    repeated = repeated_instants(rows.seconds, timeline)
    if repeated:
        monitor.notice(f"{repeated:,} row{'s' * (repeated != 1)} repeat the timestamp of another row")
    gaps = int((~timeline.first).sum())
    if gaps:
        monitor.notice(
            f"{gaps:,} gap{'s' * (gaps != 1)} in the series, whose steps are {_duration(step)}; "
            "no window spans one"
        )
    if found.labelled:
        monitor.notice(f"left out of training: {found.labelled:,} rows labelled as anomalies")


def _warn_of_strangest(
    scores: Floats,
    usual: float,
    window: int,
    rows: Rows,
    timeline: Timeline,
    names: list[tuple[str, ...]],
    monitor: Monitor,
) -> None:
    """Say where the training rows look anomalous themselves; `scores` [steps] of those held out."""
    peak = int(scores.argmax())
    times = float(scores[peak]) / max(usual, 1e-12)
    if times < _OUTSTANDING:
        return
    calm = np.flatnonzero(scores < scores[peak] / 2)
    before, after = calm[calm < peak], calm[calm > peak]
    # What is odd lies within half a window of the rows that score high.
    own = np.flatnonzero(rows.series[timeline.order] == rows.series[timeline.order[peak]])
    first = max(int(before[-1]) + 1 - window // 2 if len(before) else 0, int(own[0]))
    last = min(int(after[0]) - 1 + window // 2 if len(after) else len(scores) - 1, int(own[-1]))
    start, end = rows.seconds[timeline.order[[first, last]]].tolist()
    name = " ".join(names[rows.series[timeline.order[peak]]])
    monitor.notice(
        f"rows {f'of {name} ' if name else ''}somewhere from {instant(start)} to {instant(end)} look "
        f"anomalous themselves: scores there are up to {times:.1f} times the usual; if they are, leave them "
        "out or mark them (--label), and fainter anomalies will be found"
    )


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _prepared(own: list[Matrix], window: int, name: str) -> _Prepared:
    lengths = np.array([len(stretch) for stretch in own], dtype=np.int64)
    longest = int(lengths.max(initial=0))
    if longest < window:
        raise DataError(
            f"{name}: the longest segment without a gap has {longest:,} rows, and a window {window:,}; "
            "give more rows or a shorter --window"
        )
    prepared = _Prepared(np.concatenate(own), np.r_[0, np.cumsum(lengths[:-1])], lengths, window)
    if len(prepared.window_starts()) < 2:
        raise DataError(f"{name}: only one window of {window:,} rows; give more rows or a shorter --window")
    return prepared


class _Fitting:
    """One run: which steps calibrate which member, and the members.

    Short series are folded: each fold, one stretch of time, is judged by a model of the others
    (cross-conformal; Vovk, 2015). A model without weights to train is then made anew from all
    windows; those with weights are kept, one a fold, and their scores averaged.
    """

    def __init__(
        self, data: _Prepared, config: Config, device: torch.device, monitor: Monitor, deadline: float | None
    ):
        self.data = data
        self.config = config
        self.device = device
        self.monitor = monitor
        self.deadline = deadline
        self.records: list[TrainingRecord] = []
        # The score of each step by a model that did not learn it; 0 where there is none.
        self.held_out = np.zeros(len(data.steps))
        total = len(data.steps)
        layout = WindowLayout(data.window, data.steps.shape[1])
        with seeded(config.training.seed, device):
            trained = any(True for _ in build_series(layout, config.model).parameters())
        self.folded = total < (_FOLDED_IF_TRAINED if trained else _FOLDED_WINDOWS) * data.window
        self.calibration = "cross-conformal" if self.folded else "split-conformal"

    def run(self) -> tuple[list[SeriesAutoencoder], list[TrainingRecord], list[Floats]]:
        """Members, their records, and the scores of calibration rows, a list a stretch of them."""
        parts = self._parts()
        members, held_out = [], []
        with single_threaded(self.device):
            for index, marked in enumerate(parts):
                learned = self.data.window_starts(marked)
                if len(learned) < 2:
                    continue
                model = self._member(learned, marked, index, len(parts))
                held_out += self._scores(model, marked)
                members.append(model)
            if not members:
                raise DataError(
                    f"too few rows for a window of {self.data.window:,} and others to judge it by; "
                    "give more rows or a shorter --window"
                )
            if self.folded and not any(True for _ in members[0].parameters()):
                self.records.clear()
                everything = np.zeros(len(self.data.steps), dtype=np.bool_)
                whole = self._member(self.data.window_starts(), everything, len(parts), len(parts))
                whole.settle(members)
                members = [whole]
        return members, self.records, held_out

    def _parts(self) -> list[Mask]:
        """The steps that calibrate each member; [steps] each."""
        total = len(self.data.steps)
        if self.folded:
            bounds = np.linspace(0, total, self.config.training.folds + 1).round().astype(int)
            return [_marked(total, [pair]) for pair in pairwise(bounds.tolist())]
        share = min(_CALIBRATION_SHARE, _MOST_CALIBRATION / total)
        length = max(int(share * total) // _BLOCKS, 3 * self.data.window)
        count = max(1, int(share * total) // length)
        ends = (np.arange(1, count + 1) * total) // count
        return [_marked(total, [(end - length, end) for end in ends.tolist()])]

    def _member(self, learned: Integers, marked: Mask, index: int, count: int) -> SeriesAutoencoder:
        data, settings = self.data, self.config.training
        layout = WindowLayout(data.window, data.steps.shape[1])
        seed = member_seed(settings.seed, index)
        feed = WindowFeed(data.steps, learned, data.window, settings.batch_size, seed, self.device)
        judged = np.flatnonzero(marked[data.window_starts() + data.window // 2])
        chosen = data.window_starts()[judged] if len(judged) else learned
        places = np.linspace(0, len(chosen) - 1, min(_MOST_HELD_OUT, len(chosen))).round().astype(int)
        held_out = feed.windows(torch.from_numpy(chosen[places]))
        with seeded(seed, self.device):
            model = build_series(layout, self.config.model).to(self.device)
            hooks = Hooks(partial(self.monitor.training, min(index, count - 1), count))
            self.records.append(
                train(model, feed, held_out, settings, hooks, seed=seed, deadline=self.deadline)
            )
        return model.eval()

    def _scores(self, model: SeriesAutoencoder, marked: Mask) -> list[Floats]:
        """Scores of the marked steps, from windows that hold little or nothing learned; a list a stretch."""
        found = []
        settings, window = self.config.series, self.data.window
        for start, length in zip(self.data.starts.tolist(), self.data.lengths.tolist(), strict=True):
            here = marked[start : start + length]
            if length < window or not here.any():
                continue
            edges = np.flatnonzero(np.diff(np.r_[False, here, False]))
            for first, last in edges.reshape(-1, 2).tolist():
                reach = 0 if last - first >= _BARE * window else window // 2
                low, high = max(first - reach, 0), min(last + reach, length)
                if high - low < window:
                    continue
                raw = window_scores([model], self.data.steps[start + low : start + high], window, self.device)
                scores = row_scores(raw, window, settings.causal, settings.smoothing)
                mine = scores[first - low : last - low]
                self.held_out[start + first : start + last] = np.nan_to_num(mine)
                found.append(mine[~np.isnan(mine)])
        return found


def _marked(total: int, spans: Sequence[tuple[int, int]]) -> Mask:
    marked = np.zeros(total, dtype=np.bool_)
    for start, end in spans:
        marked[start:end] = True
    return marked
