"""What is decided of columns of dates: how they are written, what is learned of them, what is said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from aedetect.config import DataConfig, Role, SeriesConfig
from aedetect.data.cells import CellRules
from aedetect.data.date_evidence import DateEvidence, Reading, SettledDate, names_date, names_time
from aedetect.data.decision import role_flag
from aedetect.data.instants import Cycle
from aedetect.data.profile import ColumnProfile
from aedetect.data.series.clock_detection import check_format
from aedetect.data.series.time_text import Order, template_of
from aedetect.data.series.timestamps import Clock
from aedetect.errors import DataError, UsageError

# Behind a time of day: '06:00:04 +0200', '06:00+02:00'.
_OFFSET = re.compile(r":[0-9]{2}(?:[.,][0-9]+)?\s?(([+-])([0-9]{2}):?([0-9]{2}))$")
# Above this share of cells that are no dates, a column holds something else.
_MOST_BAD = 0.1
_DAY = 86_400
# Below this growth a row, in seconds, numbers that only grow are more likely to number the rows.
_LEAST_STEP = 10.0
# Nobody keeps times of later years in numbers that do not say so: until 2050.
_LATEST_UNNAMED = 80 * 365.2425 * _DAY
_YEAR_OF_MONTHS = 13
_LEARNED: Mapping[Cycle, str] = {"day": "hour", "week": "weekday", "year": "season"}
_WAYS: Mapping[Order, str] = {"dmy": "day first", "mdy": "month first", "yymd": "year first"}


def clocks_given(config: DataConfig, series: SeriesConfig) -> dict[str, Clock]:
    """How the columns are written that the user calls dates, where a format says it.

    Raises UsageError for a format that there is not.
    """
    columns = [column for column, role in config.roles.items() if role == "datetime"]
    written = series.time_format
    if series.time or written in (None, "epoch") or not columns:
        return {}
    if written == "steps":
        raise UsageError("--time-format steps: steps are no dates; it goes with --time COLUMN")
    if written != "excel":
        check_format(str(written))
    clock = Clock(columns=(), kind="excel" if written == "excel" else "format", format=written)
    return {column: clock.model_copy(update={"columns": (column,)}) for column in columns}


def settle_dates(
    profiles: Mapping[str, ColumnProfile], config: DataConfig, series: SeriesConfig, name: str
) -> None:
    """Decide which columns of the input called `name` are dates that are not plain ISO 8601.

    Raises DataError for a column that the user calls a date and that is none throughout, or one that can
    be read in two ways, and for one with few cells that are no dates.
    """
    closed = {*series.time_columns, *series.entity, *config.id, *config.exclude, config.label or ""}
    waiting: dict[str, list[Reading]] = {}
    for column, profile in profiles.items():
        forced = config.roles.get(column) == "datetime"
        role_allows = config.roles.get(column, "datetime") == "datetime"
        left_out = bool(config.columns) and column not in config.columns and not forced
        if column in closed or not role_allows or left_out or profile.date is not None:
            continue
        readings = _candidates(profile, forced, not series.time)
        if forced:
            if series.time_format == "epoch" and not series.time:
                readings = _epochs(column, profile, name)
            _check_forced(column, profile, readings, name)
        if len(readings) > 1:
            waiting[column] = readings
        elif readings:
            _settle(column, profile, readings[0])
    settled = {
        clock.order for profile in profiles.values() if profile.date and (clock := profile.date.clock)
    } & set(_WAYS)
    for column, readings in waiting.items():
        profile = profiles[column]
        fitting = [reading for reading in readings if reading.clock.order in settled]
        if len(settled) == 1 and len(fitting) == 1:
            _settle(column, profile, fitting[0])
        elif config.roles.get(column) == "datetime":
            raise DataError(f"{name}: column {column!r}: {_undecided(column, readings)}")
        else:
            profile.date = SettledDate(None, _undecided(column, readings))
            profile.instants = readings[0].instants


def role_of_dates(profile: ColumnProfile) -> tuple[Role, str]:
    """What a column of dates is taken for, and why: what it learns, or why nothing."""
    if profile.date is not None and profile.date.clock is None:
        return "ignored", profile.date.example
    said = f"; {profile.date.example}" if profile.date is not None else ""
    if profile.first_instant == profile.last_instant:
        return "ignored", f"the same instant in every row{said}"
    learned = profile.instants.cycles
    if not learned:
        return "ignored", f"{span_in_words(profile)}, too short a time to learn a rhythm from{said}"
    be = "is" if len(learned) == 1 else "are"
    return "datetime", f"dates; their {learned_in_words(learned)} {be} learned{said}"


def rules_of(profile: ColumnProfile) -> CellRules:
    """How the cells of a column are read, its dates as they turned out to be written."""
    return profile.rules if profile.date is None else replace(profile.rules, date=profile.date.clock)


def notice_of(column: str, role: Role, reason: str, date: SettledDate) -> str | None:
    """What is said of a column whose dates were not plain; None where the user says how they are written."""
    if reason == "set by hand":
        guessed = date.clock is not None and date.clock.kind != "format"
        return f"column {column!r}: {date.example}" if guessed else None
    other: Role = (
        "numeric"
        if date.clock is not None and date.clock.kind in ("digits", "number", "excel")
        else "categorical"
    )
    more = f"; {role_flag(column, other)} if that is wrong" if date.clock is not None else ""
    if role == "ignored":
        return f"column {column!r} is left out: {reason}{more}"
    learned = reason.removeprefix("dates; their ").removesuffix(f"; {date.example}")
    return f"column {column!r}: {date.example}; its {learned}{more}"


def in_words(seconds: float, clock: Clock) -> str:
    """An instant as people write it, in as much detail as a column's cells have: '5 January 2026'."""
    moment = datetime.fromtimestamp(round(seconds), UTC)
    day = f"{moment.day} {moment:%B %Y}"
    time = "" if seconds % _DAY == 0 and clock.kind != "number" else f" {moment:%H:%M}"
    time += f":{moment.second:02d}" * bool(moment.second)
    whole: Mapping[Order, str] = {
        "ym": f"{moment:%B %Y}",
        "by": f"{moment:%B %Y}",
        "y": f"the year {moment:%Y}",
        "yw": f"the week of {day}",
        "yq": f"the three months from {moment:%B %Y}",
        "clock": "a time of day",
    }
    if clock.kind in ("text", "digits") and clock.order in whole:
        return whole[clock.order]
    if clock.kind == "number":
        names = {1.0: "seconds", 1e-3: "milliseconds", 1e-6: "microseconds", 1e-9: "nanoseconds"}
        return f"{day}{time} UTC ({names[clock.unit]} since 1970)"
    if clock.kind == "excel":
        return f"{day}{time} (a day number of spreadsheets)"
    way = _WAYS.get(clock.order) if clock.kind == "text" else None
    return f"{day}{time}" + (f" ({way})" if way else "")


