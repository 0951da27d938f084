"""Which columns a row's score is attributed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.scoring.table import TableScorer
from aedetect.tasks.explain.normal_rows import NormalRows

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel


# Values tried in place of a column's own, the best quarter of which counts.
CANDIDATES, _BEST = 16, 4
# In wide tables only the columns with the largest errors are tried, which bounds the cost of a row.
MOST_COLUMNS = 24
# Exponents of what goes with the fall of the score: a column's share of the model's own error, the
# density of its value, and how far normal rows lie from the row without it.
_ERROR_WEIGHT, _DENSITY_WEIGHT, _APART_WEIGHT = 0.2, 0.4, 0.3
# Added to the density of a value: the one that no normal row has must not go free for it.
_LEAST_DENSITY = 0.03
_LEAST_APART = 1e-3


@dataclass(frozen=True)
class Attribution:
    """Of one row: each column's share [columns], and the normal rows nearest to it in all other columns."""

    shares: Floats
    neighbours: dict[str, Integers]


def attribute(fitted: FittedModel, normal: NormalRows, row: Matrix, errors: Floats) -> Attribution:
    """The shares of the columns of an encoded row [features] in its score.

    A column's share grows with the fall of the score when its value is replaced by those of normal
    rows that are near in all other columns (a counterfactual: Wachter et al., 2018; the model's
    own errors are smeared over the columns that go with the odd one). Where several columns
    would do, Bayes' rule chooses among them. The chance that one of them is wrong grows with that of
    the row without it, so with how near normal rows come then, and with how often a wrong
    column holds such a value: any value may get into a row by mistake, most often a usual one,
    while a rare value is there mostly for a reason that the other columns tell. So the fall is
    multiplied by powers of these, and of the column's share of the model's own error, `errors`
    [columns]. A constant that moved keeps its share of the error. Without normal rows, in older
    model files, the shares are those of the error.
    """
    names = fitted.columns
    features = _features(fitted)
    if not len(normal):
        return Attribution(errors, {})
    order = sorted(features, key=lambda name: -errors[names.index(name)])
    away = normal.apart(row)
    total = away.sum(axis=1)
    neighbours, chances = {}, np.empty(len(order))
    for place, name in enumerate(order):
        column_distance = away[:, features[name]].sum(axis=1)
        rest = total - column_distance
        neighbours[name] = _nearest(normal, rest)
        chances[place] = chance(normal.density(column_distance), float(rest[neighbours[name]].mean()))
    falls = _falls(fitted, normal, row, {name: neighbours[name] for name in order[:MOST_COLUMNS]}, features)
    shares = errors.copy()
    learned = np.array([names.index(name) for name in order])
    weights = np.array([falls.get(name, 0.0) for name in order]) * errors[learned] ** _ERROR_WEIGHT * chances
    if weights.sum() > 0:
        shares[learned] = errors[learned].sum() * weights / weights.sum()
    return Attribution(shares, neighbours)


def nearest_in_all_else(
    fitted: FittedModel, normal: NormalRows, row: Matrix, names: Sequence[str]
) -> dict[str, Integers]:
    """For each of the learned columns `names`, the normal rows nearest to `row` [features] in all others.

    None without normal rows, in older model files.
    """
    if not len(normal):
        return {}
    features, away = _features(fitted), normal.apart(row)
    total = away.sum(axis=1)
    return {name: _nearest(normal, total - away[:, features[name]].sum(axis=1)) for name in names}


def _nearest(normal: NormalRows, distances: Floats) -> Integers:
    return normal.nearest(distances, CANDIDATES)


def chance(density: float, apart: float) -> float:
    """Up to a factor, the chance that a value is a mistake, without the model's word on it.

    `density`: how usual the value is, 0 to 1; `apart`: how far the nearest normal rows lie in all else.
    """
    near = (max(apart, 0.0) + _LEAST_APART) ** -_APART_WEIGHT
    return float((density + _LEAST_DENSITY) ** _DENSITY_WEIGHT * near)


def _falls(
    fitted: FittedModel,
    normal: NormalRows,
    row: Matrix,
    neighbours: dict[str, Integers],
    features: dict[str, list[int]],
) -> dict[str, float]:
    """By how much the logarithm of the score falls, for each column; 0 where it rises."""
    candidates = []
    for name, places in neighbours.items():
        substituted = np.repeat(row[None], len(places), axis=0)
        substituted[:, features[name]] = normal.matrix[places][:, features[name]]
        candidates.append(substituted)
    scores = TableScorer(fitted).score_apart(np.concatenate([row[None], *candidates]))
    logarithms = np.log(np.maximum(scores, np.finfo(np.float64).tiny))
    falls = {}
    start = 1
    for (name, _), substituted in zip(neighbours.items(), candidates, strict=True):
        best = np.sort(logarithms[start : start + len(substituted)])[:_BEST]
        falls[name] = max(0.0, float(logarithms[0] - best.mean()))
        start += len(substituted)
    return falls


def _features(fitted: FittedModel) -> dict[str, list[int]]:
    """The features of each learned column."""
    width = fitted.encoder.layout.width
    features: dict[str, list[int]] = {}
    for place, name in enumerate(fitted.encoder.owners[:width]):
        features.setdefault(name, []).append(place)
    return features
