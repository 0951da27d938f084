"""How the values of each feature are spread, counted batch by batch in a fixed number of cells.

Training keeps the counts of its rows in the model file; scoring counts over the same cells.
Both see encoded rows, which scoring has at hand anyway: nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aedetect.data.arrays import Integers
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.numeric import QUANTILE_RANKS, scale

Array = np.ndarray[Any, Any]

# The quantiles of the training values between which values are counted.
_RANKS = np.linspace(0.0, 1.0, 41)
# In the model file, the features' edges and counts stand end to end; the sizes tell them apart.
_ROWS, _SIZES, _EDGES, _COUNTS = "drift.rows", "drift.sizes", "drift.edges", "drift.counts"


@dataclass
class Sketch:
    """Counts of the cells of each feature. Sketches over the same edges can be added up.

    `edges`: per numeric feature, ascending values; none for the phases of datetimes, of which any
    one day shows but a part. `counts`: per numeric feature, rows below, on and between the edges
    in turn, and last those without a value, shape [2 · edges + 2]; then per categorical feature,
    rows of each code. `changed_constants`: per watched constant, rows that differ.
    """

    edges: tuple[Array, ...]
    counts: list[Integers]
    changed_constants: Integers
    rows: int = 0

    @classmethod
    def empty(cls, encoder: FeatureEncoder, edges: Sequence[Array] | None = None) -> Sketch:
        """Nothing counted yet. Without `edges`, those that the encoder's quantiles give."""
        edges = tuple(edges) if edges is not None else tuple(_edges(encoder))
        sizes = [2 * len(values) + 2 for values in edges]
        sizes += [vocabulary.cardinality for vocabulary in encoder.state.categorical]
        counts = [np.zeros(size, np.int64) for size in sizes]
        return cls(edges, counts, np.zeros(len(encoder.state.constant), np.int64))

    def update(self, matrix: Array, changed: Array) -> None:
        """Count encoded rows [rows, features], and which constants differ [rows, constants]."""
        self.rows += len(matrix)
        self.changed_constants += changed.sum(axis=0)
        for index, counts in enumerate(self.counts):
            values = matrix[:, index]
            if index < len(self.edges):
                missing = np.isnan(values)
                counts[-1] += int(missing.sum())
                counts[:-1] += count_cells(self.edges[index], values[~missing])
            else:
                counts += np.bincount(values.astype(np.int64), minlength=len(counts))

    def add(self, other: Sketch) -> None:
        """Take in the counts of another sketch over the same edges."""
        self.rows += other.rows
        self.changed_constants += other.changed_constants
        for mine, theirs in zip(self.counts, other.counts, strict=True):
            mine += theirs

    def leave_out(self, index: int) -> None:
        """Take the values of numeric feature `index` for missing: they are not to be compared."""
        self.edges = (*self.edges[:index], np.zeros(0, np.float32), *self.edges[index + 1 :])
        self.counts[index] = np.array([0, self.rows], np.int64)

    def tensors(self) -> dict[str, Array]:
        """The counts as they go into a model file."""
        return {
            _ROWS: np.array([self.rows], np.int64),
            _SIZES: np.array([len(values) for values in self.edges], np.int64),
            _EDGES: np.concatenate([np.zeros(0, np.float32), *self.edges]).astype(np.float32),
            _COUNTS: np.concatenate([np.zeros(0, np.int64), *self.counts]),
        }

    @classmethod
    def of_tensors(cls, encoder: FeatureEncoder, tensors: Mapping[str, Array]) -> Sketch | None:
        """The sketch that a model file holds; None in files from before there were any.

        Raises ValueError or KeyError where it does not fit the encoder.
        """
        if _ROWS not in tensors:
            return None
        sizes, edges, counts = tensors[_SIZES], tensors[_EDGES], tensors[_COUNTS]
        whole = all(tensors[name].dtype == np.int64 for name in (_ROWS, _SIZES, _COUNTS))
        if not (whole and sizes.shape == encoder.center.shape and (sizes >= 0).all()):
            raise ValueError(_UNFIT)
        if edges.shape != (sizes.sum(),) or tensors[_ROWS].shape != (1,):
            raise ValueError(_UNFIT)
        sketch = cls.empty(encoder, _split(edges, sizes))
        cells = [len(part) for part in sketch.counts]
        if counts.shape != (sum(cells),) or (counts < 0).any():
            raise ValueError(_UNFIT)
        sketch.counts = [part.copy() for part in _split(counts, np.array(cells, np.int64))]
        sketch.rows = int(tensors[_ROWS][0])
        return sketch


_UNFIT = "what it says of its training values does not fit its columns"


def _split(values: Array, sizes: Array) -> list[Array]:
    return np.split(values, np.cumsum(sizes)[:-1]) if len(sizes) else []


def count_cells(edges: Array, values: Array) -> Integers:
    """How many `values` lie below, on and between the `edges`, in turn; shape [2 · edges + 1].

    Values on an edge have a cell of their own: where half of a column is zero, say, it shows.
    """
    if not len(edges):
        return np.array([len(values)], np.int64)
    # To sort them takes a fraction of the time that looking each up takes.
    values = np.sort(values)
    ends = np.stack([np.searchsorted(values, edges), np.searchsorted(values, edges, side="right")], axis=1)
    return np.diff(ends.ravel(), prepend=0, append=len(values))


def quantile_edges(values: Array) -> Array:
    """Edges for values that are at hand as such; every edge is one of them."""
    return np.unique(np.quantile(values, _RANKS, method="lower"))


def _edges(encoder: FeatureEncoder) -> list[Array]:
    chosen = np.abs(QUANTILE_RANKS[None, :] - _RANKS[:, None]).argmin(axis=1)
    edges: list[Array] = []
    for column in encoder.state.numeric:
        place = len(edges)
        if column.cycles:
            edges += [np.zeros(0, np.float32)] * column.width
            continue
        values = np.array([0.0, 1.0]) if column.words else encoder.quantiles[place, chosen]
        if np.isnan(values).any():
            values = values[:0]
        edges.append(np.unique(scale(values, encoder.center[place], encoder.spread[place])))
    return edges
