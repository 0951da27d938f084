"""The health of files without a ledger: those that came before are read again."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from aedetect.engine.callbacks import Callback
from aedetect.engine.deliveries import Delivery
from aedetect.engine.ledger import look, place_of
from aedetect.engine.stream import Run, read_inputs
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, Processed
from aedetect.errors import UsageError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.scoring.base import PriorRows
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.health.facts import FactsCollector, check_entity
from aedetect.tasks.health.finding import Health
from aedetect.tasks.health.judge import Circumstances, Judged, judge
from aedetect.tasks.health.of_run import of_session
from aedetect.tasks.score import ScoreTask


def of_files(
    fitted: FittedModel,
    inputs: Sequence[Input],
    history: Sequence[Input],
    entity: str | None,
    callback: Callback,
) -> Health:
    """What is found of `inputs`, held against the files of `history`, and of series without rows.

    `entity`: of tables, the column that names what rows are of. Raises UsageError for what is no file, and
    DataError or ModelError where one cannot be used.
    """
    check_entity(fitted, entity, inputs)
    of_history, of_inputs = _files(history), _files(inputs)
    places = {place_of(source) for source in of_inputs}
    of_history = [source for source in of_history if place_of(source) not in places]
    prior = PriorRows(of_history if fitted.series is not None else ())
    task = ScoreTask(fitted, of_inputs, None, prior)
    health = of_session(task.session, fitted)
    counted = _Counted(FactsCollector(fitted, entity))
    for each, files in ((task, of_inputs), (ScoreTask(fitted, of_history), of_history)):
        if files:
            read_inputs(Run(each, RunSummary(each.name, each.counts, {}), counted, callback), files)
    deliveries = [counted.delivery(source) for source in (*of_history, *of_inputs)]
    judged = [
        Judged(delivery.path, delivery.modified, source.name)
        for source, delivery in zip(of_inputs, deliveries[len(of_history) :], strict=True)
    ]
    health.add(judge(deliveries, judged, Circumstances("", max(fitted.window, 1), time.time())))
    return health


def _files(inputs: Sequence[Input]) -> list[FileInput]:
    files = [source for source in inputs if isinstance(source, FileInput)]
    if len(files) < len(inputs):
        raise UsageError("health judges files by their names and times of change; give paths")
    return files


class _Counted(Consumer):
    """Counts the rows of each file, and gathers what else is seen of it."""

    def __init__(self, facts: FactsCollector):
        self._facts = facts
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def see(self, batch: Processed) -> None:
        if batch.source.name not in self._counts:
            self._facts.begin(batch.source)
        self._counts[batch.source.name].update(batch.result.counts)
        self._facts.see(batch)

    def delivery(self, source: FileInput) -> Delivery:
        """What was counted of a file."""
        counts = self._counts[source.name]
        facts = self._facts.facts(source) if counts["rows"] else None
        modified = look(source).modified
        return Delivery.of(place_of(source), modified, counts["rows"], counts["anomalies"], facts)
