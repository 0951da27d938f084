"""What is said of plans and the rows that they are held against."""

from __future__ import annotations

import math

from aedetect.data.series.timestamps import Clock


def no_entry(plan: str, rows_of: str, clock: Clock, begin: float, end: float) -> str:
    """Of a plan without an entry between two instants, in seconds since 1970; infinite for no rows."""
    when = ""
    if math.isfinite(begin) and math.isfinite(end):
        when = f" ({clock.shown(begin)} to {clock.shown(end)}{clock.zone_name})"
    return f"{plan} has no entry within the times of {rows_of}{when}"


def times_are_bare(clock: Clock) -> bool:
    """Whether times name no zone, and none was given for them."""
    return clock.zone is None and not clock.aware and clock.kind != "number"


def taken_as_utc(plan: str, clock: Clock) -> str:
    """Of a plan whose times name zones, beside rows whose times name none."""
    return (
        f"{plan} names time zones, and column {clock.column!r} none: its times are taken as UTC; if they are "
        "of another zone, give it with --time-zone, e.g. Europe/Berlin"
    )


def timeless(count: int, column: str, first: str, outcome: str) -> str:
    """Of rows without a time that can be read, which no plan can name; `outcome`: what becomes of them."""
    what = f"no time in column {column!r} that can be read, so that no calendar applies"
    if count == 1:
        return f"1 row has {what}: it {outcome}; it is {first}"
    return f"{count:,} rows have {what}: they {outcome}; the first is {first}"
