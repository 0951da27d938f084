"""Evidence from known anomalies: what is like them, or differs from normal rows as they do."""

from __future__ import annotations

from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.evidence_part import rounded
from aedetect.models.evaluation.kernels import matmul, namespace
from aedetect.models.evaluation.search import Search
from aedetect.models.evaluation.surprise import TailSurprise

# Added to the distance to a known anomaly: closer than this is the same.
_FLOOR = 0.1
_HIGHEST = 30.0
# How much each of the two scores counts beside one of the other parts.
_WEIGHT = 4.0


class KnownAnomalies:
    """How much nearer a row is to a known anomaly than to a normal row, and a logistic regression.

    The regression sees a row as a point and by how surprising the other parts of a model take it to be, so
    that it learns in which columns and in which way the known ones are strange.

    Shape: points [rows, width], log distances to the nearest normal row [rows], surprises [rows, parts] →
    further surprise [rows]; none where no anomaly is known.
    """

    def __init__(self, width: int, parts: int, arrays: Arrays):
        self.points = arrays.take("points", arrays.size("points", 0), width)
        self._search = Search(self.points)
        self.coefficients = arrays.take("coefficients", width + parts)
        self.intercept = arrays.take("intercept")
        self.surprise = TailSurprise(2, arrays.under("surprise"))

    def __call__(self, points: Array, log_distances: Array, surprises: Array) -> Array:
        xp = namespace(points)
        if not self.points.shape[0]:
            return xp.zeros_like(log_distances)
        seen = regressed(points, surprises)
        odds = matmul(seen, self.coefficients[:, None])[:, 0] + self.intercept
        return self.weighed(points, log_distances, odds)

    def weighed(self, points: Array, log_distances: Array, odds: Array) -> Array:
        """Surprises [rows], as they count, of points with log `odds` [rows] by the regression."""
        xp = namespace(points)
        return _WEIGHT * xp.sum(self.surprise(self.scores(points, log_distances, odds)), axis=0)

    def scores(self, points: Array, log_distances: Array, odds: Array) -> Array:
        """Log scores [2, rows]: how much farther a normal row is than a known anomaly, and the odds."""
        xp = namespace(points)
        near = xp.take(self.points, self._search(points), axis=0)
        apart = xp.sqrt(xp.sum(xp.square(points - near), axis=1))
        return xp.stack([rounded(log_distances - xp.log(apart + _FLOOR)), rounded(odds)], axis=0)


def regressed(points: Array, surprises: Array) -> Array:
    """What a regression sees of points [rows, width] and surprises [rows, parts]; [rows, width + parts]."""
    xp = namespace(points)
    return xp.concat([points, xp.clip(surprises, None, _HIGHEST)], axis=1)
