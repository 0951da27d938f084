"""Where the header of a CSV file is: lines above it, no header at all, a row of units below it.

What is seen is said, with the option that settles it; nothing is skipped on a guess, but for the line
'sep=;' that spreadsheets write and obey.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

from aedetect.errors import DataError
from aedetect.io.csv_form import CsvForm, Record, records
from aedetect.io.source import ReadOptions
from aedetect.io.units import is_unit

DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 60
_MOST_ABOVE = 30
_SEPARATOR_LINE = re.compile(r'^"?sep=(?P<mark>[^\r\n"\w])"?(?P=mark)*"?\r?$', re.IGNORECASE)
_COMMENT = "#"
# Numbers as people write them, dates and times of day.
_NUMBER = re.compile(
    r"(?i)^[($€£¥+\-\s]*(?:\d[\d.,'_ \u00a0\u202f]*|\.\d+)(?:e[+-]?\d+)?[)%‰$€£¥\s]*$"
    r"|^[+-]?inf(?:inity)?$"
)
_DATE = re.compile(
    r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ]+\d{1,2}:\d{2}.*)?$|^\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?$"
    r"|^\d{1,2}[-/. ][A-Za-z]{3}[-/. ]\d{2,4}$"
)
_MISSING = re.compile(r"(?i)^(?:na|n/a|nan|null|none|-|--|\?|\.|unknown|missing|error|err|nil|#n/a|)$")


def find_form(name: str, text: str, whole: bool, tabs: bool, options: ReadOptions) -> CsvForm:
    """How to cut the file `name`, which begins with `text`, or is no more than it (`whole`).

    `tabs`: whether its name says that tabs part the fields. Raises DataError where the first line that is
    read is no header, or is asked to be one and may be data.
    """
    mark = _separator_of(text)
    skip = options.skip_rows or int(mark is not None)
    asked = options.delimiter or mark or ("\t" if tabs else None)
    usual = options.usual_delimiter
    if asked is None and usual is not None and _counts(_read(text, usual, skip, options, whole))[:1] > [1]:
        asked = usual
    if options.header is None:
        _check_comments(name, text, skip, options)
        _check_titles(name, text, skip, options, (asked,) if asked else DELIMITERS, whole)
    header = options.header is not False
    delimiter = asked or _delimiter(text, skip, options, whole)
    rows = _read(text, delimiter, skip, options, whole)
    if options.header is None:
        _check_names(name, rows, skip)
    if header and options.header is None and not options.units_row:
        _check_units(name, rows)
    units = header and options.units_row and len(rows) > 1 and not any(map(_is_datum, rows[1].fields))
    return CsvForm(delimiter, skip, options.comment, header, units)


def shown(text: str) -> str:
    """A line or a cell as it is quoted in a message, its middle left out where it is long."""
    text = text.strip()
    return repr(text if len(text) <= 60 else f"{text[:40]}…{text[-15:]}")


def _separator_of(text: str) -> str | None:
    """The delimiter that a first line such as 'sep=;' names."""
    line, _, rest = text.removeprefix("\ufeff").partition("\n")
    match = _SEPARATOR_LINE.match(line)
    return match["mark"] if match and rest else None


def _read(text: str, delimiter: str, skip: int, options: ReadOptions, whole: bool) -> list[Record]:
    """The first records that are not empty; the last one may be cut off in a text that is not whole."""
    form = CsvForm(delimiter, skip, options.comment)
    read: list[Record] = []
    try:
        for record in records(io.StringIO(text.removeprefix("\ufeff"), newline=""), form):
            if record.fields:
                read.append(record)
            if len(read) > _LOOKED_AT:
                return read[:-1]
    except csv.Error:
        return read
    return read if whole or len(read) < 2 else read[:-1]


def _counts(rows: Sequence[Record]) -> list[int]:
    return [len(row.fields) for row in rows]


def _delimiter(text: str, skip: int, options: ReadOptions, whole: bool) -> str:
    """The mark that splits the header and the first lines into equally many fields; else a comma."""
    lines = _lines(text, skip, options)
    if not lines:
        return ","
    whole = whole and text.endswith(("\n", "\r"))
    complete = lines if whole or len(lines) == 1 else lines[:-1]
    counts = {mark: _fields(complete[0], mark) for mark in DELIMITERS}
    agreeing = [
        mark for mark in DELIMITERS if all(_fields(line, mark) == counts[mark] for line in complete[1:6])
    ]
    for marks in (agreeing, DELIMITERS[:1], DELIMITERS):
        best = max(marks, key=lambda mark: counts[mark], default=",")
        if counts[best] > 1:
            return best
    return ","


def _lines(text: str, skip: int, options: ReadOptions) -> list[str]:
    mark = options.comment
    lines = text.splitlines()[skip : skip + _LOOKED_AT]
    return [line for line in lines if line and not (mark and line.lstrip(" ").startswith(mark))]


def _fields(line: str, mark: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=mark), []))
    except csv.Error:
        return 1


def _check_comments(name: str, text: str, skip: int, options: ReadOptions) -> None:
    """Raises DataError where the first line is a comment, and no header that begins with its mark."""
    if options.comment == _COMMENT:
        return
    lines = list(enumerate(io.StringIO(text.removeprefix("\ufeff")), start=1))[skip:]
    filled = [(number, line) for number, line in lines if line.strip()]
    above = 0
    while above < len(filled) and filled[above][1].lstrip(" ").startswith(_COMMENT):
        above += 1
    below = [line.strip("\r\n") for _, line in filled[above : above + _LOOKED_AT]]
    if not above or not below:
        return
    number, last = filled[above - 1]
    delimiter = max(DELIMITERS, key=lambda mark: _fields(below[0], mark))
    rows = [next(csv.reader([line], delimiter=delimiter), []) for line in below]
    names_columns = _fields(last, delimiter) == len(rows[0]) and not _names(rows)
    if names_columns and above == 1:
        return
    first, line = filled[0]
    remedy = f"--skip-rows {number - 1}" if names_columns else f"--comment '{_COMMENT}'"
    raise DataError(
        f"{name}: line {first} ({shown(line)}) is a comment, not the header; give {remedy} to leave it out"
    )


def _names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of these rows names columns: without a number, where the next one has some."""
    return len(rows) > 1 and not any(map(_is_datum, rows[0])) and any(map(_is_datum, rows[1]))


