"""From encoded rows to errors: the members of a model applied to fixed-size blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.models.device import CPU, by_room, on_device, on_host
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.base import RowEvaluation, WindowEvaluation
from aedetect.models.evaluation.kernels import namespace, padded
from aedetect.models.evaluation.missing import held


def mean_errors(
    models: Sequence[RowEvaluation], matrix: Matrix, device: str, as_unlearned: bool = False
) -> Matrix:
    """Errors averaged over the members, each relative to its own validation rows.

    With `as_unlearned`, rows that were learned are judged as if they had not been.

    Shape: [rows, features] → [rows, features], float32. Call it within `threads.single_threaded`.
    """

    def mean(rows: Array) -> Array:
        each = [model.errors_as_unlearned(rows) if as_unlearned else model.errors(rows) for model in models]
        return each[0] if len(each) == 1 else sum(each[1:], each[0]) / len(each)

    return in_blocks(mean, matrix, device)


def member_errors(model: RowEvaluation, matrix: Matrix, device: str) -> Matrix:
    """Reconstruction errors of one model; [rows, features] → [rows, features], float32."""
    return mean_errors([model], matrix, device)


def window_scores(models: Sequence[WindowEvaluation], segment: Matrix, window: int, device: str) -> Floats:
    """The score of each window of a segment [steps, channels], averaged over the members; [windows].

    NaN for windows of which less than half is known. Call it within `threads.single_threaded`.
    """
    count = max(len(segment) - window + 1, 0)
    scores = np.where(mostly_known(segment, window), 0.0, np.nan)
    steps = on_device(np.ascontiguousarray(segment), device)
    if not all(model.takes_missing for model in models):
        steps = held(steps)

    def score(start: int, size: int) -> None:
        stop = min(start + size, count)
        total = np.zeros(stop - start)
        for model in models:
            left = min(model.margin, start)
            right = min(model.margin, len(steps) - (stop + window - 1))
            part = steps[start - left : stop + window - 1 + right]
            if not model.margin and not (model.rounds_alike and device == CPU):
                # Blocks of one size round alike, wherever a file begins or ends.
                part = padded(part, size + window - 1)
            total += on_host(model.sliding_scores(part, left, right)[: stop - start]).astype(np.float64)
        scores[start:stop] += total

    by_room(count, window * segment.shape[1], device, score)
    return scores / len(models)


def window_errors(models: Sequence[WindowEvaluation], windows: Matrix, device: str) -> Matrix:
    """Errors [windows, steps, channels] of windows of the same shape, averaged over the members."""
    batch = _given(models, windows, device)
    return _mean([model.errors(batch) for model in models])


def reconstructed_windows(models: Sequence[WindowEvaluation], windows: Matrix, device: str) -> Matrix:
    """What windows [windows, steps, channels] are rebuilt as, averaged over the members; the same shape."""
    batch = _given(models, windows, device)
    return _mean([model.reconstruct(batch) for model in models])


def mostly_known(segment: Matrix, window: int) -> Mask:
    """Which windows [windows] of a segment [steps, channels] have at least half of their cells."""
    cells = np.concatenate([[0], np.cumsum((~np.isnan(segment)).sum(axis=1))])
    count = max(len(segment) - window + 1, 0)
    return np.asarray(2 * (cells[window:][:count] - cells[:count]) >= window * segment.shape[1])


def _mean(each: Sequence[Array]) -> Matrix:
    xp = namespace(*each)
    return on_host(xp.mean(xp.stack(list(each), axis=0), axis=0))


def _given(models: Sequence[WindowEvaluation], windows: Matrix, device: str) -> Array:
    """Windows as the models take them: with what is missing, or something in its place."""
    batch = on_device(np.ascontiguousarray(windows), device)
    return batch if all(model.takes_missing for model in models) else held(batch)


def in_blocks(work: Callable[[Array], Array], matrix: Matrix, device: str) -> Matrix:
    """`work` applied to blocks of one size, the last one padded with zeros, so that a row's results
    do not depend on how the input was cut; [rows, columns] → [rows, what `work` gives].

    Blocks are numpy arrays on a CPU, tensors on a GPU.
    """
    outputs: list[Matrix] = []

    def compute(start: int, size: int) -> None:
        block = np.ascontiguousarray(matrix[start : start + size])
        outputs.append(on_host(work(on_device(padded(block, size), device))[: len(block)]))

    by_room(max(len(matrix), 1), matrix.shape[1], device, compute)
    return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)
