"""What `aedetect backtest` shows people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from aedetect.cli.sparkline import bars
from aedetect.cli.tables import simple_table
from aedetect.cli.text import MOST_SHOWN, counted, plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.backtest import Backtest, BudgetOutcome, Line
    from aedetect.tasks.backtest.results import Pace

# More lines than this are not read: then those with most alarms are shown.
MOST_LINES = 14
_FEWER_LINES = 10
# Marks of a chart that fit beside a rate.
_MARKS = 64
_LONGEST_NAME = 30


def headline(result: Backtest) -> str:
    """How many rows there were, and on which days."""
    dumps = result.dumps
    rows = counted(result.whole.rows, "row")
    text = f"{dumps[0].name}: {rows}" if len(dumps) == 1 else f"{rows} of {counted(len(dumps), 'dump')}"
    if result.whole.unscorable:
        text += f", {result.whole.unscorable:,} of them unscorable"
    if result.days is None:
        return text
    if not result.days:
        return f"{text}, on no day"
    first, last = result.days[0].name, result.days[-1].name
    when = first if first == last else f"{first} to {last}"
    return f"{text}, {counted(len(result.days), 'day')} with rows, {when}, {result.days_by}"


def rates(result: Backtest) -> Table:
    """What would have fired at each rate, in all and in a period."""
    events, several = result.unit == "events", len(result.lines) > 1
    headers = ["flagged rows", "share", *(["events"] if events else [])]
    of_periods = [f"a {result.period}", "at most", "in"] if several else []
    table = simple_table("alert rate", *headers, *of_periods, right=(*headers, *of_periods[:2]))
    for pace in result.paces:
        fired = result.whole.fired[pace.rate]
        share = f"{fired.flagged / result.whole.rows:.2%}" if result.whole.rows else ""
        cells = [f"{pace.rate:g}", f"{fired.flagged:,}", share, *([f"{fired.events:,}"] if events else [])]
        if several:
            cells += [mean_of(pace), f"{pace.most:,}", plain(pace.most_at or "", _LONGEST_NAME)]
        table.add_row(*cells)
    return table


def chart(result: Backtest, levels: str) -> list[str]:
    """Alarms over time, a line of bars for each rate, and what they are; nothing where there is one mark."""
    places = _places(result)
    if len(result.lines) < 2:
        return []
    width = math.ceil((places[-1] + 1) / _MARKS)
    marks = places[-1] // width + 1
    lines = []
    for rate in result.rates:
        counts = [math.nan] * marks
        for place, line in zip(places, result.lines, strict=True):
            count, mark = line.fired[rate].of(result.unit), place // width
            counts[mark] = count if math.isnan(counts[mark]) else max(counts[mark], count)
        most = int(max(count for count in counts if not math.isnan(count)))
        lines.append(f"{rate:<8g} {bars(counts, levels)}  to {most:,}")
    each = f"a {result.period}" if width == 1 else f"a {result.period}, the most of {width:,} in each mark"
    return [f"{unit_of(result.unit)} {each}:", *lines]


def lines_tables(result: Backtest) -> list[tuple[Table, str | None]]:
    """Days, and dumps where they tell more; of many those with most alarms, with a sentence that says so."""
    tables = []
    if result.days:
        tables.append(_lines_table(result, result.days, "day"))
    days_are_dumps = result.in_names and result.days is not None and len(result.days) == len(result.dumps)
    if len(result.dumps) > 1 and not days_are_dumps:
        tables.append(_lines_table(result, result.dumps, "dump"))
    return tables


def _lines_table(result: Backtest, lines: Sequence[Line], name: str) -> tuple[Table, str | None]:
    note = None
    if len(lines) > MOST_LINES:
        counts = [line.fired[max(result.rates)].of(result.unit) for line in lines]
        order = sorted(range(len(lines)), key=lambda place: (-counts[place], place))
        chosen = sorted(place for place in order[:_FEWER_LINES] if counts[place])
        where = "-o FILE or --json" if name == result.period else "--json"
        note = f"{_shown(chosen, counts, name, unit_of(result.unit))}; {where} gives all"
        lines = [lines[place] for place in chosen]
    events = result.unit == "events"
    headers = ["rows"]
    for rate in result.rates:
        headers += [f"{rate:g}: events", f"{rate:g}: rows"] if events else [f"flagged at {rate:g}"]
    table = simple_table(name, *headers, right=tuple(headers))
    untimed = [result.untimed] if name == "day" and result.untimed else []
    for line in [*lines, *untimed]:
        cells = [f"{line.rows:,}"]
        for rate in result.rates:
            fired = line.fired[rate]
            cells += ([f"{fired.events:,}"] if events else []) + [f"{fired.flagged:,}"]
        table.add_row(plain(line.name, _LONGEST_NAME), *cells)
    return table, note


def _shown(chosen: Sequence[int], counts: Sequence[int], name: str, unit: str) -> str:
    """Which of many days or dumps are shown: the `chosen` ones of those with so many alarms each."""
    of_all = f"of {len(counts):,} {name}s"
    if not chosen:
        return f"none {of_all} has {unit}"
    if len(chosen) == sum(count > 0 for count in counts):
        return f"{of_all} those with {unit}"
    return f"{of_all} the {len(chosen):,} with most {unit}"


def budget_in_words(outcome: BudgetOutcome) -> str:
    """Which rate keeps the budget, and what it would have been."""
    budget = outcome.budget
    unit = unit_of(outcome.unit).removesuffix("s") if budget.count == 1 else unit_of(outcome.unit)
    each = f"{'an' if budget.period == 'hour' else 'a'} {budget.period}"
    asked = f"budget of {budget.count:g} {unit} {each}"
    over = f"over {_periods(outcome)}"
    if outcome.chosen is None:
        return (
            f"{asked}: no rate tried keeps it; even at {outcome.finest.rate:g} it would have been "
            f"{mean_of(outcome.finest)} {each} on average {over}{_at_most(outcome.finest)}"
        )
    chosen, looser = outcome.chosen, outcome.looser
    text = (
        f"{asked}: --alert-rate {chosen.rate:g} keeps it, with {mean_of(chosen)} {each} on average "
        f"{over}{_at_most(chosen)}"
    )
    if looser is None:
        return f"{text}; that is the loosest rate tried"
    return f"{text}; at {looser.rate:g}, the next rate tried, it would have been {mean_of(looser)}"


def unit_of(unit: str) -> str:
    """What alarms are counted by, for people."""
    return "events" if unit == "events" else "flagged rows"


def mean_of(pace: Pace) -> str:
    """An average to two digits or more, as it is read: '0.064', '5.2', '1,240'."""
    if pace.mean >= 100:
        return f"{pace.mean:,.0f}"
    return f"{pace.mean:.3g}" if pace.mean >= 1 else f"{pace.mean:.2g}"


def _at_most(pace: Pace) -> str:
    return f", at most {pace.most:,} ({plain(pace.most_at, MOST_SHOWN)})" if pace.most_at else ""


def _periods(outcome: BudgetOutcome) -> str:
    count = round(outcome.periods, 1)
    return f"{count:,g} {outcome.budget.period}{'s' * (count != 1)}"


def _places(result: Backtest) -> list[int]:
    """Where each day or dump stands in the chart: days without rows take room, too."""
    if result.days is None:
        return list(range(len(result.dumps)))
    days = [date.fromisoformat(line.name).toordinal() for line in result.days]
    return [day - days[0] for day in days]