def _check_titles(
    name: str, text: str, skip: int, options: ReadOptions, marks: Sequence[str], whole: bool
) -> None:
    """Raises DataError where lines above the header have fewer fields than it and the rows."""
    each = [_read(text, mark, skip, options, whole) for mark in marks]
    even = [rows for rows in each if rows and len(set(_counts(rows))) == 1 and len(rows[0].fields) > 1]
    begins = [rows[place:] for rows in even if (place := _below_padding(rows))]
    if not even:
        begins = [rows[place:] for rows in each if (place := _below_titles(rows))]
    if not begins:
        return
    table = max(begins, key=lambda rows: len(rows[0].fields))
    if not even and any(len(rows[0].fields) == len(table[0].fields) for rows in each):
        # The first line is a header with another delimiter than the rows.
        return
    first, start = each[0][0].line, table[0].line
    line = next(line for number, line in enumerate(io.StringIO(text), start=1) if number == first)
    named = not _is_data(table)
    remedy = f"--skip-rows {start - 1}{'' if named else ' --no-header'}"
    raise DataError(
        f"{name}: line {first} ({shown(line)}) is no header: the {'columns' if named else 'rows'} begin in "
        f"line {start}; give {remedy} to skip what is above"
    )


def _below_titles(rows: Sequence[Record]) -> int:
    """The place of the first row that has as many fields as most, where those above have far fewer; or 0."""
    counts = _counts(rows)
    usual = Counter(counts[1:]).most_common(1)[0][0] if len(rows) > 2 else 0
    place = counts.index(usual) if usual > 1 else 0
    if not 0 < place <= _MOST_ABOVE or len(rows) - place < 2:
        return 0
    if counts[place:].count(usual) < 0.8 * len(counts[place:]) or max(counts[:place]) > usual / 2:
        return 0
    # 'temp' above '20,5' is a header.
    if _is_data(rows[place:]) and (usual == 2 or max(counts[:place]) > 1):
        return 0
    return place


def _below_padding(rows: Sequence[Record]) -> int:
    """The place of the first full row, where those above hold a title in their first field; or 0."""
    filled = [sum(bool(cell.strip()) for cell in row.fields) for row in rows[: _MOST_ABOVE + 1]]
    width = len(rows[0].fields)
    if width < 3 or filled[0] != 1 or not rows[0].fields[0].strip() or width not in filled:
        return 0
    place = filled.index(width)
    return place if max(filled[:place]) <= width / 2 and not _is_data(rows[place:]) else 0


def _check_names(name: str, rows: Sequence[Record], skip: int) -> None:
    """Raises DataError where what would be the header looks like a row of data."""
    if rows and _is_data(rows):
        line = ",".join(rows[0].fields)
        fewer = f"give a smaller --skip-rows than {skip}, or" if skip else "give"
        raise DataError(
            f"{name}: line {rows[0].line} ({shown(line)}) looks like data, not like a header; "
            f"{fewer} --no-header to read it so, or --header if these are the names of the columns"
        )


def _is_data(rows: Sequence[Record]) -> bool:
    """Whether the first row is one of numbers and dates, or of these and of texts that come again below."""
    names = [cell.strip() for cell in rows[0].fields]
    if len(names) > 2 and names == ["", *map(str, range(len(names) - 1))]:
        # The columns of a pandas table that has no names.
        return False
    texts = [place for place, cell in enumerate(names) if not (_is_datum(cell) or _MISSING.match(cell))]
    if not any(map(_is_datum, names)):
        return False
    below: list[set[str]] = [set() for _ in names]
    for row in rows[1:]:
        for cells, cell in zip(below, row.fields, strict=False):
            cells.add(cell.strip())
    return all(names[place] in below[place] for place in texts)


def _is_datum(cell: str) -> bool:
    return bool(_NUMBER.match(cell) or _DATE.match(cell.strip()))


def _check_units(name: str, rows: Sequence[Record]) -> None:
    """Raises DataError where the first row holds units of the numbers below it."""
    if len(rows) < 4:
        return
    below = list(
        zip(*(row.fields for row in rows[2:] if len(row.fields) == len(rows[0].fields)), strict=True)
    )
    numeric = [place for place, cells in enumerate(below) if _are_numbers(cells)]
    units = [rows[1].fields[place].strip() for place in numeric if place < len(rows[1].fields)]
    if any(units) and all(is_unit(unit) and not _is_datum(unit) for unit in units if unit):
        raise DataError(
            f"{name}: line {rows[1].line} ({shown(','.join(rows[1].fields))}) holds units, not data; "
            "give --units-row to skip it, or --header if it is a row as others are"
        )


def _are_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if not _MISSING.match(cell.strip())]
    return len(filled) > 1 and sum(bool(_NUMBER.match(cell)) for cell in filled) >= 0.9 * len(filled)
