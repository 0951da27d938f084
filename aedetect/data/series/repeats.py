"""Rows that share their timestamps: where hardly any tells its rows apart, there is no order in time."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.series.series_columns import entity_flags
from aedetect.data.series.timestamps import Clock
from aedetect.errors import DataError

# Fast sensors send some rows in each second, so many may repeat; of days alone, few.
_MOST_REPEATED, _MOST_REPEATED_DAYS = 0.95, 0.5
_DAY = 86_400
_TIME_OF_DAY = r"^\s*[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?\s*(?:[AaPp][Mm])?\s*$"


def check_order(
    name: str,
    clock: Clock,
    seconds: Floats,
    batch: pa.RecordBatch,
    formatted: bool,
    find_series: Callable[[], Sequence[str]],
) -> None:
    """Raises DataError where most of `seconds` [rows], of the one series in `name`, are repeated ones.

    `batch`: rows of it, in which a column of times of day is looked for. `formatted`: whether the
    format of timestamps was given. `find_series`: looks for the columns that tell series apart.
    """
    distinct = np.unique(seconds[~np.isnan(seconds)])
    repeated = int((~np.isnan(seconds)).sum()) - len(distinct)
    days = clock.kind != "count" and len(distinct) and not (_wall_seconds(distinct, clock) % _DAY).any()
    if repeated <= (_MOST_REPEATED_DAYS if days else _MOST_REPEATED) * len(seconds):
        return
    given = " ".join(f"--time {shlex.quote(column)}" for column in clock.columns)
    other = time_of_day_column(batch, clock.columns)
    series = () if other else find_series()
    if series:
        names = " and ".join(map(repr, series))
        raise DataError(
            f"{name}: column {clock.column!r}: {repeated:,} of {len(seconds):,} rows repeat the timestamp of "
            f"another row: column{'s' * (len(series) != 1)} {names} tell{'s' * (len(series) == 1)} series "
            f"apart; give {given} {entity_flags(series)}"
        )
    joined = f"{given} --time {shlex.quote(other) if other else 'COLUMN'}"
    where = "" if other else ", where it is in a column of its own"
    what = ", with the --time-format of both, joined by a space" if formatted else ""
    raise DataError(
        f"{name}: column {clock.column!r}: {repeated:,} of {len(seconds):,} rows repeat the timestamp of "
        f"another row, so their order in time is not known; give the time of day as well{where} ({joined}"
        f"{what}), or the column that tells series apart (--entity COLUMN)"
    )


def time_of_day_column(batch: pa.RecordBatch, but: tuple[str, ...]) -> str | None:
    """A column of `batch`, none of `but`, that holds times of day such as 17:24:00; None where none does."""
    for name in batch.schema.names:
        if name in but:
            continue
        array = cells.plain(batch.column(name)).drop_null()
        if pa.types.is_time(array.type):
            return str(name)
        if not cells.is_text(array.type) or not len(array):
            continue
        if pc.all(pc.match_substring_regex(array, _TIME_OF_DAY)).as_py():
            return str(name)
    return None


def _wall_seconds(seconds: Floats, clock: Clock) -> Floats:
    """Seconds by the clock on the wall, of which days begin at 0."""
    if clock.zone is None:
        return seconds
    instants = pa.array((seconds * 1e6).astype(np.int64)).cast(pa.timestamp("us", tz=clock.zone))
    local = pc.local_timestamp(instants).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return np.asarray(local / 1e6)
