"""Training rows as encoded matrices, and who learns from which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.labels import label_reader
from aedetect.data.reference import Sketch
from aedetect.data.sampling import chances
from aedetect.engine.cluster import Here, Workers
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.training.left_out import place_in
from aedetect.training.passes import Chunk, Part, Passes, chunks_of

USUAL_FOLDS = 5
_VALIDATION_SHARE, _MOST_VALIDATION = 0.1, 5_000
_CALIBRATION_SHARE, _MOST_CALIBRATION = 0.2, 20_000
# By so many standard deviations a sample may be larger than expected.
_MORE_THAN_EXPECTED = 6


@dataclass(frozen=True)
class Block:
    """Encoded rows [rows, features], the constants that they change [rows, constants], and their groups.

    What else is known is of all rows, of which not all may be here. `sketch`: how their values are spread. Of
    those that cannot be learned from, how many, and where the first of them stands.
    """

    matrix: Matrix
    changed: Mask
    groups: Integers
    sketch: Sketch
    infinite: int
    empty: int
    first_infinite: str | None
    first_empty: str | None


@dataclass(frozen=True)
class Draw:
    """A sample of rows: whether one is in it follows from its number and its input's place among all."""

    share: float
    seed: int

    def rows(self, chunk: Chunk) -> Mask:
        """Which rows of a chunk [rows] are drawn."""
        return np.asarray(chances(chunk.place, chunk.numbers, self.seed) < self.share)


@dataclass(frozen=True)
class Encoding:
    """Encodes the rows of a part; with `draw`, gives those alone that are drawn."""

    encoder: FeatureEncoder
    config: Config
    draw: Draw | None = None

    def __call__(self, part: Part) -> list[Block]:
        return list(self.blocks(part))

    def blocks(self, part: Part) -> Iterator[Block]:
        """The blocks, one after the other. Raises DataError, with the row, for cells that cannot be read."""
        labels, edges = label_reader(self.config.data), Sketch.empty(self.encoder).edges
        for chunk in chunks_of(part, self.config, labels):
            encoded = self.encoder.transform(chunk.batch)
            for column, fault in encoded.unreadable.items():
                raise DataError(unreadable_cell(chunk, column, fault.first_row, self.encoder))
            usable = ~(encoded.infinite | encoded.unscorable)
            matrix, changed = encoded.matrix[usable], encoded.changed_constants[usable]
            groups = encoded.groups[usable]
            sketch = Sketch.empty(self.encoder, edges)
            sketch.update(matrix, changed)
            if self.draw is not None:
                drawn = self.draw.rows(chunk)[usable]
                matrix, changed, groups = matrix[drawn], changed[drawn], groups[drawn]
            yield Block(
                matrix,
                changed,
                groups,
                sketch=sketch,
                infinite=int(encoded.infinite.sum()),
                empty=int(encoded.unscorable.sum()),
                first_infinite=_first(chunk, encoded.infinite),
                first_empty=_first(chunk, encoded.unscorable),
            )
        labels.check_read()


@dataclass
class TrainingRows:
    """The rows to learn from, encoded anew on each pass by `workers`.

    Counts of rows left out, where the first of them stand, and how the values are spread, are kept from
    the first pass.
    """

    inputs: Sequence[Input]
    encoder: FeatureEncoder
    config: Config
    workers: Workers = field(default_factory=Here)
    infinite: int = 0
    empty: int = 0
    first_infinite: str | None = None
    first_empty: str | None = None
    sketch: Sketch | None = None

    def watched_blocks(self, draw: Draw | None = None) -> Iterator[Block]:
        """Encoded rows in order, or those drawn; what else is known is of all.

        Raises DataError, with the row, for cells that cannot be read.
        """
        encoding = Encoding(self.encoder, self.config, draw)
        passes = Passes(self.inputs, self.workers)
        # Here a part need not be in memory as a whole.
        parts = map(encoding.blocks, passes.parts) if isinstance(self.workers, Here) else passes.map(encoding)
        infinite = empty = 0
        sketch = Sketch.empty(self.encoder)
        for block in chain.from_iterable(parts):
            infinite += block.infinite
            empty += block.empty
            self.first_infinite = self.first_infinite or block.first_infinite
            self.first_empty = self.first_empty or block.first_empty
            sketch.add(block.sketch)
            yield block
        if self.sketch is None:
            self.infinite, self.empty, self.sketch = infinite, empty, sketch

    def matrix(self, most: int, rows: int | None = None) -> tuple[Matrix, Integers]:
        """Encoded rows [rows, features] at once, and their groups [rows]: all, or a sample of about `most`.

        `rows`: how many there are at most, where they are more than `most`. Blocks go where they belong as
        they come.
        """
        draw = None if rows is None or rows <= most else Draw(most / rows, self.config.training.seed)
        size = most if draw is None else most + round(_MORE_THAN_EXPECTED * most**0.5)
        matrix = np.empty((size, self.encoder.layout.width), np.float32)
        groups = np.zeros(size, np.int64)
        count = 0
        for block in self.watched_blocks(draw):
            room = min(len(block.matrix), size - count)
            part = slice(count, count + room)
            matrix[part], groups[part] = block.matrix[:room], block.groups[:room]
            count += room
        return matrix[:count], groups[:count]


def _first(chunk: Chunk, rows: Mask) -> str | None:
    """Where the first of those rows stands."""
    return place_in(chunk, int(rows.argmax())) if rows.any() else None


@dataclass(frozen=True)
class Split:
    """Places of the rows that a network learns from, stops early on, and is calibrated with."""

    train: Integers
    validation: Integers
    calibration: Integers


def folds(rows: int, count: int, seed: int) -> list[Split]:
    """Cross-conformal folds (Vovk, 2015): each row calibrates the one network that never saw it."""
    order = np.random.default_rng(seed).permutation(rows)
    parts = np.array_split(order, min(count, rows))
    splits = []
    for index, calibration in enumerate(parts):
        rest = np.concatenate([part for other, part in enumerate(parts) if other != index])
        validation = max(2, round(_VALIDATION_SHARE * len(rest)))
        splits.append(Split(rest[validation:], rest[:validation], calibration))
    return splits


def single_split(rows: int, seed: int) -> Split:
    """One network: shares for training, early stopping and calibration, the latter two bounded."""
    order = np.random.default_rng(seed).permutation(rows)
    validation = min(round(_VALIDATION_SHARE * rows), _MOST_VALIDATION)
    calibration = min(round(_CALIBRATION_SHARE * rows), _MOST_CALIBRATION)
    learned = validation + calibration
    return Split(order[learned:], order[:validation], order[validation:learned])


def unreadable_cell(chunk: Chunk, column: str, index: int, encoder: FeatureEncoder) -> str:
    """What is wrong with a cell that cannot be learned from, and where it stands."""
    role = next(entry.role for entry in encoder.schema.columns if entry.name == column)
    value = str(chunk.batch.column(column)[index].as_py())[:40]
    return (
        f"{chunk.locate(index)}, column {column!r}: {value!r} cannot be read as {role}; "
        f"repair it, or give --na-values {value!r} if it means 'missing'"
    )
