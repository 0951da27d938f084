"""Rows as points on a plane, near those they are like: the maps of `encode --map` and of reports."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aedetect.data.arrays import Floats, Mask, Matrix
from aedetect.data.sampling import RowSample, uniform
from aedetect.engine.task import Consumer, FileSummary, Processed, RemoteConsumer, Task
from aedetect.errors import DataError, UsageError
from aedetect.io.atomic import atomic_output, check_writable, same_file
from aedetect.io.locate import STDIN
from aedetect.io.source import Input
from aedetect.tasks.encode import Encode, EncodedRows

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

ProjectionKind = Literal["pca", "tsne", "umap"]

MAP_SUFFIXES = (".png", ".svg", ".html")
# Points beyond this number would cover one another; a random draw of the rows is shown.
MOST_POINTS = 20_000
_LEAST_REFERENCE = 3
# On the map of a report, far outliers must not press all other rows into one point.
_LOG_COMPRESSED_BEYOND = 3.0


@dataclass(frozen=True)
class Projection:
    """Rows on a plane [rows, 2], and the share of their variance that it shows; None but for PCA."""

    points: Floats
    explained: float | None = None


def project(
    values: Floats | Matrix, kind: ProjectionKind, reference: Floats | Matrix | None = None
) -> Projection:
    """Rows [rows, features] on a plane.

    Principal components are those of `reference`, where it is given. t-SNE (van der Maaten & Hinton,
    2008) and UMAP (McInnes et al., 2018) place all rows by whom they are near. Raises UsageError for
    'umap' where it is not installed.
    """
    if kind == "pca":
        return _pca(values, values if reference is None else reference)
    return Projection(_tsne(values) if kind == "tsne" else _umap(values))


def _pca(values: Floats | Matrix, reference: Floats | Matrix) -> Projection:
    from sklearn.decomposition import PCA

    size = min(2, *reference.shape)
    # Of one row, or of rows that are all the same, the share of the variance is none.
    with np.errstate(invalid="ignore", divide="ignore"):
        fitted = PCA(size, svd_solver="full").fit(reference)
    points = np.zeros((len(values), 2), dtype=values.dtype)
    points[:, :size] = fitted.transform(values)
    return Projection(points, float(np.nan_to_num(fitted.explained_variance_ratio_).sum()))


def _tsne(values: Floats | Matrix) -> Floats:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(values) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(values))


def _umap(values: Floats | Matrix) -> Floats:
    if find_spec("umap") is None:
        raise UsageError("--map umap needs the package umap-learn; install it, or choose pca or tsne")
    from umap import UMAP

    return np.asarray(UMAP(random_state=0, n_jobs=1).fit_transform(values), np.float64)


@dataclass(frozen=True)
class Point:
    """A row on the map of a report; `row` counts from 1 over all inputs. `sample`: which it was drawn in."""

    x: float
    y: float
    row: int
    score: float
    sample: int


def row_map(
    fitted: FittedModel, samples: Sequence[RowSample], kind: ProjectionKind
) -> tuple[list[Point], float | None]:
    """Points of the sampled rows, and the share of variance that two dimensions show (PCA only).

    The first of the `samples` is of normal rows. Principal components are theirs: directions in which they
    differ, not those in which the anomalies do; points are `compressed` standard deviations of these rows.
    Raises UsageError for 'umap' where it is not installed.
    """
    sampled = [(*row, number) for number, sample in enumerate(samples) for row in sample.rows]
    if len(sampled) < 3:
        return [], None
    values = _standardised(fitted, np.stack([matrix for _, _, matrix, _ in sampled]))
    enough = len(samples[0].rows) >= _LEAST_REFERENCE
    projection = _placed(values, kind, slice(0, len(samples[0].rows) if enough else None))
    return [
        Point(float(x), float(y), row, score, number)
        for (x, y), (row, score, _, number) in zip(projection.points, sampled, strict=True)
    ], projection.explained


def _placed(values: Matrix, kind: ProjectionKind, reference: slice | Mask) -> Projection:
    """Standardised rows [rows, width] on the plane of a map; `reference`: the normal ones among them."""
    projection = project(values, kind, values[reference])
    if kind != "pca":
        return projection
    spread = np.maximum(projection.points[reference].std(axis=0), 1e-6)
    return replace(projection, points=compressed(projection.points / spread))


def compressed(deviations: Floats) -> Floats:
    """Where so many standard deviations stand on the map: the nearer, the farther out they are."""
    places: Floats = _LOG_COMPRESSED_BEYOND * np.arcsinh(deviations / _LOG_COMPRESSED_BEYOND)
    return places


def _standardised(fitted: FittedModel, matrix: Matrix) -> Matrix:
    from aedetect.models.evaluation.arrays import Arrays
    from aedetect.models.evaluation.layers import standardised

    values: Matrix = standardised(matrix, fitted.encoder.layout, Arrays({}))
    return values


def check_map(path: Path, output: str) -> None:
    """Raises UsageError where no map can be drawn to `path`, OutputError where it cannot be written."""
    if path.suffix.lower() not in MAP_SUFFIXES:
        raise UsageError(f"{path}: a map is a {', '.join(MAP_SUFFIXES[:-1])} or {MAP_SUFFIXES[-1]} file")
    if find_spec("matplotlib") is None:
        raise UsageError("--map needs matplotlib; install it: pip install 'aedetect[map]'")
    if output != STDIN and same_file(path, output):
        raise UsageError(f"{path}: the map would overwrite the codes; choose another name")
    check_writable(path)


@dataclass(frozen=True)
class Sampled:
    """Rows of a draw: keys [rows], encoded values [rows, features], and whether they are flagged [rows]."""

    keys: Floats
    values: Matrix
    flagged: Mask

    def joined(self, other: Sampled) -> Sampled:
        """The draw from both: the rows of the smallest keys."""
        keys = np.concatenate([self.keys, other.keys])
        smallest = np.argsort(keys, kind="stable")[:MOST_POINTS]
        values = np.concatenate([self.values, other.values])[smallest]
        return Sampled(keys[smallest], values, np.concatenate([self.flagged, other.flagged])[smallest])


class MapSample(Consumer):
    """A random draw of rows as they pass by, and at the end a map of them at `path`, as in a report.

    Which rows are drawn depends on their names and numbers alone, in whatever order they come.
    """

    def __init__(self, fitted: FittedModel, path: Path | None = None):
        self._fitted, self._path = fitted, path
        width = fitted.encoder.layout.width
        self._drawn = Sampled(np.empty(0), np.empty((0, width), np.float32), np.empty(0, np.bool_))

    def see(self, batch: Processed) -> None:
        detail: EncodedRows = batch.result.detail
        places = np.arange(batch.first, batch.first + len(detail.codes), dtype=np.uint64)
        keys = uniform(places, zlib.crc32(batch.source.name.encode("utf-8", "surrogateescape")))
        known, matrix = ~detail.encoded.unscorable, detail.encoded.matrix
        self._drawn = self._drawn.joined(Sampled(keys[known], matrix[known], detail.flagged[known]))

    def remote(self) -> RemoteConsumer:
        return _sample_of

    def state(self) -> Sampled:
        return self._drawn

    def joined(self, states: Sequence[Sampled]) -> Sampled:
        return reduce(Sampled.joined, states)

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self._drawn = self._drawn.joined(state)

    def finish(self) -> None:
        """Write the map. Raises OutputError where that fails, DataError without rows."""
        path = self._path
        if path is None:
            return
        drawn = self._drawn
        if not len(drawn.values):
            raise DataError("no row has a code, so there is nothing to draw on a map")
        projection = map_of(_standardised(self._fitted, drawn.values), drawn.flagged)
        with atomic_output(path) as stream:
            stream.write(_picture(projection, drawn.flagged, path.suffix.lower()))


def _sample_of(task: Task) -> Consumer:
    assert isinstance(task, Encode)
    return MapSample(task.fitted)


def map_of(values: Matrix, flagged: Mask) -> Projection:
    """Standardised rows [rows, width] as on the map of a report, by the directions of those not flagged."""
    normal = ~flagged
    return _placed(values, "pca", normal if normal.sum() >= _LEAST_REFERENCE else slice(None))


def _picture(projection: Projection, flagged: np.ndarray[Any, Any], suffix: str) -> bytes:
    from matplotlib.figure import Figure

    points = projection.points
    figure = Figure(figsize=(8, 6), dpi=120, layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(4000 / len(points), 1, 20))
    for chosen, colour, name in ((~flagged, "#4c78a8", "normal"), (flagged, "#d62728", "flagged")):
        if chosen.any():
            label = f"{name} ({int(chosen.sum()):,})"
            axes.scatter(
                points[chosen, 0], points[chosen, 1], s=size, c=colour, alpha=0.6, linewidths=0, label=label
            )
    shown = f", {projection.explained:.0%} of the variance" if projection.explained else ""
    axes.set_xlabel(
        f"principal component 1 ({shown.removeprefix(', ')} with the second)"
        if shown
        else "principal component 1"
    )
    axes.set_ylabel("principal component 2")
    axes.legend(loc="best", markerscale=3)
    stream = io.BytesIO()
    # Without a date and with fixed names inside, the same rows give the same bytes.
    if suffix == ".png":
        figure.savefig(stream, format="png", metadata={"Software": None})
        return stream.getvalue()
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "aedetect", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    picture = stream.getvalue()
    if suffix == ".svg":
        return picture
    start = picture.index(b"<svg")
    head = b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Map of rows</title>\n'
    return head + picture[start:] + b"</html>\n"