def learned_in_words(cycles: tuple[Cycle, ...]) -> str:
    """'hour, weekday and season'."""
    names = [_LEARNED[cycle] for cycle in cycles]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def span_in_words(profile: ColumnProfile) -> str:
    """'2026-01-01 to 2026-01-09' , or where only months are written: 'January 2026 to February 2026'."""
    instants = profile.instants
    clock = profile.date.clock if profile.date is not None else None
    if clock is not None and clock.kind in ("text", "digits") and clock.order in ("ym", "by", "yq"):
        style = "%B %Y"
    else:
        style = "%H:%M" if instants.of_no_day else "%Y-%m-%d" if instants.only_dates else "%Y-%m-%d %H:%M"
    ahead = profile.date.ahead if profile.date is not None else 0.0
    first, last = (
        datetime.fromtimestamp(end + ahead, UTC).strftime(style) for end in (instants.first, instants.last)
    )
    return first if first == last else f"{first} to {last}"


def _candidates(profile: ColumnProfile, forced: bool, rows_apart: bool) -> list[Reading]:
    """The likeliest reading, or those that nothing tells apart; none where the column holds no dates."""
    evidence = profile.dates
    iso = profile.instants.count and not profile.not_datetime
    if not evidence.readings or (iso and evidence.given is None):
        return []
    if evidence.given is not None:
        return evidence.readings
    readings = [
        reading
        for reading in evidence.readings
        if reading.instants.count and (forced or _is_likely(reading, evidence, rows_apart))
    ]
    fewest = min((reading.bad for reading in readings), default=0)
    readings = [reading for reading in readings if reading.bad == fewest]
    if not readings or readings[0].clock.kind != "text":
        return readings[:1]
    return _told_apart(readings)


def _told_apart(readings: list[Reading]) -> list[Reading]:
    """Those left of text readings that fit alike: dots stand behind days, and files are in order."""
    if len(readings) < 2:
        return readings
    if all(reading.instants.first == reading.instants.last for reading in readings):
        return readings[:1]
    example = readings[0].example
    dotted = [reading for reading in readings if reading.clock.order == "dmy"]
    if dotted and example is not None and re.match(r"^[0-9]+\.[0-9]+\.", example[0]):
        return dotted
    rising = [reading for reading in readings if reading.instants.rising]
    return rising if len(rising) == 1 else readings


