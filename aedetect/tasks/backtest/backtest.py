"""Score past rows once, and tell of several alert rates what would have fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.scoring.series import SeriesScorer
from aedetect.tasks.backtest.budget import RATES_TRIED, Budget
from aedetect.tasks.backtest.outcome import outcome_of, pace_of
from aedetect.tasks.backtest.past import Past
from aedetect.tasks.backtest.periods import dates_in_names
from aedetect.tasks.backtest.results import Backtest
from aedetect.tasks.backtest.row_times import OPTION, RowTimes, TimeColumn
from aedetect.tasks.backtest.series_past import SeriesPast
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

USUAL_RATES = (0.001, 0.01)


@dataclass(frozen=True)
class BacktestRequest:
    """Which alert rates are tried; `budget`: for which a rate is looked for.

    `time`: of tables, the column that tells the days.
    """

    rates: Sequence[float] = USUAL_RATES
    budget: Budget | None = None
    time: TimeColumn | None = None


def backtest(
    fitted: FittedModel, inputs: Sequence[Input], request: BacktestRequest, callback: Callback | None = None
) -> Backtest:
    """What would have fired on the rows of all inputs, as of one run over them.

    The verdicts at a rate are those of scoring with that alert rate. Keeps a few numbers for each day, dump
    and rate in memory. Raises UsageError for rates outside (0, 1), for a budget whose period nothing tells
    and for a column that is not there, DataError where its cells are no times, ModelError or DataError where
    an input cannot be used.
    """
    callback = callback or Callback()
    asked = sorted(set(request.rates))
    if not asked:
        raise UsageError("--rates: name at least one alert rate")
    tried = sorted({*asked, *(RATES_TRIED if request.budget else ())})
    models = {rate: fitted.with_threshold(alert_rate=rate) for rate in tried}
    # What is said of inputs is said at the finest rate that was asked for.
    base = models[asked[0]]
    if fitted.series is not None:
        past = _of_series(base, inputs, request, models, callback)
    else:
        past = _of_table(base, inputs, request, models, callback)
    lines = past.lines(asked)
    paces = [pace_of(past, past.period, tried.index(rate)) for rate in asked]
    budget = outcome_of(past, request.budget, models) if request.budget else None
    of_rates = [text for rate in asked for text in models[rate].threshold_policy.warnings]
    of_budget = budget.warnings if budget else ()
    warnings = list(dict.fromkeys([*past.warnings, *_trained_on(fitted, inputs), *of_rates, *of_budget]))
    return Backtest(
        past.unit,
        asked,
        lines.whole,
        lines.days,
        past.days_by,
        past.in_names,
        lines.untimed,
        lines.dumps,
        paces,
        past.periods(past.period),
        budget,
        warnings,
    )


def _of_series(
    base: FittedModel,
    inputs: Sequence[Input],
    request: BacktestRequest,
    models: Mapping[float, FittedModel],
    callback: Callback,
) -> Past:
    assert base.series is not None
    clock = base.series.state.clock
    if request.time is not None:
        raise UsageError(
            f"{OPTION}: a model of time series has its time column, {clock.column!r}; leave out {OPTION}"
        )
    counted = clock.kind == "count"
    if counted:
        _check_days(request.budget, f"column {clock.column!r} counts steps, which are on no day; ")
    days_by = None if counted else f"by time column {clock.column!r}{_in_zone(clock.zone_name)}"
    past = Past("events", inputs, list(models), days_by, step=base.series.state.step)
    past.count_periods(request.budget)
    callback.stage("reading and scoring the series")
    watch = SeriesPast(past, list(models.values()))
    session = SeriesScorer(base).open_watched(inputs, watch.see)
    passed = score_inputs(base, inputs, lambda batch: None, callback, session)
    past.warnings += passed.warnings
    return past


def _of_table(
    base: FittedModel,
    inputs: Sequence[Input],
    request: BacktestRequest,
    models: Mapping[float, FittedModel],
    callback: Callback,
) -> Past:
    times = RowTimes(base, inputs, request.time, callback) if request.time else None
    in_names = None if times else dates_in_names(inputs)
    days_by = None
    if times is not None:
        days_by = f"by column {times.clock.column!r}{_in_zone(times.clock.zone_name)}"
    elif in_names is not None:
        days_by = "by the dates in the names of the inputs"
    else:
        _check_days(
            request.budget,
            f"nothing says on which day rows are; name their time column ({OPTION} COLUMN), or ",
        )
    past = Past("rows", inputs, list(models), days_by, in_names is not None)
    past.count_periods(request.budget)
    if in_names is not None and request.budget and request.budget.period == "hour":
        _check_days(
            request.budget, f"dates in names tell days alone; name a time column ({OPTION} COLUMN), or "
        )
    # Finer rates have higher thresholds.
    thresholds = np.array([model.threshold for model in models.values()])[::-1]
    places = {id(source): place for place, source in enumerate(inputs)}

    def see(batch: ScoredBatch) -> None:
        scores, unscorable = batch.scores.scores, batch.scores.unscorable
        place = places[id(batch.source)]
        local = _local(batch, times, in_names, place)
        dumps = np.full(len(scores), place, dtype=np.int64)
        past.add_rows(local, dumps, unscorable)
        if base.group_thresholds is not None:
            # With one threshold for each group, what is flagged at one rate may not be at a looser one.
            for rate, model in enumerate(models.values()):
                flagged = ~unscorable & (scores > model.thresholds(batch.scores.encoded.groups))
                past.add_flagged(local[flagged], dumps[flagged], rate)
            return
        exceeded = np.searchsorted(thresholds, np.where(unscorable, -np.inf, scores), side="left")
        flagged = exceeded > 0
        past.add_flagged_from(local[flagged], dumps[flagged], len(thresholds) - exceeded[flagged])

    if request.time is not None:
        # The column is named here, so that it is not called an unknown one.
        data = base.config.data.model_copy(update={"label": request.time.name})
        base = replace(base, config=base.config.model_copy(update={"data": data}))
    passed = score_inputs(base, inputs, see, callback)
    past.warnings += [*passed.warnings, *(times.warnings() if times else [])]
    return past


def _local(
    batch: ScoredBatch, times: RowTimes | None, in_names: Sequence[float] | None, place: int
) -> Floats:
    """When the rows of a batch are by the wall clock; NaN where nothing says."""
    if times is not None:
        return times.local(batch)
    return np.full(len(batch.rows), np.nan if in_names is None else in_names[place])


def _check_days(budget: Budget | None, why: str) -> None:
    if budget is not None and budget.period != "dump":
        raise UsageError(
            f"--budget {budget}: {why}give the budget for each input, as in {budget.count:g}/dump"
        )


def _in_zone(zone_name: str) -> str:
    return f" ({zone_name.strip()})" if zone_name else ""


def _trained_on(fitted: FittedModel, inputs: Sequence[Input]) -> list[str]:
    """Of files that bear the name of one that was learned from; tables in memory have no names."""
    learned = set(fitted.training.inputs)
    files = [source.name for source in inputs if isinstance(source, FileInput)]
    named = [name for name in files if name in learned]
    if not named:
        return []
    return [
        f"{named[0]}{f' and {len(named) - 1:,} more' if len(named) > 1 else ''}: the model was trained on an "
        "input of this name; on rows that it learned, less fires than on new ones"
    ]
