"""A map of rows: each in two dimensions, near those it is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from aedetect.data.arrays import Matrix
from aedetect.data.sampling import RowSample
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

MapKind = Literal["pca", "tsne", "umap"]
MOST_POINTS, MOST_FLAGGED = 1200, 300
# Far outliers must not press all others into one point.
_BENT = 3.0


@dataclass(frozen=True)
class Point:
    """A row on the map; `row` counts from 1 over all inputs."""

    x: float
    y: float
    row: int
    score: float
    flagged: bool


def row_map(
    fitted: FittedModel, normal: RowSample, flagged: RowSample, kind: MapKind
) -> tuple[list[Point], float | None]:
    """Points of the sampled rows, and the share of variance that two dimensions show (PCA only).

    Principal components are those of the normal rows: directions in which they differ, not those
    in which the anomalies do. Raises UsageError for 'umap' where it is not installed.
    """
    sampled = [(*row, False) for row in normal.rows] + [(*row, True) for row in flagged.rows]
    if len(sampled) < 3:
        return [], None
    values = _standardised(fitted, np.stack([matrix for _, _, matrix, _ in sampled]))
    places, shown = _PLACES[kind](values, len(normal.rows))
    return [
        Point(float(x), float(y), row, score, is_flagged)
        for (x, y), (row, score, _, is_flagged) in zip(places, sampled, strict=True)
    ], shown


def _standardised(fitted: FittedModel, matrix: Matrix) -> Matrix:
    import torch

    from aedetect.models.layers import standardised

    return np.asarray(standardised(torch.from_numpy(matrix), fitted.encoder.layout).numpy())


def _pca(values: Matrix, normal: int) -> tuple[Matrix, float | None]:
    from sklearn.decomposition import PCA

    reference = values[:normal] if normal >= 3 else values
    size = min(2, reference.shape[1])
    fitted = PCA(size, svd_solver="full").fit(reference)
    places = fitted.transform(values)
    if size == 1:
        places = np.concatenate([places, np.zeros_like(places)], axis=1)
    spread = np.maximum(places[:normal].std(axis=0) if normal >= 3 else places.std(axis=0), 1e-6)
    bent = _BENT * np.arcsinh(places / spread / _BENT)
    return bent, float(fitted.explained_variance_ratio_.sum())


def _tsne(values: Matrix, _: int) -> tuple[Matrix, float | None]:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(values) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(values)), None


def _umap(values: Matrix, _: int) -> tuple[Matrix, float | None]:
    try:
        from umap import UMAP
    except ImportError:
        raise UsageError(
            "--map umap needs the package umap-learn; install it, or choose pca or tsne"
        ) from None
    return np.asarray(UMAP(random_state=0).fit_transform(values)), None


_PLACES = {"pca": _pca, "tsne": _tsne, "umap": _umap}
