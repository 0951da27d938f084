"""Messages on data at hand: what Python callers use, without outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.engine.callbacks import Callback
from aedetect.engine.run import opened_ledger
from aedetect.engine.stream import Run, read_inputs
from aedetect.engine.summary import RunSummary
from aedetect.io.lock import Locks
from aedetect.io.source import Input
from aedetect.tasks.notify.notifier import Notifier, Outcome
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.score import ScoreTask

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel


def notify(
    fitted: FittedModel,
    inputs: Sequence[Input],
    request: NotifyRequest,
    name: str,
    state: str | None,
    callback: Callback,
) -> Outcome:
    """Score the inputs, and tell of what is flagged; `name` and `state` as of `Notifier`.

    Raises DataError or ModelError where an input cannot be used, OutputError where the state file cannot.
    """
    with Locks([state] if state is not None else []), opened_ledger(None if state is None else Path(state)):
        notifier = Notifier(request, fitted, name, name, state)
        task = ScoreTask(fitted, inputs, session=notifier.opened(inputs))
        summary = RunSummary(task.name, task.counts, {})
        read_inputs(Run(task, summary, notifier.consumer, callback), inputs)
        notifier.consumer.check(inputs[-1])
        return notifier.send(summary, task.session, callback)
