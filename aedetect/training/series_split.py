"""Training segments of time series, and which of their steps calibrate which member."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.series.channels import interpolated
from aedetect.errors import DataError
from aedetect.models.ensemble import mostly_known

# Long series: so many spans, spread evenly, calibrate with this share of the rows, at most so many rows.
_CALIBRATION_SHARE, _BLOCKS, _MOST_CALIBRATION = 0.2, 10, 100_000
# Shorter ones, in windows, are folded: rows of a window are strange together, so that a threshold on few
# windows keeps no promise. What takes long to train is folded where there is no other way.
_FOLDED_WINDOWS, _FOLDED_IF_TRAINED = 250, 50
_MOST_VALIDATION = 256


@dataclass(frozen=True)
class TrainingSegments:
    """Segments of series, without gaps, end to end.

    `steps` [steps, channels] are those of all segments, NaN where missing, and `filled` the same with
    something in its place, which is `steps` itself where nothing is missing; `starts` and `lengths`
    [segments] say where each lies; `window` is the length of a window in steps.
    """

    steps: Matrix
    filled: Matrix
    starts: Integers
    lengths: Integers
    window: int

    @classmethod
    def of(cls, segments: Sequence[Matrix], window: int, name: str) -> TrainingSegments:
        """Of segments [steps, channels] each. Raises DataError, about input `name`, for too few rows."""
        lengths = np.array([len(segment) for segment in segments], dtype=np.int64)
        _check_longest(int(lengths.max(initial=0)), window, name)
        steps = np.concatenate(segments)
        filled = steps
        if np.isnan(steps).any():
            filled = np.concatenate([interpolated(part) for part in segments])
        whole_segments = cls(steps, filled, np.r_[0, np.cumsum(lengths[:-1])], lengths, window)
        return whole_segments.with_windows(window, name)

    def with_windows(self, window: int, name: str) -> TrainingSegments:
        """The same segments for windows of `window` steps. Raises DataError as `of` does."""
        _check_longest(int(self.lengths.max(initial=0)), window, name)
        segments = replace(self, window=window)
        if len(segments.window_starts()) < 2:
            raise DataError(
                f"{name}: only one window of {window:,} rows; give more rows or a shorter --window"
            )
        return segments

    @property
    def parts(self) -> list[Matrix]:
        """The segments [steps, channels], uncopied."""
        bounds = zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
        return [self.steps[start : start + length] for start, length in bounds]

    def window_starts(self, without: Mask | None = None) -> Integers:
        """Places in `steps` of the windows that contain no step marked in `without` [steps]; [windows].

        Those of which less than half is known are left out.
        """
        places = [
            np.arange(start, start + length - self.window + 1)
            for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
            if length >= self.window
        ]
        starts: Integers = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        starts = starts[mostly_known(self.steps, self.window)[starts]]
        if without is None or not len(starts):
            return starts
        marked = np.r_[0, np.cumsum(without)]
        return np.asarray(starts[marked[starts + self.window] == marked[starts]])

    def fingerprint(self) -> str:
        """A digest of all there is to learn from."""
        digest = hashlib.sha256(f"{self.window} {self.steps.shape} {self.lengths.tolist()}".encode())
        digest.update(np.ascontiguousarray(self.steps).data)
        return digest.hexdigest()


def _check_longest(longest: int, window: int, name: str) -> None:
    """Raises DataError where no segment is as long as a window."""
    if longest < window:
        raise DataError(
            f"{name}: the longest segment without a gap has {longest:,} steps, and a window {window:,}; "
            "give more rows or a shorter --window"
        )


@dataclass(frozen=True)
class TimeSplit:
    """What one network learns from, is validated with, and is calibrated with.

    `index` is its place among all splits, `learned` and `validation` are places of windows
    [windows], and `calibration` marks steps [steps].
    """

    index: int
    learned: Integers
    validation: Integers
    calibration: Mask

    @classmethod
    def of(cls, segments: TrainingSegments, calibration: Mask, index: int) -> TimeSplit:
        """Windows without any step of the calibration set are learned.

        At most so many of those with their middle in it validate; without such, learned ones.
        """
        learned, starts = segments.window_starts(calibration), segments.window_starts()
        inside = starts[calibration[starts + segments.window // 2]]
        chosen = inside if len(inside) else learned
        places = np.linspace(0, len(chosen) - 1, min(_MOST_VALIDATION, len(chosen))).round().astype(int)
        return cls(index, learned, chosen[places], calibration)


def is_folded(segments: TrainingSegments, trained: bool) -> bool:
    """Whether series are so short that each fold of time is scored by a model of the others.

    `trained`: the model has weights, and takes long to train.
    """
    return len(segments.steps) < (_FOLDED_IF_TRAINED if trained else _FOLDED_WINDOWS) * segments.window


def time_splits(segments: TrainingSegments, folds: int) -> list[TimeSplit]:
    """Cross-conformal folds, each one span of time (Vovk, 2015); those that leave nothing to learn are not.

    Raises DataError where none is left.
    """
    total = len(segments.steps)
    bounds = np.linspace(0, total, folds + 1).round().astype(int)
    return _usable(segments, [_marked(total, [pair]) for pair in pairwise(bounds.tolist())])


def single_time_split(segments: TrainingSegments) -> list[TimeSplit]:
    """One network, calibrated on spans spread evenly. Raises DataError where they leave nothing to learn."""
    total = len(segments.steps)
    share = min(_CALIBRATION_SHARE, _MOST_CALIBRATION / total)
    length = max(int(share * total) // _BLOCKS, 3 * segments.window)
    count = max(1, int(share * total) // length)
    ends = (np.arange(1, count + 1) * total) // count
    return _usable(segments, [_marked(total, [(end - length, end) for end in ends.tolist()])])


def whole(segments: TrainingSegments, index: int) -> TimeSplit:
    """Split `index`, of which all windows are learned and none calibrates."""
    return TimeSplit.of(segments, _marked(len(segments.steps), []), index)


def _usable(segments: TrainingSegments, calibration: Sequence[Mask]) -> list[TimeSplit]:
    splits = [TimeSplit.of(segments, marked, index) for index, marked in enumerate(calibration)]
    usable = [split for split in splits if len(split.learned) >= 2]
    if not usable:
        raise too_few_windows(segments.window)
    return usable


def too_few_windows(window: int) -> DataError:
    return DataError(
        f"too few rows for a window of {window:,} and others to judge it by; "
        "give more rows or a shorter --window"
    )


def _marked(total: int, spans: Sequence[tuple[int, int]]) -> Mask:
    marked = np.zeros(total, dtype=np.bool_)
    for start, end in spans:
        marked[start:end] = True
    return marked
