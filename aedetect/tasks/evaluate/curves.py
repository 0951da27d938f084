"""Curves of an evaluation, thinned to what a chart can show."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Integers
from aedetect.tasks.evaluate.metrics.ranking import ScoreTable

CurvePoints = tuple[list[float], list[float]]
_MOST_POINTS = 300


def roc(table: ScoreTable) -> CurvePoints:
    """Share of normal rows flagged and of anomalies caught, by falling threshold; both from 0 to 1."""
    caught, alarms = _cumulative(table.anomalies), _cumulative(table.normal)
    return _thinned(alarms / alarms[-1], caught / caught[-1])


def precision_recall(table: ScoreTable) -> CurvePoints:
    """Recall and precision by falling threshold."""
    caught, alarms = _cumulative(table.anomalies)[1:], _cumulative(table.normal)[1:]
    return _thinned(caught / caught[-1], caught / (caught + alarms))


def p_value_shares(p_values: Floats) -> CurvePoints:
    """x from 0 to 1, and the share of `p_values` [rows] that are at most x."""
    grid = np.linspace(0, 1, 101)
    shares = np.searchsorted(np.sort(p_values), grid, side="right") / max(len(p_values), 1)
    return grid.tolist(), shares.tolist()


def _cumulative(counts: Integers) -> Floats:
    return np.concatenate([[0.0], np.cumsum(counts)])


def _thinned(across: np.ndarray[Any, Any], up: np.ndarray[Any, Any]) -> CurvePoints:
    indices = np.unique(np.linspace(0, len(across) - 1, _MOST_POINTS).astype(int))
    # Evenly along the rows would lose the steep beginning: as many more evenly along each axis.
    for axis in (across, up):
        indices = np.union1d(indices, np.searchsorted(axis, np.linspace(axis[0], axis[-1], _MOST_POINTS)))
    indices = indices[indices < len(across)]
    return across[indices].tolist(), up[indices].tolist()
