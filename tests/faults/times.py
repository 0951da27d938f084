"""Dates and times as people write them: what columns of them are taken for, and how bad ones end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from faults.kit import TRAIN, Check, Fault, Files, roles
from support.prompt import Prompt, Result

JSON = (*TRAIN, "--json")
START = datetime(2026, 1, 1)


def dumps(
    spelling: Callable[[datetime], str], name: str = "day", hours: float = 6, count: int = 240
) -> Files:
    """in.csv and next.csv, which goes on where the first ends; a date as `spelling` has it beside numbers."""

    def make(prompt: Prompt) -> None:
        for part, path in enumerate(("in.csv", "next.csv")):
            rng = np.random.default_rng(part)
            lines = [f"{name},qty,weight"]
            for row in range(part * count, part * count + count):
                when = START + timedelta(hours=hours * row)
                lines.append(f'"{spelling(when)}",{rng.integers(1, 20)},{rng.normal(5, 1):.3f}')
            prompt.write(path, "\n".join(lines) + "\n")

    return make


def written(template: str) -> Callable[[datetime], str]:
    return lambda when: when.strftime(template)


def epoch(per_second: int) -> Callable[[datetime], str]:
    return lambda when: str(int((when - datetime(1970, 1, 1)).total_seconds()) * per_second)


def week(when: datetime) -> str:
    year, number, _ = when.isocalendar()
    return f"{year}-W{number:02d}"


def taken(notice: str, **expected: str) -> Check:
    """Training says this of the column, and at most some rows of the next dump are flagged."""

    def check(prompt: Prompt, result: Result) -> None:
        roles(**expected)(prompt, result)
        assert result.json()["warnings"][0] == notice
        scored = prompt("score", "next.csv", "-m", "new.aed", "-o", "out.csv", "--json")
        assert scored.exit_code == 0, scored.stderr
        assert scored.json()["unscorable"] == 0
        assert scored.json()["anomaly_share"] <= 0.05

    return check


def read_as(example: str, learned: str, other: str = "categorical", name: str = "day") -> Check:
    return taken(
        f"column {name!r}: {example}; its {learned} learned; --role {name}={other} if that is wrong",
        **{name: "datetime"},
    )


def fits(
    title: str, template: str | Callable[[datetime], str], check: Check, words: str = "", **made: object
) -> Fault:
    spelling = written(template) if isinstance(template, str) else template
    files = dumps(spelling, **made)  # type: ignore[arg-type]
    return Fault(0, title, files, (JSON,), f"in.csv {words}".strip(), 0, holds=check)


def fails(title: str, files: Files, words: str, exit_code: int, text: str) -> Fault:
    return Fault(0, title, files, (TRAIN,), words, exit_code, text)


def one_bad(template: str, bad: str) -> Files:
    """A column of dates, of which the 201st is none."""
    count = iter(range(10**6))
    return dumps(lambda when: bad if next(count) == 200 else when.strftime(template))


BOTH_LEARNED = "hour and weekday are"
SPELLINGS = [
    fits("dates with dots", "%d.%m.%Y",
         read_as("'02.01.2026' is read as 2 January 2026 (day first)", "weekday is")),
    fits("dates with dots and times", "%d.%m.%Y %H:%M",
         read_as("'02.01.2026 00:00' is read as 2 January 2026 (day first)", BOTH_LEARNED)),
    fits("dates with slashes day first", "%d/%m/%Y %H:%M",
         read_as("'02/01/2026 00:00' is read as 2 January 2026 (day first)", BOTH_LEARNED)),
    fits("dates with slashes month first", "%m/%d/%Y",
         read_as("'01/02/2026' is read as 2 January 2026 (month first)", "weekday is")),
    fits("dates with slashes year first", "%Y/%m/%d",
         read_as("'2026/01/01' is read as 1 January 2026", "weekday is")),
    fits("short months", "%d-%b-%y", read_as("'01-Jan-26' is read as 1 January 2026", "weekday is")),
    fits("months in words", "%B %d, %Y",
         read_as("'January 01, 2026' is read as 1 January 2026", "weekday is")),
    fits("days as numbers", "%Y%m%d",
         read_as("'20260101' is read as 1 January 2026", "weekday is", "numeric")),
    fits("instants as numbers", "%Y%m%d%H%M%S",
         read_as("'20260101000000' is read as 1 January 2026", BOTH_LEARNED, "numeric")),
    fits("epoch seconds", epoch(1),
         read_as("'1767225600' is read as 1 January 2026 00:00 UTC (seconds since 1970)", BOTH_LEARNED,
                 "numeric", "created"), name="created"),
    fits("epoch milliseconds without a name", epoch(1000),
         read_as("'1767225600000' is read as 1 January 2026 00:00 UTC (milliseconds since 1970)",
                 BOTH_LEARNED, "numeric", "v"), name="v"),
    fits("months of two months", "%Y-%m",
         taken("column 'day' is left out: January 2026 to March 2026, too short a time to learn a rhythm "
               "from; '2026-01' is read as January 2026; --role day=categorical if that is wrong",
               day="ignored")),
    fits("weeks", week,
         taken("column 'day' is left out: 2025-12-29 to 2026-02-23, too short a time to learn a rhythm from; "
               "'2026-W01' is read as the week of 29 December 2025; --role day=categorical if that is wrong",
               day="ignored")),
    fits("one day", lambda when: "05.01.2026",
         taken("column 'day' is left out: the same instant in every row; '05.01.2026' is read as 5 January "
               "2026 (day first); --role day=categorical if that is wrong", day="ignored")),
    fits("times of day", "%H:%M:%S", read_as("'00:00:00' is read as a time of day", "hour is"), hours=5),
    fits("days that may be months", "%d/%m/%Y",
         taken("column 'day' is left out: '02/01/2026' may be 2 January 2026 (day first) or 1 February 2026 "
               "(month first), and no cell settles it; say which with --role day=datetime "
               "--time-format '%d/%m/%Y'", day="ignored"), hours=1),
]  # fmt: skip

BAD = [
    fails("one bad date", one_bad("%Y-%m-%d", "2026-02-30"), "in.csv", 3,
          "in.csv: row 201 (line 202), column 'day': '2026-02-30' is no date; repair it, give --na-values "
          "'2026-02-30' if it means 'missing', --time-format if dates are written so, or "
          "--role day=categorical"),
    fails("one bad date with dots", one_bad("%d.%m.%Y", "31.02.2026"), "in.csv", 3,
          "in.csv: row 201 (line 202), column 'day': '31.02.2026' is no date; repair it, give --na-values "
          "'31.02.2026' if it means 'missing', --time-format if dates are written so, or "
          "--role day=categorical"),
]  # fmt: skip

ROLE = "in.csv --role day=datetime"


def by_hand(*warnings: str) -> Check:
    """The column is a date, and this is said of it."""

    def check(prompt: Prompt, result: Result) -> None:
        roles(day="datetime")(prompt, result)
        said = [text for text in result.json()["warnings"] if text.startswith("column 'day'")]
        assert said == list(warnings)

    return check


ROLES = [
    fits("role of epoch seconds", epoch(1),
         by_hand("column 'day': '1767225600' is read as 1 January 2026 00:00 UTC (seconds since 1970)"),
         "--role day=datetime"),
    fits("role of days as numbers", "%Y%m%d", by_hand("column 'day': '20260101' is read as 1 January 2026"),
         "--role day=datetime"),
    fits("role of dates with dots", "%d.%m.%Y",
         by_hand("column 'day': '02.01.2026' is read as 2 January 2026 (day first)"), "--role day=datetime"),
    fits("role with a format", "%d/%m/%Y", by_hand(), "--role day=datetime --time-format %d/%m/%Y", hours=1),
    fits("role with a format of ones own", "%Y_%j", by_hand(), "--role day=datetime --time-format %Y_%j"),
    fits("role with epoch", epoch(1),
         by_hand("column 'day': '1767225600' is read as 1 January 2026 00:00 UTC (seconds since 1970)"),
         "--role day=datetime --time-format epoch"),
    fails("role of what is no date", dumps(written("%Y_%j")), ROLE, 3,
          "in.csv: row 1 (line 2), column 'day': '2026_001' is no date; repair it, give --na-values "
          "'2026_001' if it means 'missing', --time-format if dates are written so, or "
          "--role day=categorical"),
    fails("role of numbers that are no dates", dumps(written("%j")), ROLE, 3,
          "in.csv: column 'day': numbers from 1 to 60 cannot be read as dates; say how they are written, "
          "e.g. --time-format '%Y%m%d', epoch or excel, or leave out --role for it"),
    fails("role of days that may be months", dumps(written("%d/%m/%Y"), hours=1), ROLE, 3,
          "in.csv: column 'day': '02/01/2026' may be 2 January 2026 (day first) or 1 February 2026 (month "
          "first), and no cell settles it; say which with --role day=datetime --time-format '%d/%m/%Y'"),
    fails("role and another format", one_bad("%Y_%j", "soon"), f"{ROLE} --time-format %Y_%j", 3,
          "in.csv: row 201 (line 202), column 'day': 'soon' is not written as --time-format '%Y_%j' says; "
          "repair it, or correct the format"),
    fails("role and epoch that is none", dumps(written("%d.%m.%Y")), f"{ROLE} --time-format epoch", 3,
          "in.csv: column 'day' holds no seconds since 1970; correct --time-format epoch"),
    fails("role and steps", dumps(written("%d.%m.%Y")), f"{ROLE} --time-format steps", 2,
          "--time-format steps: steps are no dates; it goes with --time COLUMN"),
    fails("format of nothing", dumps(written("%d.%m.%Y")), "in.csv --time-format epoch", 2,
          "--time-format goes with --time COLUMN, which makes time series of the rows, with --role "
          "COLUMN=datetime, or with --calendar and --time-of"),
]  # fmt: skip


def timed(line: str, *warnings: str) -> Check:
    """Training as series says when they are, and what was guessed."""

    def check(_: Prompt, result: Result) -> None:
        assert line in result.stdout.splitlines()
        said = [text for text in result.stderr.splitlines() if "column 'when'" in text]
        assert said == [f"warning: {text}" for text in warnings]

    return check


def series(title: str, template: str | Callable[[datetime], str], check: Check, **made: object) -> Fault:
    spelling = written(template) if isinstance(template, str) else template
    files = dumps(spelling, name="when", **made)  # type: ignore[arg-type]
    return Fault(0, title, files, (TRAIN,), "in.csv --time when", 0, holds=check)


def guessed(cell: str, when: str, template: str) -> str:
    return (
        f"column 'when': {cell!r} is read as {when}, written like {template}; if that is wrong, say how "
        "timestamps are written (--time-format)"
    )


YEARS = 24 * 365.2425
SERIES = [
    series("series of ISO times", "%Y-%m-%d %H:%M",
           timed("2026-01-01 00:00 to 2026-03-01 18:00, every 6 h, 1 series, no gaps")),
    series("series of years", "%Y",
           timed("2026-01-01 00:00 to 2074-01-01 00:00, every year, 1 series, no gaps",
                 guessed("2026", "2026-01-01 00:00", "%Y")), hours=YEARS + 5, count=49),
    series("series of days as numbers", "%Y%m%d",
           timed("2026-01-01 00:00 to 2026-08-28 00:00, every 1 d, 1 series, no gaps",
                 guessed("20260101", "2026-01-01 00:00", "%Y%m%d")), hours=24),
    series("series of weeks", week,
           timed("2025-12-29 00:00 to 2030-07-29 00:00, every 7 d, 1 series, no gaps"), hours=24 * 7),
    series("series of dates in words", "%d %b %Y %H:%M",
           timed("2026-01-01 00:00 to 2026-03-01 18:00, every 6 h, 1 series, no gaps")),
    series("series of epoch seconds", epoch(1),
           timed("2026-01-01 00:00 to 2026-03-01 18:00, every 6 h, 1 series, no gaps")),
    fails("series of numbers that are no epoch", dumps(written("%j"), name="when", hours=24),
          "in.csv --time when --time-format epoch -q", 3,
          "in.csv: column 'when': numbers from 1 to 240, read as seconds since 1970, are times from "
          "1970-01-01 00:00:01 to 1970-01-01 00:04:00; say how they are written: --time-format steps "
          "where they only count, excel for days of spreadsheets, or as in '%Y%m%d'"),
    fails("series of times of day", dumps(written("%H:%M"), name="when"), "in.csv --time when -q", 3,
          "in.csv: row 1 (line 2), column 'when': '00:00' is a time of day and no date; give --time twice, "
          "the column of the date and that of the time of day"),
    fails("series of days that may be months", dumps(written("%d/%m/%Y %H:%M"), name="when", hours=1),
          "in.csv --time when -q", 3,
          "in.csv: row 1 (line 2), column 'when': '01/01/2026 00:00' may be read in more than one way; say "
          "how timestamps are written, e.g. --time-format '%d/%m/%Y %H:%M'"),
]  # fmt: skip


def prints(line: str) -> Check:
    """This is one of the lines on stdout, and no other speaks of --time."""

    def check(_: Prompt, result: Result) -> None:
        assert [text for text in result.stdout.splitlines() if "--time" in text] == [line]

    return check


HINTS = [
    Fault(0, "rows that go on in time", dumps(written("%d.%m.%Y %H:%M")), (TRAIN,), "in.csv", 0,
          holds=prints("the rows go on in time, every 6 h by column 'day'; --time day learns them as time "
                       "series")),
]  # fmt: skip

TIMES: list[Fault] = [*SPELLINGS, *BAD, *ROLES, *SERIES, *HINTS]
