"""Plans in iCalendar files (RFC 5545): events, whole days, and those that recur."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from aedetect.data.plans.entries import Entry, Moment, check_length
from aedetect.errors import DataError

# A line of an event's description that says for which series it is.
_ENTITY = re.compile(r"(?im)^\s*entity\s*:\s*(.+?)\s*$")
_LINE_ENDS = re.compile(r"(?i)<br\s*/?>|</p>|</li>")
_REPAIR = "repair it, or export the calendar anew"
# Beyond the last ones nothing can be told of the days around a year.
_FIRST_YEAR, _LAST_YEAR = 2, 9998


@dataclass(frozen=True)
class IcsPlan:
    """The events of a calendar that were not cancelled."""

    name: str
    calendar: Any = field(repr=False)
    entries: Sequence[Entry]

    columns: Sequence[str] = ()

    @classmethod
    def read(cls, path: Path) -> IcsPlan:
        """The plan in a file. Raises DataError, with the line, for what cannot be read."""
        import icalendar

        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise DataError(f"{path}: not UTF-8, as a calendar must be; export it anew") from None
        lines = [
            number
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip().upper() == "BEGIN:VEVENT"
        ]
        try:
            calendars = icalendar.Calendar.from_ical(text, multiple=True)
        except (ValueError, KeyError, IndexError):
            calendars = []
        if not any(component.name == "VCALENDAR" for component in calendars):
            raise DataError(f"{path}: not an iCalendar file, or cut off; {_REPAIR}")
        merged = icalendar.Calendar()
        for calendar in calendars:
            for component in calendar.subcomponents:
                merged.add_component(component)
        events = merged.walk("VEVENT")
        places = [f"{path}: line {line}" for line in lines] if len(lines) == len(events) else []
        entries = []
        for index, event in enumerate(events):
            entry = _entry(event, places[index] if places else f"{path}: event {index + 1}")
            if str(event.get("STATUS", "")).upper() != "CANCELLED":
                entries.append(entry)
        merged.subcomponents = [
            component
            for component in merged.subcomponents
            if str(component.get("STATUS", "")).upper() != "CANCELLED" or "RECURRENCE-ID" in component
        ]
        plan = cls(str(path), merged, entries)
        # What cannot be expanded says so now.
        for entry in entries[:1]:
            plan.of_year(datetime.fromtimestamp(entry.start.instant("UTC"), UTC).year)
        return plan

    @property
    def names_zones(self) -> bool:
        return not all(moment.floating for entry in self.entries for moment in (entry.start, entry.end))

    def of_year(self, year: int) -> Sequence[Entry]:
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            return []
        from recurring_ical_events import of

        try:
            events = of(self.calendar).between((year - 1, 12, 29), (year + 1, 1, 3))
        except (ValueError, KeyError, OverflowError, TypeError) as error:
            raise DataError(f"{self.name}: what recurs cannot be told: {error}; {_REPAIR}") from None
        return [
            self._recurrence(event) for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED"
        ]

    def _recurrence(self, event: Any) -> Entry:
        # One that was moved by a RECURRENCE-ID has a name and a length of its own.
        name = _name(event)
        return Entry(
            _moment(event.start),
            _moment(event.end),
            name,
            self._places.get(name, self.name),
            _entities(event),
        )

    @cached_property
    def _places(self) -> dict[str, str]:
        """Where each name stands first."""
        return {entry.name: entry.place for entry in reversed(self.entries)}


def _entry(event: Any, place: str) -> Entry:
    name = _name(event)
    for error in event.errors:
        raise DataError(f"{place}, event {name!r}: {error[0] or 'a line'} cannot be read; {_REPAIR}")
    if "DTSTART" not in event:
        raise DataError(f"{place}, event {name!r}: has no start (DTSTART); {_REPAIR}")
    for part in ("DTSTART", "DTEND"):
        stated = event.get(part)
        zone = None if stated is None else stated.params.get("TZID")
        if zone is not None and isinstance(stated.dt, datetime) and stated.dt.tzinfo is None:
            raise DataError(
                f"{place}, event {name!r}: the time zone {str(zone)!r} is not known; write it like "
                "Europe/Berlin, or export the calendar with its zones (VTIMEZONE)"
            )
    try:
        start, end = event.start, event.end
    except ValueError as error:
        raise DataError(f"{place}, event {name!r}: {error}; {_REPAIR}") from None
    entry = Entry(_moment(start), _moment(end), name, place, _entities(event))
    check_length(entry)
    return entry


def _name(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split()) or "an event without a title"


def _entities(event: Any) -> tuple[str, ...]:
    described = _LINE_ENDS.sub("\n", str(event.get("DESCRIPTION", "")))
    return tuple(match[1] for match in _ENTITY.finditer(described))


def _moment(value: date) -> Moment:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        return Moment(value.timestamp(), False)
    return Moment(value.replace(tzinfo=UTC).timestamp(), True)
