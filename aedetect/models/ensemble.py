"""From encoded rows to errors: the members of a model applied to fixed-size blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch.nn import functional

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.models.base import Autoencoder, WindowAutoencoder
from aedetect.models.evaluation.missing import held

# Matrix products round differently for different numbers of rows and of threads. In blocks of
# one size, the last one padded, each computed by one thread, a row's errors depend on neither
# how the input was cut nor how many cores there are.
BLOCK_ROWS = 1024


def mean_errors(
    models: Sequence[Autoencoder], matrix: Matrix, device: torch.device, as_unlearned: bool = False
) -> Matrix:
    """Errors averaged over the members, each relative to its own validation rows.

    With `as_unlearned`, rows that were learned are judged as if they had not been.

    Shape: [rows, features] → [rows, features], float32. Call it within `single_threaded`.
    """
    errors = np.empty_like(matrix)
    # Inference mode belongs to a thread, and this may be any.
    with torch.inference_mode():
        for start in range(0, len(matrix), BLOCK_ROWS):
            block = matrix[start : start + BLOCK_ROWS]
            errors[start : start + BLOCK_ROWS] = _block_errors(models, block, device, as_unlearned)
    return errors


def member_errors(model: Autoencoder, matrix: Matrix, device: torch.device) -> Matrix:
    """Reconstruction errors of one model; [rows, features] → [rows, features], float32."""
    return mean_errors([model], matrix, device)


def window_scores(
    models: Sequence[WindowAutoencoder], segment: Matrix, window: int, device: torch.device
) -> Floats:
    """The score of each window of a segment [steps, channels], averaged over the members; [windows].

    NaN for windows of which less than half is known. Call it within `single_threaded`.
    """
    count = max(len(segment) - window + 1, 0)
    scores = np.where(mostly_known(segment, window), 0.0, np.nan)
    with torch.inference_mode():
        steps = torch.from_numpy(np.ascontiguousarray(segment)).to(device)
        if not all(model.takes_missing for model in models):
            steps = held(steps)
        for start in range(0, count, BLOCK_ROWS):
            stop = min(start + BLOCK_ROWS, count)
            for model in models:
                left = min(model.margin, start)
                right = min(model.margin, len(steps) - (stop + window - 1))
                part = steps[start - left : stop + window - 1 + right]
                if not model.margin:
                    # Blocks of one size round alike, wherever a file begins or ends.
                    part = functional.pad(part, (0, 0, 0, BLOCK_ROWS - (stop - start)))
                block_scores = model.sliding_scores(part, left, right)[: stop - start]
                scores[start:stop] += block_scores.double().cpu().numpy()
    return scores / len(models)


def window_errors(models: Sequence[WindowAutoencoder], windows: Matrix, device: torch.device) -> Matrix:
    """Errors [windows, steps, channels] of windows of the same shape, averaged over the members."""
    with torch.inference_mode():
        batch = _given(models, windows, device)
        total = torch.stack([model.errors(batch).float() for model in models]).mean(dim=0)
    errors: Matrix = total.cpu().numpy()
    return errors


def reconstructed_windows(
    models: Sequence[WindowAutoencoder], windows: Matrix, device: torch.device
) -> Matrix:
    """What windows [windows, steps, channels] are rebuilt as, averaged over the members; the same shape."""
    with torch.inference_mode():
        batch = _given(models, windows, device)
        total = torch.stack([model.reconstruct(batch).float() for model in models]).mean(dim=0)
    reconstructed: Matrix = total.cpu().numpy()
    return reconstructed


def mostly_known(segment: Matrix, window: int) -> Mask:
    """Which windows [windows] of a segment [steps, channels] have at least half of their cells."""
    cells = np.concatenate([[0], np.cumsum((~np.isnan(segment)).sum(axis=1))])
    count = max(len(segment) - window + 1, 0)
    return np.asarray(2 * (cells[window:][:count] - cells[:count]) >= window * segment.shape[1])


def _given(models: Sequence[WindowAutoencoder], windows: Matrix, device: torch.device) -> torch.Tensor:
    """Windows as the models take them: with what is missing, or something in its place."""
    batch = torch.from_numpy(np.ascontiguousarray(windows)).to(device)
    return batch if all(model.takes_missing for model in models) else held(batch)


def in_blocks(work: Callable[[torch.Tensor], torch.Tensor], matrix: Matrix, device: torch.device) -> Matrix:
    """`work` applied to blocks of one size, the last one padded with zeros, so that a row's results
    do not depend on how the input was cut; [rows, columns] → [rows, what `work` gives]."""
    outputs = []
    with torch.inference_mode():
        for start in range(0, max(len(matrix), 1), BLOCK_ROWS):
            block = matrix[start : start + BLOCK_ROWS]
            padded = np.zeros((BLOCK_ROWS, matrix.shape[1]), dtype=np.float32)
            padded[: len(block)] = block
            outputs.append(work(torch.from_numpy(padded).to(device))[: len(block)].cpu().numpy())
    return np.concatenate(outputs)


@contextmanager
def single_threaded(device: torch.device) -> Iterator[int]:
    """On a CPU, torch's own threads set to one: for small matrices they cost more than they bring.

    Gives the number of threads there were, which the caller may put to better use.
    """
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def _block_errors(
    models: Sequence[Autoencoder], block: Matrix, device: torch.device, as_unlearned: bool
) -> Matrix:
    filled = len(block)
    if filled < BLOCK_ROWS:
        padded = np.zeros((BLOCK_ROWS, block.shape[1]), dtype=np.float32)
        padded[:filled] = block
        block = padded
    rows = torch.from_numpy(np.ascontiguousarray(block)).to(device)
    total = torch.zeros_like(rows)
    for model in models:
        total += (model.errors_as_unlearned(rows) if as_unlearned else model.errors(rows)).float()
    errors: Matrix = (total / len(models))[:filled].cpu().numpy()
    return errors
