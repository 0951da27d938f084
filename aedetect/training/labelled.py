"""Rows labelled as anomalies: no network learns to rebuild them, but what weighs evidence does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.labels import label_reader
from aedetect.data.sampling import chances
from aedetect.engine.cluster import Here, Workers
from aedetect.io.source import Input
from aedetect.training.passes import Part, Passes, chunks_of

# More known anomalies than these are a matter for a classifier.
MOST_LABELLED = 2048


def labelled_anomalies(
    inputs: Sequence[Input],
    encoder: FeatureEncoder,
    config: Config,
    known: Sequence[Input] = (),
    workers: Workers | None = None,
) -> Matrix:
    """Encoded rows known to be anomalies [anomalies, features], a few thousand of them at most.

    They are the rows of `known`, the first of which count, and those of `inputs` that are labelled as such,
    where there is a label: of too many, a sample. Cells that cannot be read are missing: strange rows may be
    strange in this, too. `workers` pass over the inputs; None for this process.
    """
    blocks = [np.empty((0, encoder.layout.width), dtype=np.float32)]
    for source in known:
        blocks += [encoder.transform(batch).matrix for batch in source.open(MOST_LABELLED).batches()]
    given = np.concatenate(blocks)[:MOST_LABELLED]
    if config.data.label is None:
        return given
    room = MOST_LABELLED - len(given)
    labelled = _Anomalies(encoder.layout.width, room)
    for of_part in Passes(inputs, workers or Here()).map(_Gathering(encoder, config, room)):
        labelled.add(of_part.chances, of_part.matrix)
    return np.concatenate([given, labelled.matrix])


class _Anomalies:
    """The `most` rows of least chances, in order: their `chances` [rows] and `matrix` [rows, features]."""

    def __init__(self, width: int, most: int):
        self._most = most
        self.chances: Floats = np.empty(0)
        self.matrix: Matrix = np.empty((0, width), dtype=np.float32)

    def add(self, chances: Floats, matrix: Matrix) -> None:
        """Take in rows behind these."""
        chances, matrix = np.concatenate([self.chances, chances]), np.concatenate([self.matrix, matrix])
        least = np.sort(np.argsort(chances, kind="stable")[: self._most])
        self.chances, self.matrix = chances[least], matrix[least]


@dataclass(frozen=True)
class _Gathering:
    """Gathers the labelled anomalies of one part."""

    encoder: FeatureEncoder
    config: Config
    most: int

    def __call__(self, part: Part) -> _Anomalies:
        labelled = _Anomalies(self.encoder.layout.width, self.most)
        labels, seed = label_reader(self.config.data), self.config.training.seed
        for chunk in chunks_of(part, self.config, labels, anomalies=True):
            if len(chunk.batch):
                drawn = chances(chunk.place, chunk.numbers, seed)
                labelled.add(drawn, self.encoder.transform(chunk.batch).matrix)
        labels.check_read()
        return labelled
