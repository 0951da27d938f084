"""The older model that training goes on from, or that is calibrated anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aedetect.config import Config
from aedetect.data.features import FeatureEncoder
from aedetect.data.labels import label_reader
from aedetect.errors import DataError
from aedetect.io.source import Input, batch_rows
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.manifest import Ancestor
from aedetect.training.planned_rows import bare, name_of_all
from aedetect.training.profiling import LEAST_ROWS, TrainingProfile, chunks


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

    def profile(self, inputs: Sequence[Input], config: Config) -> TrainingProfile:
        """The first pass over new data, whose columns are those of the older model.

        Raises ModelError where they lack one, DataError where rows are too few or labels cannot be read.
        """
        notices = self.check(inputs, config)
        labels = label_reader(config.data)
        counted = [(len(chunk.batch), chunk.read) for chunk in chunks(inputs, config, labels=labels)]
        labels.check_read()
        if labels.counts:
            labels.check_matched(name_of_all(inputs))
        rows, total = (sum(part) for part in zip(*counted, strict=True))
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


def too_few(inputs: Sequence[Input], rows: int, work: str) -> DataError:
    counted = f"{rows} usable row{'s' * (rows != 1)}"
    return DataError(f"{inputs[0].name}: {counted}; {work} needs at least {LEAST_ROWS}")
