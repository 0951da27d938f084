"""Plans in tables: the columns start, end and name, and whom an entry is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config.names import closest
from aedetect.data import cells
from aedetect.data.plans.entries import Entry, Moment, check_length
from aedetect.data.series.time_text import ORDERS, ReadText, read_text
from aedetect.errors import DataError
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.source import ReadOptions

NEEDED = ("start", "end", "name")
ENTITY = "entity"
_BATCH_ROWS = 8192
_WRITTEN = "write times like 2026-12-24 or 2026-12-24 18:00"


@dataclass(frozen=True)
class TablePlan:
    """The entries of a table; `names_zones`: whether some time names its zone.

    `columns`: those beside start, end, name and entity, which must be of the data.
    """

    name: str
    entries: Sequence[Entry]
    columns: Sequence[str]
    names_zones: bool

    def of_year(self, year: int) -> Sequence[Entry]:
        return self.entries

    @classmethod
    def read(cls, path: Path) -> TablePlan:
        """The plan in a file of any format that inputs may have. Raises DataError, with the row."""
        sources = open_inputs([str(path)], ReadOptions())
        if len(sources) != 1:
            raise DataError(
                f"{path}: {len(sources)} files; name the one that is the calendar, and others with "
                "--calendar again"
            )
        source = sources[0]
        names = source.open(_BATCH_ROWS).schema.names
        for needed in NEEDED:
            if needed not in names:
                close = closest(needed, names)
                hint = f" (is {close!r} meant?)" if close else ""
                raise DataError(
                    f"{source.name}: no column named {needed!r}{hint}; a calendar has the columns start, end "
                    "and name, and where an entry is for some rows alone, entity"
                )
        table = pa.Table.from_batches(source.open(_BATCH_ROWS).batches(), source.open(_BATCH_ROWS).schema)
        further = [name for name in names if name not in (*NEEDED, ENTITY)]
        start, end = _times(source, table)
        columns = [name for name in ("name", ENTITY, *further) if name in names]
        texts = {name: _texts(table.column(name)) for name in columns}
        entries = [
            _entry(source, row + 1, (start[row], end[row]), {name: texts[name][row] for name in columns})
            for row in range(len(table))
        ]
        zoned = not all(moment.floating for moment in (*start, *end))
        return cls(source.name, entries, further, zoned)


def _entry(source: FileInput, number: int, moments: tuple[Moment, Moment], texts: dict[str, str]) -> Entry:
    name, entity = texts.pop("name"), texts.pop(ENTITY, "")
    entry = Entry(
        *moments,
        name=name or f"row {number:,} of {source.name}",
        place=f"{source.name}: {source.locate(number)}",
        entities=(entity,) if entity else (),
        where={column: text for column, text in texts.items() if text},
    )
    check_length(entry)
    return entry


def _texts(column: pa.ChunkedArray) -> list[str]:
    text = pc.cast(column, pa.string())
    return [(value or "").strip() for value in text.to_pylist()]


def _times(source: FileInput, table: pa.Table) -> tuple[list[Moment], list[Moment]]:
    """The starts and the ends, which are written in one way."""
    count = len(table)
    array = pa.array([*_texts(table.column("start")), *_texts(table.column("end"))], pa.string())
    read, ambiguous = _read(array)
    known = ~(read.bad | read.missing)
    if not known.all():
        index = int(known.argmin())
        column = NEEDED[index >= count]
        place = f"{source.name}: {source.locate(index % count + 1)}, column {column!r}"
        if read.missing[index]:
            raise DataError(f"{place}: is empty; an entry has a start and an end ({_WRITTEN})")
        said = "may be read in more than one way" if ambiguous else "is no time"
        raise DataError(f"{place}: {str(array[index].as_py())[:40]!r} {said}; {_WRITTEN}")
    seconds = read.seconds - np.nan_to_num(read.offset)
    moments = [
        Moment(second, floating)
        for second, floating in zip(seconds.tolist(), np.isnan(read.offset).tolist(), strict=True)
    ]
    return moments[:count], moments[count:]


def _read(array: pa.Array) -> tuple[ReadText, bool]:
    """The cells by the one order in which all are times, by ISO 8601 where none would do, or several would.

    Whether several would.
    """
    rules = cells.CellRules()
    iso = read_text(array, rules, "ymd", None)
    if not iso.bad.any():
        return iso, False
    others = [read_text(array, rules, order, None) for order in ORDERS if order != "ymd"]
    fitting = [read for read in others if not read.bad.any()]
    return (fitting[0], False) if len(fitting) == 1 else (iso, bool(fitting))
