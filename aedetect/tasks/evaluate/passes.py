"""The pass over labelled rows: in this process, or by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.engine.distributed import workplace
from aedetect.io.source import Input
from aedetect.scoring.base import PriorRows
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.scorers import series_session
from aedetect.scoring.timed_rows import TimedRows
from aedetect.tasks.scored_rows import PassResult, ScoredBatch, Spread, score_inputs
from aedetect.tasks.spread_series import SpreadRun


def spread_of(
    model: str, fitted: FittedModel, settings: Config, columns: Collection[str]
) -> Spread | SpreadRun | None:
    """By whom rows are scored under the model from the file `model`; None for this process.

    `columns`: those of tables that are looked at here.
    """
    place = workplace(settings.scoring)
    if place is None or fitted.series is None:
        return Spread.of(model, fitted, settings, columns)
    return SpreadRun(place, model, settings, mute=None, output=None)


def scored(
    fitted: FittedModel,
    inputs: Sequence[Input],
    see: Callable[[ScoredBatch], None],
    callback: Callback | None,
    spread: Spread | SpreadRun | None,
) -> tuple[PassResult, TimedRows | None]:
    """Show all scored rows to `see`, in order; of series also whose they are and when, None of tables.

    Raises DataError or ModelError where an input cannot be used.
    """
    if not isinstance(spread, SpreadRun):
        session = series_session(fitted, inputs)
        passed = score_inputs(fitted, inputs, see, callback, session, spread=spread)
        return passed, None if session is None else TimedRows.of(session)
    callback = callback or Callback()
    reason = spread.why_not(fitted, inputs)
    if reason is not None:
        callback.notice(reason)
        return scored(fitted, inputs, see, callback, None)
    with spread.session(fitted, inputs, PriorRows(), None, callback.notice) as (spread_session, workers):
        passed = score_inputs(fitted, inputs, see, callback, spread_session)
    # The cluster is not kept waiting meanwhile.
    return replace(passed, workers=workers.taken_part), TimedRows.read(fitted, inputs)
