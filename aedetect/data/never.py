"""Dates that stand for none: 9999-12-31 of what has no end, 1970-01-01 of what never happened."""

from __future__ import annotations

from collections.abc import Mapping

from aedetect.config import DataConfig
from aedetect.data import cells
from aedetect.data.instants import PERIODS
from aedetect.data.profile import ColumnProfile

_LEAST_CELLS = 3
_FAR = 10 * PERIODS["year"]
_MOST_TEXTS = 8


def dates_of_never(profiles: Mapping[str, ColumnProfile], config: DataConfig) -> dict[str, dict[str, int]]:
    """The texts in columns of dates that stand for no date, and how many cells hold each, by column.

    Such a date lies far off all others, which may not lie that far apart themselves, and is there often.
    """
    settled = {*config.id, *config.exclude, *config.roles, config.label or ""}
    listed = {
        column: _never(profile)
        for column, profile in profiles.items()
        if column not in settled and _holds_dates(profile)
    }
    return {column: texts for column, texts in listed.items() if texts}


def _holds_dates(profile: ColumnProfile) -> bool:
    if profile.date is not None:
        return profile.date.clock is not None and profile.date.clock.kind == "text"
    is_dated = cells.is_text(profile.kind_type) or cells.is_datetime(profile.kind_type)
    return is_dated and bool(profile.instants.count) and not profile.not_datetime


def _never(profile: ColumnProfile) -> dict[str, int]:
    texts = dict(profile.far_dates.most_common(_MOST_TEXTS))
    instants = profile.instants
    if instants.of_no_day or len(instants.lowest) < 2:
        return texts
    for ends, other in ((instants.lowest, instants.last), (instants.highest, instants.first)):
        (end, count, text), inner = ends[0], ends[1][0]
        if count >= _LEAST_CELLS and abs(inner - end) > max(_FAR, abs(other - inner)):
            texts[text] = count
    return texts
