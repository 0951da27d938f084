"""Whether the rows of a table are a time series that nobody called one, in one line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from aedetect.data.instants import InstantProfile
from aedetect.data.profile import ColumnProfile
from aedetect.data.schema import Schema
from aedetect.data.series.timestamps import span

# From so many instants on, all but so few of them the usual step apart, and so few back in time.
_LEAST_INSTANTS = 50
_REGULAR, _MOST_FALLS = 0.9, 0.005
_LEAST_ROWS_EACH = 20
# Series of one table have about as many rows each.
_UNEVEN = 1.5
_NEARLY = 0.05


def time_hint(schema: Schema, profiles: Mapping[str, ColumnProfile]) -> str | None:
    """What to say of a table whose rows go on in time, a regular step apart; None of all others.

    Only where something is measured, and it is clear which column tells series apart, if any must.
    """
    if not schema.names("numeric"):
        return None
    for column in schema.columns:
        instants = profiles[column.name].instants
        left_out = column.role != "datetime" and "too short a time" not in column.reason
        if left_out or instants.of_no_day or not _is_regular(instants):
            continue
        entity = _entity(instants, schema, profiles)
        several = instants.stays > _NEARLY * instants.count or instants.falls > _MOST_FALLS * instants.count
        if several and entity is None:
            continue
        flags = f"--time {shlex.quote(column.name)}"
        flags += f" --entity {shlex.quote(entity)}" if entity is not None else ""
        return (
            f"the rows go on in time, every {span(instants.usual_step[0])} by column {column.name!r}; "
            f"{flags} learns them as time series"
        )
    return None


def _is_regular(instants: InstantProfile) -> bool:
    step, times = instants.usual_step
    return step > 0 and instants.rises >= _LEAST_INSTANTS and times >= _REGULAR * instants.rises


def _entity(instants: InstantProfile, schema: Schema, profiles: Mapping[str, ColumnProfile]) -> str | None:
    """The column with as many values as there are rows of each instant, or times that time begins anew."""
    fitting = []
    for column in schema.columns:
        counts = profiles[column.name].counts
        if (
            column.role not in ("categorical", "id")
            or not profiles[column.name].is_counted
            or len(counts) < 2
        ):
            continue
        fewest, most = min(counts.values()), max(counts.values())
        if most > _UNEVEN * fewest or fewest < _LEAST_ROWS_EACH:
            continue
        beside = instants.count / (instants.rises + 1)
        side_by_side = not instants.falls and abs(beside / len(counts) - 1) < _NEARLY
        one_after_another = instants.falls == len(counts) - 1 and instants.stays <= _NEARLY * instants.count
        if side_by_side or one_after_another:
            fitting.append(column.name)
    return fitting[0] if len(fitting) == 1 else None
