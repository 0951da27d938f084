"""VUS-PR: average precision of scores of a series, over labelled ranges with soft edges of every width.

After Paparrizos et al., Volume Under the Surface (PVLDB 2022), as the TSB-AD benchmark computes it
(Liu & Paparrizos, NeurIPS 2024).
"""

from __future__ import annotations

from typing import Any

import numpy as np

THRESHOLDS = 250

Floats = np.ndarray[Any, np.dtype[np.float64]]
Array = np.ndarray[Any, Any]
Range = tuple[int, int]


def ranges(marked: Array) -> list[Range]:
    """Where marked rows [rows] follow one another: first row, and the one after the last."""
    edges = np.flatnonzero(np.diff(np.r_[0, np.asarray(marked, dtype=np.int8), 0]))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def vus_pr(scores: Array, labels: Array, window: int) -> float:
    """The mean, over edges of 0 to `window` rows, of the average precision at `THRESHOLDS` thresholds.

    Shapes: finite `scores` and 0/1 `labels`, both [rows]. Thresholds are the scores at ranks spread evenly.
    """
    scores = np.asarray(scores, dtype=np.float64)
    marked = np.asarray(labels).astype(bool)
    labelled = ranges(marked)
    if not labelled or len(scores) != len(marked) or not np.isfinite(scores).all():
        raise ValueError("VUS-PR needs a labelled range, and a finite score for each row")
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    limits = descending[np.linspace(0, len(scores) - 1, THRESHOLDS).astype(int)]
    reached = np.searchsorted(-descending, -limits, side="right")
    hits = np.cumsum(marked[order])[reached - 1]
    areas = []
    for edge in range(window + 1):
        weights = _softened(marked, labelled, edge)
        found = np.cumsum(weights[order])[reached - 1]
        # Half of what the edges add to the hits counts as rows that there were to find.
        wanted = marked.sum() + (found - hits) / 2
        recall = np.minimum(found / wanted, 1.0) * _met(scores, labelled, edge // 2, limits)
        areas.append(float((np.diff(recall, prepend=0.0) * found / reached).sum()))
    return float(np.mean(areas))


def _softened(marked: Array, labelled: list[Range], edge: int) -> Floats:
    """Labels [rows] that fall off on both sides of a range; where edges overlap they add up, to 1 at most."""
    weights = marked.astype(np.float64)
    if edge < 2:
        return weights
    slope = np.sqrt(1 - np.arange(1, edge // 2 + 1) / edge)
    for first, end in labelled:
        before, after = weights[max(first - len(slope), 0) : first], weights[end : end + len(slope)]
        before += slope[: len(before)][::-1]
        after += slope[: len(after)]
    return np.asarray(np.minimum(weights, 1.0))


def _met(scores: Floats, labelled: list[Range], reach: int, limits: Floats) -> Floats:
    """At each limit, the share of ranges with a score that reaches it; ranges whose edges touch are one."""
    merged: list[list[int]] = []
    for first, end in labelled:
        if merged and first - reach <= merged[-1][1] - 1 + reach:
            merged[-1][1] = end
        else:
            merged.append([first, end])
    peaks = np.sort([scores[max(first - reach, 0) : end + reach].max() for first, end in merged])
    return np.asarray(1 - np.searchsorted(peaks, limits, side="left") / len(peaks))