def _is_likely(reading: Reading, evidence: DateEvidence, rows_apart: bool) -> bool:
    """Whether a column that nobody calls a date is one."""
    clock, named = reading.clock, names_time(evidence.column)
    if reading.bad > max(1, _MOST_BAD * evidence.filled):
        return False
    if clock.kind == "text":
        return _is_likely_text(reading, evidence, named)
    if reading.bad or not reading.is_plausible or evidence.distinct < 2:
        return False
    if 2 * reading.far.total() > evidence.filled:
        return False
    if clock.kind == "excel":
        return names_date(evidence.column) and evidence.distinct > 2
    if clock.kind == "number":
        instants = reading.instants
        step = (instants.last - instants.first) / max(instants.count - 1, 1)
        grows = instants.rising and step >= _LEAST_STEP and instants.last < _LATEST_UNNAMED
        return named or (rows_apart and grows)
    text = reading.example[0] if reading.example else ""
    if clock.order == "ym":
        return named or evidence.distinct >= _YEAR_OF_MONTHS
    return named or (evidence.distinct > 2 and len(text) != 10 and reading.instants.days > 1)


def _is_likely_text(reading: Reading, evidence: DateEvidence, named: bool) -> bool:
    example = reading.example[0] if reading.example else ""
    order = reading.clock.order
    if order == "clock":
        return not reading.bad and evidence.distinct > 2
    if order in ("compact", "ym", "yq", "yw", "y") and evidence.distinct < 2:
        return named
    if re.search(r"[0-9]{4}|[A-Za-z]{3}", example):
        return True
    # Of years with two digits: 1.2.10 is more likely the number of a version.
    return named or (evidence.distinct > 2 and bool(re.match(r"^([0-9]{2}[-/]){2}[0-9]{2}\b", example)))


def _epochs(column: str, profile: ColumnProfile, name: str) -> list[Reading]:
    readings = [each for each in profile.dates.readings or [] if each.clock.kind == "number"]
    if not readings and not profile.instants.count:
        raise DataError(f"{name}: column {column!r} holds no seconds since 1970; correct --time-format epoch")
    return readings


def _check_forced(column: str, profile: ColumnProfile, readings: list[Reading], name: str) -> None:
    """Raises DataError for a column that is no date throughout, though the user says so."""
    given = profile.dates.given
    if readings and readings[0].bad and readings[0].first_bad:
        where, text = readings[0].first_bad
        if given is not None:
            raise DataError(
                f"{where}, column {column!r}: {_short(text)!r} is not written as --time-format "
                f"{given.format or 'excel'!r} says; repair it, or correct the format"
            )
        raise DataError(bad_date(column, where, text))
    if readings or not profile.filled or (profile.instants.count and not profile.not_datetime):
        return
    if profile.first_bad_date is not None:
        raise DataError(bad_date(column, *profile.first_bad_date))
    numbers = profile.numbers
    held = f"numbers from {numbers.minimum:.12g} to {numbers.maximum:.12g}" if numbers.count else profile.kind
    raise DataError(
        f"{name}: column {column!r}: {held} cannot be read as dates; say how they are written, e.g. "
        "--time-format '%Y%m%d', epoch or excel, or leave out --role for it"
    )


def bad_date(column: str, where: str, text: str) -> str:
    """What is said of a cell that is no date."""
    shown = _short(text)
    return (
        f"{where}, column {column!r}: {shown!r} is no date; repair it, give --na-values {shown!r} if it "
        f"means 'missing', --time-format if dates are written so, or {role_flag(column, 'categorical')}"
    )


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _settle(column: str, profile: ColumnProfile, reading: Reading) -> None:
    if reading.bad and reading.first_bad:
        raise DataError(bad_date(column, *reading.first_bad))
    clock = reading.clock
    assert reading.example is not None
    text, seconds = reading.example
    if clock.kind in ("text", "digits"):
        clock = clock.model_copy(update={"format": template_of(text, clock.order)})
    zone, ahead = _offset(text) if clock.kind == "text" else ("", 0.0)
    said = f"{_short(text)!r} is read as {in_words(seconds + ahead, clock)}{zone}"
    if clock.kind != "text" and reading.far:
        # Text that stands for no date is named among the values that are missing.
        profile.missing += reading.far.total()
        listed = " and ".join(
            f"{each!r} ({count:,} cell{'s' * (count != 1)})" for each, count in reading.far.most_common(2)
        )
        said += f", {listed} as missing"
    profile.date = SettledDate(clock, said, ahead)
    profile.instants = reading.instants
    profile.far_dates = reading.far


def _offset(text: str) -> tuple[str, float]:
    """The offset from UTC that ends a time, as text behind a space and in seconds; none: '' and 0."""
    offset = _OFFSET.search(text)
    if not offset:
        return "", 0.0
    written, sign, hours, minutes = offset.groups()
    return f" {written}", float(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)


def _undecided(column: str, readings: list[Reading]) -> str:
    reading = readings[0]
    text = reading.example[0] if reading.example else ""
    ways, formats = [], []
    for each in readings:
        seconds = each.example[1] if each.example else 0.0
        ways.append(in_words(seconds, each.clock))
        formats.append(template_of(text, each.clock.order))
    return (
        f"{_short(text)!r} may be {' or '.join(ways)}, and no cell settles it; say which with "
        f"{role_flag(column, 'datetime')} --time-format '{formats[0]}'"
    )
