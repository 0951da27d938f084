"""Training rows as encoded matrices, and who learns from which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Integers, Mask, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.reference import Sketch
from aedetect.data.sampling import uniform
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.training.left_out import place_in
from aedetect.training.profiling import Chunk, chunks

USUAL_FOLDS = 5
_VALIDATION_SHARE, _MOST_VALIDATION = 0.1, 5_000
_CALIBRATION_SHARE, _MOST_CALIBRATION = 0.2, 20_000


@dataclass(frozen=True)
class Block:
    """Encoded rows [rows, features], the constants that they change [rows, constants], and their groups."""

    matrix: Matrix
    changed: Mask
    groups: Integers


@dataclass
class TrainingRows:
    """The rows to learn from, encoded anew on each pass.

    Counts of rows left out, where the first of them stand, and how the values are spread, are kept from
    the first pass.
    """

    inputs: Sequence[Input]
    encoder: FeatureEncoder
    config: Config
    infinite: int = 0
    empty: int = 0
    first_infinite: str | None = None
    first_empty: str | None = None
    sketch: Sketch | None = None
    _counted: bool = field(default=False, repr=False)

    def blocks(self) -> Iterator[Matrix]:
        """Encoded rows in order. Raises DataError, with the row, for cells that cannot be read."""
        return (block.matrix for block in self.watched_blocks())

    def watched_blocks(self) -> Iterator[Block]:
        """As `blocks`, each with what else is known of its rows."""
        infinite = empty = 0
        sketch = Sketch.empty(self.encoder)
        for chunk in chunks(self.inputs, self.config):
            encoded = self.encoder.transform(chunk.batch)
            for column, fault in encoded.unreadable.items():
                raise DataError(unreadable_cell(chunk, column, fault.first_row, self.encoder))
            infinite += int(encoded.infinite.sum())
            empty += int(encoded.unscorable.sum())
            self.first_infinite = self.first_infinite or _first(chunk, encoded.infinite)
            self.first_empty = self.first_empty or _first(chunk, encoded.unscorable)
            usable = ~(encoded.infinite | encoded.unscorable)
            matrix, changed = encoded.matrix[usable], encoded.changed_constants[usable]
            if not self._counted:
                sketch.update(matrix, changed)
            yield Block(matrix, changed, encoded.groups[usable])
        if not self._counted:
            self.infinite, self.empty, self.sketch, self._counted = infinite, empty, sketch, True

    def matrix(self, most: int) -> tuple[Matrix, Integers]:
        """All rows at once, `most` at most, [rows, features], and their groups [rows].

        Blocks go where they belong as they come.
        """
        rows = np.empty((most, self.encoder.layout.width), np.float32)
        groups = np.zeros(most, np.int64)
        count = 0
        for block in self.watched_blocks():
            part = slice(count, count + len(block.matrix))
            rows[part], groups[part] = block.matrix, block.groups
            count += len(block.matrix)
        return rows[:count], groups[:count]


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


@dataclass(frozen=True)
class StreamedSplit:
    """The same shares for rows that are streamed: a row's part follows from its number."""

    rows: int
    seed: int

    def parts(self, blocks: Iterator[Matrix]) -> Iterator[tuple[Matrix, Matrix, Matrix]]:
        """(train, validation, calibration) rows of each block."""
        first = 0
        for block in blocks:
            train, validation, calibration = self._masks(first, len(block))
            first += len(block)
            yield block[train], block[validation], block[calibration]

    def held_out(self, blocks: Iterator[Block]) -> tuple[Matrix, Matrix, Integers]:
        """Validation and calibration rows [rows, features] of all blocks, and the groups of the latter."""
        parts: list[tuple[Matrix, Matrix, Integers]] = []
        first = 0
        for block in blocks:
            _, validation, calibration = self._masks(first, len(block.matrix))
            first += len(block.matrix)
            parts.append((block.matrix[validation], block.matrix[calibration], block.groups[calibration]))
        stopping, calibrating, groups = (np.concatenate(sets) for sets in zip(*parts, strict=True))
        return stopping, calibrating, groups

    def _masks(self, first: int, count: int) -> tuple[Mask, Mask, Mask]:
        """Which of `count` rows from number `first` on are for training, validation and calibration."""
        validation = min(_VALIDATION_SHARE, _MOST_VALIDATION / self.rows)
        calibration = min(_CALIBRATION_SHARE, _MOST_CALIBRATION / self.rows)
        chance = uniform(np.arange(first, first + count, dtype=np.uint64), self.seed)
        train = chance >= validation + calibration
        return train, chance < validation, (chance >= validation) & ~train


def unreadable_cell(chunk: Chunk, column: str, index: int, encoder: FeatureEncoder) -> str:
    """What is wrong with a cell that cannot be learned from, and where it stands."""
    role = next(entry.role for entry in encoder.schema.columns if entry.name == column)
    value = str(chunk.batch.column(column)[index].as_py())[:40]
    return (
        f"{chunk.locate(index)}, column {column!r}: {value!r} cannot be read as {role}; "
        f"repair it, or give --na-values {value!r} if it means 'missing'"
    )
