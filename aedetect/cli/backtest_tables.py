"""What `aedetect backtest` shows people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from aedetect.cli.sparkline import bars
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.backtest import Backtest, BudgetOutcome, Line
    from aedetect.tasks.backtest.results import Pace

# More lines than this are not read: then those with most alarms are shown.
MOST_LINES = 14
_FEWER_LINES = 10
# Marks of a chart that fit beside a rate.
_MARKS = 66


def headline(result: Backtest) -> str:
    """How many rows there were, and on which days."""
    dumps = counted(len(result.dumps), "dump")
    rows = f"{counted(result.whole.rows, 'row')} of {dumps}"
    if result.whole.unscorable:
        rows += f", {result.whole.unscorable:,} of them unscorable"
    if result.days is None:
        return rows
    if not result.days:
        return f"{rows}, on no day"
    first, last = result.days[0].name, result.days[-1].name
    when = first if first == last else f"{first} to {last}"
    return f"{rows}, {counted(len(result.days), 'day')} with rows: {when}, {result.days_by}"


def rates(result: Backtest) -> Table:
    """What would have fired at each rate."""
    events = result.unit == "events"
    a_period = f"a {result.period}"
    headers = ["alert rate", "flagged rows", "share", *(["events"] if events else []), a_period, "at most"]
    table = simple_table(*headers, "", right=tuple(headers[1:]))
    for pace in result.paces:
        fired = result.whole.fired[pace.rate]
        share = f"{fired.flagged / result.whole.rows:.2%}" if result.whole.rows else ""
        of_events = [f"{fired.events:,}"] if events else []
        at = plain(pace.most_at, 30) if pace.most_at else ""
        table.add_row(
            f"{pace.rate:g}", f"{fired.flagged:,}", share, *of_events, mean_of(pace), f"{pace.most:,}", at
        )
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


def lines_table(result: Backtest, lines: Sequence[Line], name: str) -> tuple[Table, str | None]:
    """Days or dumps; of many those with most alarms, and then a sentence that says so."""
    note = None
    if len(lines) > MOST_LINES:
        loosest = max(result.rates)
        fired = sorted(
            range(len(lines)), key=lambda place: (-lines[place].fired[loosest].of(result.unit), place)
        )
        chosen = sorted(
            place for place in fired[:_FEWER_LINES] if lines[place].fired[loosest].of(result.unit)
        )
        note = (
            f"the {counted(len(chosen), name)} with most {unit_of(result.unit)} of {len(lines):,}; "
            "-o FILE or --json gives all"
        )
        lines = [lines[place] for place in chosen]
    headers = ["rows"]
    for rate in result.rates:
        headers += [f"flagged at {rate:g}"] + ([f"events at {rate:g}"] if result.unit == "events" else [])
    table = simple_table(name, *headers, right=tuple(headers))
    for line in lines:
        cells = [f"{line.rows:,}"]
        for rate in result.rates:
            fired_at = line.fired[rate]
            cells.append(f"{fired_at.flagged:,}")
            if result.unit == "events":
                cells.append(f"{fired_at.events:,}")
        table.add_row(plain(line.name, 30), *cells)
    return table, note


def budget_in_words(outcome: BudgetOutcome) -> str:
    """Which rate keeps the budget, and what it would have been."""
    budget, unit = outcome.budget, unit_of(outcome.unit)
    asked = f"budget of {budget.count:g} {unit} a {budget.period}"
    over = f"over {_periods(outcome)}"
    if outcome.chosen is None:
        return (
            f"{asked}: no rate tried keeps it; even at {outcome.finest.rate:g} it would have been "
            f"{mean_of(outcome.finest)} a {budget.period} on average {over}{_at_most(outcome.finest)}"
        )
    chosen = outcome.chosen
    text = (
        f"{asked}: --alert-rate {chosen.rate:g} keeps it, with {mean_of(chosen)} a {budget.period} on "
        f"average {over}{_at_most(chosen)}"
    )
    if outcome.looser is None:
        return f"{text}; that is the loosest rate tried"
    looser = outcome.looser
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
    return f", at most {pace.most:,} ({pace.most_at})" if pace.most_at else ""


def _periods(outcome: BudgetOutcome) -> str:
    count = round(outcome.periods, 1)
    return f"{count:,g} {outcome.budget.period}{'s' * (count != 1)}"


def _places(result: Backtest) -> list[int]:
    """Where each day or dump stands in the chart: days without rows take room, too."""
    if result.days is None:
        return list(range(len(result.dumps)))
    days = [date.fromisoformat(line.name).toordinal() for line in result.days]
    return [day - days[0] for day in days]
