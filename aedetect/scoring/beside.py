"""What else can be said of steps that stand beside odd ones, or near the ends of a segment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.series.order import runs
from aedetect.models.ensemble import window_scores
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.scoring.row_scores import least_over_rows


def least_beside(
    models: Sequence[WindowEvaluation], segment: Matrix, asked: Mask, odd: Mask, device: str
) -> Floats:
    """The least score [steps] of other windows than a segment [steps, channels] has; NaN where there is none.

    Those of the `asked` steps [steps] that reach beyond the segment's ends, as all within may hold what is
    odd near these; and those with `odd` steps [steps], which are set aside and of which nothing is said.
    Half of a window has to be known. Call it within `models.threads.single_threaded`.
    """
    window = models[0].layout.steps
    margin = window // 2
    beyond, outside = np.full((margin, segment.shape[1]), np.nan, segment.dtype), np.ones(margin, np.bool_)
    padded = np.r_[beyond, np.where(odd[:, None], np.nan, segment), beyond]
    others = _of_any(np.r_[outside, odd, outside], window)
    others &= _of_any(np.r_[~outside, asked, ~outside], window)
    scores = np.full(len(others), np.nan)
    for first, end in runs(others).tolist():
        scores[first:end] = window_scores(models, padded[first : end + window - 1], window, device)
    least = least_over_rows(scores, window, False)[margin:][: len(segment)]
    return np.where(odd, np.nan, least)


def _of_any(marked: Mask, window: int) -> Mask:
    """Which windows [windows] hold any of the steps marked [steps]."""
    before = np.r_[0, np.cumsum(marked)]
    return np.asarray(before[window:] > before[:-window])
