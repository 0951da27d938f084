"""One scoring pass for those who want to see the rows and not write them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.engine.distributed import Place, read_spread, workplace
from aedetect.engine.remote import TaskRecipe
from aedetect.engine.stream import Run, read_inputs
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, FileSummary, Observing, Processed, RemoteConsumer, Task
from aedetect.io.source import Input, TableInput
from aedetect.scoring.base import Scores, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.recipe import ModelTask
from aedetect.tasks.score import ScoreTask
from aedetect.tasks.score_counts import RowCounts, muted_by


@dataclass(frozen=True)
class ScoredBatch:
    """One batch of one input, scored. `first`: the number of its first row in that input, from 1."""

    source: Input
    first: int
    rows: pa.RecordBatch
    scores: Scores

    @classmethod
    def of(cls, batch: Processed) -> ScoredBatch:
        """What a scoring task made of a batch."""
        return cls(batch.source, batch.first, batch.rows, batch.result.detail)


@dataclass(frozen=True)
class Spread:
    """A pass by the workers at a place: how they make the task, and which columns are looked at here."""

    recipe: TaskRecipe
    place: Place
    columns: Collection[str]

    @classmethod
    def of(cls, model: str, fitted: FittedModel, settings: Config, columns: Collection[str]) -> Spread | None:
        """Where `settings` say that rows of tables are scored, under the model from `model`; None: here."""
        place = workplace(settings.scoring)
        if place is None:
            return None
        return cls(ModelTask.of(model, fitted, settings, scoring_task), place, columns)


@dataclass
class PassResult:
    """What a pass came to: rows by outcome, what is to be said of the inputs, what muted rows.

    `workers`: how many of a cluster took part; None where all was done here.
    """

    counts: RowCounts = field(default_factory=RowCounts)
    warnings: list[str] = field(default_factory=list)
    muted_by: list[dict[str, Any]] = field(default_factory=list)
    workers: int | None = None


def score_inputs(
    fitted: FittedModel,
    inputs: Sequence[Input],
    see: Callable[[ScoredBatch], None],
    callback: Callback | None = None,
    session: ScoringSession | None = None,
    suppression: Suppression | None = None,
    spread: Spread | None = None,
) -> PassResult:
    """Score the rows of all inputs in order and show them to `see`, a batch at a time.

    With `session`, which was opened for these inputs, nothing is scored anew; otherwise `suppression`
    mutes rows. With `spread` workers score them, and `see` is shown what it says of the rows, and of the
    scores all but attribution and encoded values. Raises DataError or ModelError where an input cannot be
    used.
    """
    task = ScoreTask(fitted, inputs, session=session, suppression=suppression)
    summary = RunSummary(task.name, task.counts, {})
    callback = callback or Callback()
    if spread is None:
        consumer = Observing(lambda batch: see(ScoredBatch.of(batch)))
        read_inputs(Run(task, summary, consumer, callback), inputs)
    else:
        shipped = _Shipped(see, spread.columns)
        read_spread(Run(task, summary, shipped, callback), inputs, spread.recipe, spread.place)
    counts = RowCounts.of(summary.counts)
    return PassResult(counts, summary.warnings, muted_by(summary.counts), summary.workers)


def scoring_task(fitted: FittedModel) -> ScoreTask:
    """The task of another process, whose rows go to nobody but consumers."""
    return ScoreTask(fitted, ())


class _Shipped(Consumer):
    """Shows batches that workers scored, and handed over without what is not looked at."""

    def __init__(self, see: Callable[[ScoredBatch], None], columns: Collection[str]):
        self._see = see
        self._columns = columns

    def remote(self) -> RemoteConsumer:
        return partial(_shipper, columns=self._columns)

    def joined(self, states: Sequence[list[Processed]]) -> list[Processed]:
        return [batch for state in states for batch in state]

    def merge(self, source: Input, entry: FileSummary, state: list[Processed]) -> None:
        for batch in state:
            self._see(ScoredBatch.of(replace(batch, source=source)))


class _Shipper(Consumer):
    """Where rows are scored: keeps what is handed over of them."""

    def __init__(self, columns: Collection[str]):
        self._columns = columns
        self._batches: list[Processed] = []

    def see(self, batch: Processed) -> None:
        names = [name for name in self._columns if name in batch.rows.schema.names]
        # Who asks for a column that is not there is told which ones are.
        rows = batch.rows.select(names) if len(names) == len(self._columns) else batch.rows
        scores: Scores = batch.result.detail
        encoded = replace(scores.encoded, matrix=scores.encoded.matrix[:, :0], numbers=np.empty((0, 0)))
        thin = replace(scores, attribution=scores.attribution[:, :0], encoded=encoded)
        self._batches.append(Processed(_NOWHERE, batch.first, rows, replace(batch.result, detail=thin)))

    def state(self) -> list[Processed]:
        return self._batches


# Whoever is handed batches of an input has that.
_NOWHERE = TableInput(pa.table({}))


def _shipper(_: Task, columns: Collection[str]) -> Consumer:
    return _Shipper(columns)
