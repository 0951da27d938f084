"""From encoded rows to errors: the members of a model applied to fixed-size blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from aedetect.models.base import Autoencoder

# Matrix products round differently for different numbers of rows and of threads. In blocks of
# one size, the last one padded, each computed by one thread, a row's errors depend on neither
# how the input was cut nor how many cores there are.
BLOCK_ROWS = 1024

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def mean_errors(models: Sequence[Autoencoder], matrix: Matrix, device: torch.device) -> Matrix:
    """Errors averaged over the members, each relative to its own held-out rows.

    Shape: [rows, features] → [rows, features], float32.
    """
    errors = np.empty_like(matrix)
    starts = range(0, len(matrix), BLOCK_ROWS)

    def work(start: int) -> None:
        block = matrix[start : start + BLOCK_ROWS]
        errors[start : start + BLOCK_ROWS] = _block_errors(models, block, device)

    workers = torch.get_num_threads() if device.type == "cpu" else 1
    with single_threaded(device):
        if workers == 1 or len(starts) == 1:
            for start in starts:
                work(start)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, starts))
    return errors


def member_errors(model: Autoencoder, matrix: Matrix, device: torch.device) -> Matrix:
    """Reconstruction errors of one model; [rows, features] → [rows, features], float32."""
    return mean_errors([model], matrix, device)


@contextmanager
def single_threaded(device: torch.device) -> Iterator[None]:
    """On a CPU, torch's own threads set to one: for small matrices they cost more than they bring."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _block_errors(models: Sequence[Autoencoder], block: Matrix, device: torch.device) -> Matrix:
    filled = len(block)
    if filled < BLOCK_ROWS:
        padded = np.zeros((BLOCK_ROWS, block.shape[1]), dtype=np.float32)
        padded[:filled] = block
        block = padded
    # Inference mode belongs to a thread: each worker enters it for itself.
    with torch.inference_mode():
        rows = torch.from_numpy(np.ascontiguousarray(block)).to(device)
        total = torch.zeros_like(rows)
        for model in models:
            total += model.errors(rows).float()
        errors: Matrix = (total / len(models))[:filled].cpu().numpy()
    return errors
