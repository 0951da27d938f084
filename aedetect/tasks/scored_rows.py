"""One scoring pass for those who want to see the rows and not write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from aedetect.engine.callbacks import Callback
from aedetect.engine.stream import Run, read_inputs
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Observing, Processed
from aedetect.io.source import Input
from aedetect.scoring.base import Scores, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import Suppression
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


@dataclass
class PassResult:
    """What a pass came to: rows by outcome, what is to be said of the inputs, what muted rows."""

    counts: RowCounts = field(default_factory=RowCounts)
    warnings: list[str] = field(default_factory=list)
    muted_by: list[dict[str, Any]] = field(default_factory=list)


def score_inputs(
    fitted: FittedModel,
    inputs: Sequence[Input],
    see: Callable[[ScoredBatch], None],
    callback: Callback | None = None,
    session: ScoringSession | None = None,
    suppression: Suppression | None = None,
) -> PassResult:
    """Score the rows of all inputs in order and show them to `see`, a batch at a time.

    With `session`, which was opened for these inputs, nothing is scored anew; otherwise `suppression`
    mutes rows. Raises DataError or ModelError where an input cannot be used.
    """
    task = ScoreTask(fitted, inputs, session=session, suppression=suppression)
    summary = RunSummary(task.name, task.counts, {})
    consumer = Observing(lambda batch: see(ScoredBatch.of(batch)))
    read_inputs(Run(task, summary, consumer, callback or Callback()), inputs)
    return PassResult(RowCounts.of(summary.counts), summary.warnings, muted_by(summary.counts))
