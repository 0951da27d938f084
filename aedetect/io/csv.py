"""CSV as text: strict about the number of fields and about quotes, silent about types."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from aedetect.errors import DataError
from aedetect.io.csv_form import ContentLines, CsvForm, line_of_open_quote, records

Open = Callable[[], AbstractContextManager[IO[bytes]]]

_BLOCK_MIB = 4
_TEXT_BYTES = 1 << 20
_NAME_ENCODING = "name its encoding with --encoding, e.g. --encoding cp1252"
_ZERO = "holds a zero byte (NUL), which is no text; was the file damaged? repair or remove this row"
_WRONG_COUNT = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_BAD_TEXT = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to string: invalid UTF8")


class CsvReader:
    """One pass over the UTF-8 stream that `open` gives; all cells are strings, empty ones ''.

    `content`: the same without comments and without the lines above the header, where `form` names
    comments (see `without_comments`). Streams must be Arrow's own: Arrow reads ahead in threads of its
    own, and one that waits for Python when the program ends takes the program down with it. For the same
    reason Arrow is given no callback. `locate` names a data row (from 1) for error messages. Raises
    DataError for rows with too many or too few fields, an unclosed quote, and bytes that are no text.
    """

    def __init__(
        self,
        name: str,
        open: Open,
        form: CsvForm,
        batch_rows: int,
        locate: Callable[[int], str],
        content: Open | None = None,
    ):
        self._name = name
        self._open = open
        self._content = content or open
        self._form = form
        self._batch_rows = batch_rows
        self._locate = locate
        with open() as stream:
            self._names, above = _names_and_lines(name, stream, form)
        # In a file of one column, an empty line is a row whose only cell is empty; in others it is none.
        self._alone = len(self._names) == 1
        self._skip = 0 if form.comment else form.skip
        # Arrow reads the header itself, where it may.
        self._given: dict[str, Any] = {}
        if self._alone or form.units or not form.header:
            self._skip += above
            self._given = {"column_names": self._names}
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in self._names])

    def batches(self) -> Iterator[pa.RecordBatch]:
        if not self._names:
            return
        last = ""
        rows = 0
        try:
            with self._content() as stream:
                for block in self._blocks(stream):
                    self._check_zeros(block, rows)
                    rows += len(block)
                    for start in range(0, len(block), self._batch_rows):
                        yield block.slice(start, self._batch_rows)
                    last = block.column(len(self._names) - 1)[-1].as_py() if len(block) else last
        except pa.ArrowInvalid as error:
            # There is a header, and no row below it.
            nothing = "Could not skip initial" in str(error) or "Empty CSV file" in str(error)
            if not nothing or not self._is_short():
                self._raise(error)
        # A quote that is never closed makes the rest of the file the last cell.
        if last.endswith(("\n", "\r")) or self._ends_abruptly():
            self._check_quotes()

    def _blocks(self, stream: IO[bytes]) -> Iterator[pa.RecordBatch]:
        yield from arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_MIB << 20,
                skip_rows=self._skip,
                **self._given,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._form.delimiter, newlines_in_values=True, ignore_empty_lines=not self._alone
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
            ),
        )

    def _check_zeros(self, block: pa.RecordBatch, before: int) -> None:
        """Raises DataError for zero bytes, which text has none of. `before`: the rows above the block."""
        for name, column in zip(self._names, block.columns, strict=True):
            data = column.buffers()[2]
            if data is None or np.frombuffer(data, np.uint8).all():
                continue
            row = pc.index(pc.match_substring(column, "\0"), True).as_py()
            if row >= 0:
                raise DataError(f"{self._name}: {self._locate(before + row + 1)}, column {name!r}: {_ZERO}")

    def _row(self, number: str) -> int:
        """The number of the data row that Arrow gives this number."""
        return int(number) - self._skip - (not self._given)

    def _is_short(self) -> bool:
        """Whether Arrow is given all that there is at once."""
        with self._content() as stream:
            return len(stream.read(_BLOCK_MIB << 20)) < _BLOCK_MIB << 20

    def _raise(self, error: pa.ArrowInvalid) -> None:
        bad_text = _BAD_TEXT.search(str(error))
        if bad_text:
            column = self._names[int(bad_text[1])]
            where = f"{self._locate(self._row(bad_text[2]))}, " if bad_text[2] else ""
            raise DataError(
                f"{self._name}: {where}column {column!r}: not UTF-8 text; {_NAME_ENCODING}"
            ) from None
        self._check_quotes()
        wrong_count = _WRONG_COUNT.search(str(error))
        if wrong_count:
            number, wanted, got = wrong_count.groups()
            where = self._locate(self._row(number)) if number else "a row"
            mark = "a tab" if self._form.delimiter == "\t" else repr(self._form.delimiter)
            if "\0" in str(error):
                raise DataError(f"{self._name}: {where} {_ZERO}") from None
            first = "the header" if self._form.header else "the first one"
            raise DataError(
                f"{self._name}: {where} has {got} field{'s' * (got != '1')} where {first} has {wanted}; "
                f"repair or remove this row, or name the delimiter with --delimiter if it is not {mark}"
            ) from None
        reason = str(error).splitlines()[0]
        if "Could not skip initial" in reason and self._form.skip:
            reason = f"what is above the first row is longer than {_BLOCK_MIB} MiB"
        elif (
            "Could not skip initial" in reason or "straddling" in reason or "larger than block size" in reason
        ):
            reason = f"a row is longer than {_BLOCK_MIB} MiB"
        raise DataError(f"{self._name}: cannot be read: {reason}") from None

    def _ends_abruptly(self) -> bool:
        with self._open() as stream:
            if not stream.seekable():
                return False
            stream.seek(-1, io.SEEK_END)
            return stream.read(1) not in b"\r\n"

    def _check_quotes(self) -> None:
        with self._content() as stream:
            if sum(data.count(b'"') for data in iter(lambda: stream.read(1 << 20), b"")) % 2 == 0:
                return
        with self._open() as stream, _text(stream, errors="replace") as text:
            line = line_of_open_quote(text, self._form)
        if line is not None:
            raise DataError(
                f"{self._name}: line {line}: a quote is opened and never closed; close it or double it"
            ) from None


@contextlib.contextmanager
def _text(stream: IO[bytes], errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    # Python asks for 8 KiB at a time, each of which would be a request to a store.
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _TEXT_BYTES)
    text = io.TextIOWrapper(buffered, encoding="utf-8-sig", newline="", errors=errors)
    try:
        yield text
    finally:
        text.detach()
        buffered.detach()


def _names_and_lines(name: str, stream: IO[bytes], form: CsvForm) -> tuple[list[str], int]:
    """The names of the columns, none in a file without a line, and how many lines that are no comments come
    before the first row, not counting those to skip."""
    # Bytes that are no text are let through here: below the header, a row can be named for them.
    with _text(stream, errors="surrogateescape") as text:
        every = records(text, form)
        empty = 0
        first = next(every, None)
        while first is not None and not first.fields:
            empty, first = first.taken, next(every, None)
        below = next((record for record in every if record.fields), None) if form.units else None
    if first is None:
        if form.skip:
            raise DataError(f"{name}: holds nothing below the {form.skip} lines that are skipped")
        return [], 0
    if not form.header:
        return [f"column_{place}" for place in range(1, len(first.fields) + 1)], empty
    names = first.fields
    if any("\udc80" <= mark <= "\udcff" for mark in "".join(names)):
        raise DataError(f"{name}: the header is not UTF-8 text; {_NAME_ENCODING}")
    if any("\0" in column for column in names):
        raise DataError(f"{name}: line {first.line}: the header {_ZERO.replace('row', 'line')}")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"{name}: the column name {twice[0]!r} appears twice in the header; rename one")
    return names, (below or first).taken


def line_of_row(stream: IO[bytes], form: CsvForm, row: int) -> int | None:
    """The line (from 1) on which data row `row` (from 1) begins; None past the end."""
    seen = -int(form.header) - int(form.units)
    alone = False
    started = False
    with _text(stream, errors="replace") as text:
        for record in records(text, form):
            if not started:
                started, alone = bool(record.fields), len(record.fields) == 1
            counts = started and (bool(record.fields) or alone)
            seen += counts
            if counts and seen == row:
                return record.line
    return None


def without_comments(stream: IO[bytes], form: CsvForm) -> Iterator[bytes]:
    """What of a UTF-8 text comes below the lines to skip and is no comment, a line at a time."""
    with _text(stream, errors="surrogateescape") as text:
        for line in ContentLines(text, form):
            yield line.encode("utf-8", "surrogateescape")
