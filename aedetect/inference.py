"""From encoded rows to errors: the members of a model applied to fixed-size blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from aedetect.models.base import Autoencoder

# Matrix products round differently for different numbers of rows. In blocks of one size, the
# last one padded, a row's errors do not depend on how the input was cut.
BLOCK_ROWS = 1024

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def member_errors(model: Autoencoder, matrix: Matrix, device: torch.device) -> Matrix:
    """Reconstruction errors of one model; [rows, features] → [rows, features], float32."""
    rows = len(matrix)
    errors = np.empty_like(matrix)
    model.eval()
    with torch.inference_mode():
        for start in range(0, rows, BLOCK_ROWS):
            block = matrix[start : start + BLOCK_ROWS]
            filled = len(block)
            if filled < BLOCK_ROWS:
                padded = np.zeros((BLOCK_ROWS, matrix.shape[1]), dtype=np.float32)
                padded[:filled] = block
                block = padded
            found = model.errors(torch.from_numpy(np.ascontiguousarray(block)).to(device))
            errors[start : start + filled] = found[:filled].float().cpu().numpy()
    return errors


def mean_errors(models: Sequence[Autoencoder], matrix: Matrix, device: torch.device) -> Matrix:
    """Errors averaged over the members, each relative to its own held-out rows."""
    total = member_errors(models[0], matrix, device)
    for model in models[1:]:
        total += member_errors(model, matrix, device)
    return total / np.float32(len(models))
