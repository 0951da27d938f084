"""`aedetect backtest`: what would have fired, day by day, at which rate."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_at_columns, opened, running, stdout_for_one, warn_of
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import OUTPUT, THRESHOLD, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.sparkline import levels_of
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.backtest import Backtest, BacktestRequest

USUAL_RATES = "0.001,0.01"
_STDOUT = "-"


@dataclass(frozen=True)
class Asked:
    """What is tried, and where the days go."""

    request: BacktestRequest
    output: str | None


def backtest(
    inputs: options.Inputs,
    model: options.ModelOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    rates: str = option(
        "--rates R,R",
        f"Alert rates to try, as 0.001,1%; default: {USUAL_RATES}.",
        panel=THRESHOLD,
        default=USUAL_RATES,
    ),
    budget: str | None = option(
        "--budget N/PERIOD",
        "Also find the rate that gives at most N alarms an hour, day, week or dump on average, as 5/day: "
        "events of time series, flagged rows of tables.",
        panel=THRESHOLD,
    ),
    time_of: str | None = option(
        "--time-of COLUMN",
        "Of tables: the column that tells on which day a row is; default: dates in the names of the inputs.",
        completion.columns,
    ),
    time_format: str | None = option(
        "--time-format FORMAT", "How --time-of is written, e.g. '%d/%m/%Y %H:%M', or epoch or excel (days)."
    ),
    time_zone: str | None = option(
        "--time-zone ZONE",
        "Zone of the days of --time-of, and of its times without one; default: as written.",
        completion.time_zones,
    ),
    adapt: options.Adapt = None,
    output: str | None = option(
        "--output -o FILE",
        "Write the days, or the dumps, as a table: a line for each and each rate.",
        panel=OUTPUT,
    ),
) -> None:
    """Tell what would have fired on past rows at several alert rates, by day and by dump.

    Rows are scored once; the verdicts at each rate are those that `score --alert-rate` gives on all inputs
    together. With --budget, the rate is looked for that would have kept it: the loosest of those tried, all
    finer ones keeping it too. Use rows that the model was not trained on.

    Example: aedetect backtest 'dumps/*.csv' -m model.aed --rates 0.001,0.01 --budget 5/day
    """
    with running("backtest", messages) as out:
        tried = options.rates(rates, "--rates")
        for flag, value in (("--time-format", time_format), ("--time-zone", time_zone)):
            if value is not None and time_of is None:
                raise UsageError(f"{flag} says how --time-of COLUMN is read; give that column")
        if messages.json and output == _STDOUT:
            raise stdout_for_one("--json", "-o -")
        look(inputs, model)
        settings = run.settings(reading.overrides(), {"series.adapt": adapt})
        look_at_columns(inputs, model, settings)
        _check_free(settings)
        from aedetect.tasks.backtest import BacktestRequest, Budget
        from aedetect.tasks.backtest.row_times import TimeColumn

        time = TimeColumn(time_of, time_format, time_zone) if time_of is not None else None
        request = BacktestRequest(tried, None if budget is None else Budget.parse(budget), time)
        result = _backtest(out, inputs, model, Asked(request, output), settings)
        adapting = [] if adapt is None else ["--adapt", adapt]
        _next(out, inputs, model, result, [*Given(reading, run).words, *adapting], time_of)


def _check_free(settings: Config) -> None:
    """Raises UsageError for settings that would overrule the rates."""
    for name in ("value", "alarms_per_day"):
        if getattr(settings.threshold, name) is not None:
            raise UsageError(
                f"threshold.{name} is set, which overrules alert rates; leave it out to try some"
            )


def _check_adapts(settings: Config, fitted: FittedModel, model: options.ModelOptions) -> None:
    from aedetect.tasks.score_run import nothing_adapts

    rated = fitted.with_threshold(alert_rate=fitted.config.threshold.alert_rate)
    if "adapt" in settings.series.model_fields_set and rated.alarm_rule is None:
        raise UsageError(nothing_adapts(rated, model.model, "--adapt"))


def _backtest(
    out: Output, words: list[str], model: options.ModelOptions, asked: Asked, settings: Config
) -> Backtest:
    from aedetect.engine.plan import plan_side_output
    from aedetect.engine.summary import Clock, envelope
    from aedetect.io.lock import Locks
    from aedetect.tasks.backtest import backtest
    from aedetect.tasks.backtest.day_table import write_lines

    clock = Clock()
    subject = opened(words, model, settings)
    _check_adapts(settings, subject.fitted, model)
    plan_side_output("-o", asked.output, subject.sources, [], model.model)
    with Locks([asked.output] if asked.output else []), TerminalProgress(out) as callback:
        result = backtest(subject.fitted, subject.sources, asked.request, callback)
        if asked.output is not None:
            write_lines(result, asked.output)
    warnings = [*subject.left_out, *result.warnings]
    warn_of(out, warnings, callback.notices)
    body = {**result.as_dict(), "output": asked.output, "warnings": warnings}
    out.result(envelope("backtest", subject.entry, body, clock.as_dict()))
    if not (out.json or out.quiet or asked.output == _STDOUT):
        _show(out, result, asked.output)
    return result


def _show(out: Output, result: Backtest, output: str | None) -> None:
    from aedetect.cli import backtest_tables as tables

    out.say(tables.headline(result))
    out.say()
    out.figures(tables.rates(result))
    for place, line in enumerate(tables.chart(result, levels_of(sys.stdout))):
        if not place:
            out.say()
        out.say_whole(line)
    for table, note in tables.lines_tables(result):
        out.say()
        if table.row_count:
            out.figures(table)
        if note:
            out.say(note)
    if result.budget is not None:
        out.say()
        out.say(tables.budget_in_words(result.budget))
    if output is not None:
        out.say()
        out.say(f"{result.period}s: {output}")


def _next(
    out: Output,
    inputs: list[str],
    model: options.ModelOptions,
    result: Backtest,
    given: list[str],
    time_of: str | None,
) -> None:
    """The commands that take the rate that keeps the budget, or that ask for one."""
    if result.budget is None:
        when = [] if time_of is None else ["--time-of", time_of]
        wanted = f"5/{result.period}"
        next_steps(out, ["backtest", *inputs, "-m", model.model, "--budget", wanted, *when, *given])
    elif result.budget.chosen is not None:
        rate = ["--alert-rate", f"{result.budget.chosen.rate:g}"]
        scored = beside(inputs[0], "-scored.csv")
        newer = beside(str(model.model), "-new.aed")
        next_steps(
            out,
            ["score", *inputs, "-m", model.model, "-o", scored, *rate, *given],
            ["calibrate", "-m", model.model, "-o", newer, *rate],
        )
