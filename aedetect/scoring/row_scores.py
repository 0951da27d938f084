"""From scores of windows to scores of rows, and how long a window should be."""

from __future__ import annotations

import numpy as np

from aedetect.data.arrays import Floats


def over_rows(scores: Floats, window: int, causal: bool) -> Floats:
    """Scores of rows [rows] from those of all their windows [rows - window + 1], by their starts.

    A row's score is the mean over the windows that contain it and have a score, of which there are fewer
    near both ends; with `causal` that of the window that ends with it. NaN where there is none. The sums are
    taken anew for each row: a running sum would round differently wherever a file begins.
    """
    rows = len(scores) + window - 1
    if causal:
        return np.concatenate([np.full(window - 1, np.nan), scores])
    known = ~np.isnan(scores)
    outside = np.zeros(window - 1)
    padded = np.concatenate([outside, np.where(known, scores, 0.0), outside])
    sums = np.lib.stride_tricks.sliding_window_view(padded, window).sum(axis=1)
    windows = np.concatenate([[0], np.cumsum(known)])
    places = np.arange(rows)
    last, first = np.minimum(places, len(scores) - 1) + 1, np.maximum(places - window + 1, 0)
    counts = windows[last] - windows[first]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def least_over_rows(scores: Floats, window: int, causal: bool) -> Floats:
    """The least score of all windows that contain each row [rows], from those by their starts.

    With `causal` that of the window that ends with it, NaN where there is none.
    """
    if causal:
        return over_rows(scores, window, causal)
    # Pandas takes long to load, and only series need it.
    import pandas as pd

    unknown = np.full(window - 1, np.nan)
    padded = pd.Series(np.concatenate([unknown, scores, unknown]))
    return padded.rolling(window, min_periods=1).min().to_numpy()[window - 1 :]


def largest_around(scores: Floats, steps: int) -> Floats:
    """The largest score within so many steps of each row, before and after it; [rows]."""
    import pandas as pd

    return pd.Series(scores).rolling(2 * steps + 1, center=True, min_periods=1).max().to_numpy()


def smoothed(scores: Floats, steps: int, causal: bool) -> Floats:
    """Scores [rows] averaged over `steps` rows, around each one or, with `causal`, up to it; NaN left out."""
    if steps < 2:
        return scores
    before = steps - 1 if causal else steps // 2
    padded = np.concatenate([np.full(before, np.nan), scores, np.full(steps - 1 - before, np.nan)])
    views = np.lib.stride_tricks.sliding_window_view(padded, steps)
    known = ~np.isnan(views)
    counts = known.sum(axis=1)
    sums = np.where(known, views, 0.0).sum(axis=1)
    return np.where(np.isnan(scores), np.nan, sums / np.maximum(counts, 1))


def row_scores(raw: Floats, window: int, causal: bool, smoothing: int) -> Floats:
    """Scores of the rows of one stretch from those of its windows; see `over_rows` and `smoothed`."""
    return smoothed(over_rows(raw, window, causal), smoothing, causal)


def peaks_of(scores: Floats, window: int) -> Floats:
    """The largest score of each span of `window` rows: what false events are counted by."""
    return np.array([scores[start : start + window].max() for start in range(0, len(scores), window)])
