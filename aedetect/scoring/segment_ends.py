"""What windows say of the steps near the ends of a segment, where all may hold what is odd."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.models.base import WindowAutoencoder
from aedetect.models.ensemble import window_scores
from aedetect.scoring.row_scores import least_over_rows


def least_at_ends(
    models: Sequence[WindowAutoencoder], segment: Matrix, window: int, odd: Mask, device: torch.device
) -> Floats:
    """The least score [steps] of windows at the ends of a segment [steps, channels]; NaN far from them.

    Windows may reach beyond the ends where half of them is known. Those that contain `odd` steps [steps] are
    judged without these as well, which says nothing of the odd ones. Call it within
    `models.ensemble.single_threaded`.
    """
    unknown = np.full((window // 2, segment.shape[1]), np.nan, dtype=segment.dtype)
    near = slice(0, 2 * window), slice(max(len(segment) - 2 * window, 0), len(segment))
    least = np.full(len(segment), np.nan)

    def take(steps: Matrix, unless: Mask) -> None:
        first, last = (steps[part] for part in near)
        scores = [window_scores(models, np.r_[unknown, first], window, device)]
        scores.append(window_scores(models, np.r_[last, unknown], window, device))
        begin = least_over_rows(scores[0], window, False)[len(unknown) :][:window]
        end = least_over_rows(scores[1], window, False)[: len(last)][-window:]
        for part, of_part in ((slice(0, window), begin), (slice(-window, None), end)):
            least[part] = np.fmin(least[part], np.where(unless[part], np.nan, of_part))

    take(segment, np.zeros(len(segment), dtype=np.bool_))
    if any(odd[part].any() for part in near):
        take(np.where(odd[:, None], np.nan, segment), odd)
    return least
