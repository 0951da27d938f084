"""The older model that training goes on from, or that is calibrated anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aedetect.config import Config
from aedetect.data.features import FeatureEncoder
from aedetect.data.labels import LabelReader, label_reader
from aedetect.engine.cluster import Here, Workers
from aedetect.errors import DataError
from aedetect.io.source import Input, batch_rows
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.manifest import Ancestor
from aedetect.training.passes import Part, Passes, chunks_of
from aedetect.training.planned_rows import (
    PlannedCounts,
    bare,
    keep_counts,
    name_of_all,
    planned_counts,
    settle_clock,
)
from aedetect.training.profiling import LEAST_ROWS, TrainingProfile


@dataclass(frozen=True)
class Start:
    """An older model: its columns and scaling are kept, its weights are where training begins.

    `sha256` is the digest of its file, `lineage` the whole line of models it ends.
    """

    encoder: FeatureEncoder
    members: Sequence[RowEvaluation]
    sha256: str
    lineage: tuple[Ancestor, ...]

    @classmethod
    def of(cls, older: FittedModel, then: str) -> Start:
        """Going on from a fitted model; `then` says what is done: 'trained on' or 'calibrated'."""
        training = older.training
        this = Ancestor(
            sha256=older.sha256 or "", trained=training.started, inputs=training.inputs,
            rows=training.rows, then=then,
        )  # fmt: skip
        return cls(older.encoder, older.members, this.sha256, (*training.lineage, this))

    def profile(
        self, inputs: Sequence[Input], config: Config, workers: Workers | None = None
    ) -> TrainingProfile:
        """The first pass over new data, whose columns are those of the older model.

        `workers` read it; None for this process. Raises ModelError where they lack one, DataError where rows
        are too few or labels cannot be read.
        """
        notices = self.check(inputs, config)
        labels = label_reader(config.data)
        settle_clock(inputs, config)
        rows = total = 0
        for counted in Passes(inputs, workers or Here()).map(_Counting(config)):
            labels.add(counted.labels)
            keep_counts(inputs, counted.planned)
            rows += counted.rows
            total += counted.total
        labels.check_read()
        if labels.counts:
            labels.check_matched(name_of_all(inputs))
        if rows < LEAST_ROWS:
            raise too_few(inputs, rows, "training")
        return TrainingProfile(self.encoder.schema, self.encoder, rows, total - rows, tuple(notices))

    def completed(self, inputs: Sequence[Input]) -> list[Input]:
        """The inputs with those columns of the older model that inputs may lack."""
        return [self.encoder.schema.completed(source) for source in inputs]

    def check(self, inputs: Sequence[Input], config: Config) -> list[str]:
        """Notices about columns that the older model does not know. Raises ModelError for lacking ones."""
        size = batch_rows(config, len(self.encoder.owners))
        return [
            text
            for source in inputs
            for text in self.encoder.schema.check(source.name, bare(source).open(size).schema)
        ]


@dataclass
class _Counted:
    """What counting the rows of one part comes to; as in `profiling`."""

    labels: LabelReader
    rows: int = 0
    total: int = 0
    planned: dict[int, PlannedCounts] = field(default_factory=dict)


@dataclass(frozen=True)
class _Counting:
    """Counts the rows of a part, and reads their labels."""

    config: Config

    def __call__(self, part: Part) -> _Counted:
        counted = _Counted(label_reader(self.config.data))
        for chunk in chunks_of(part, self.config, counted.labels):
            counted.rows += len(chunk.batch)
            counted.total += chunk.read
        counted.planned = planned_counts((piece.place, piece.source) for piece in part)
        return counted


def too_few(inputs: Sequence[Input], rows: int, work: str) -> DataError:
    counted = f"{rows} usable row{'s' * (rows != 1)}"
    return DataError(f"{inputs[0].name}: {counted}; {work} needs at least {LEAST_ROWS}")
