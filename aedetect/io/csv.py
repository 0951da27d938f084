"""CSV as text: strict about the number of fields and about quotes, silent about types."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from aedetect.errors import DataError

_BLOCK_MIB = 4
_NAME_ENCODING = "name its encoding with --encoding, e.g. --encoding latin-1"
_WRONG_COUNT = re.compile(r"CSV parse error: (?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_BAD_TEXT = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to string: invalid UTF8")

csv.field_size_limit(min(sys.maxsize, 1 << 30))


class CsvReader:
    """One pass over the UTF-8 stream that `open` gives; all cells are strings, empty ones ''.

    The stream must be one of Arrow's own: Arrow reads ahead in threads of its own, and one that
    waits for Python when the program ends takes the program down with it. For the same reason
    Arrow is given no callback. `locate` names a data row (from 1) for error messages. Raises
    DataError for rows with too many or too few fields, an unclosed quote, and bytes that are no text.
    """

    def __init__(
        self,
        name: str,
        open: Callable[[], AbstractContextManager[IO[bytes]]],
        delimiter: str,
        batch_rows: int,
        locate: Callable[[int], str],
    ):
        self._name = name
        self._open = open
        self._delimiter = delimiter
        self._batch_rows = batch_rows
        self._locate = locate
        with open() as stream:
            self._names, self._header_lines = _header(name, stream, delimiter)
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in self._names])

    def batches(self) -> Iterator[pa.RecordBatch]:
        if not self._names:
            return
        last = ""
        try:
            with self._open() as stream:
                for block in self._blocks(stream):
                    for start in range(0, len(block), self._batch_rows):
                        yield block.slice(start, self._batch_rows)
                    last = block.column(len(self._names) - 1)[-1].as_py() if len(block) else last
        except pa.ArrowInvalid as error:
            self._raise(error)
        # A quote that is never closed makes the rest of the file the last cell.
        if last.endswith(("\n", "\r")) or self._ends_abruptly():
            self._check_quotes()

    def _blocks(self, stream: IO[bytes]) -> Iterator[pa.RecordBatch]:
        # In a file of one column, an empty line is a row whose only cell is empty; in others it is none.
        alone = len(self._names) == 1
        named: dict[str, Any] = (
            {"column_names": self._names, "skip_rows": self._header_lines} if alone else {}
        )
        yield from arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_MIB << 20, **named),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, ignore_empty_lines=not alone
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
            ),
        )

    def _raise(self, error: pa.ArrowInvalid) -> None:
        bad_text = _BAD_TEXT.search(str(error))
        if bad_text:
            column = self._names[int(bad_text[1])]
            where = f"{self._locate(int(bad_text[2]) - 1)}, " if bad_text[2] else ""
            raise DataError(
                f"{self._name}: {where}column {column!r}: not UTF-8 text; {_NAME_ENCODING}"
            ) from None
        self._check_quotes()
        wrong_count = _WRONG_COUNT.search(str(error))
        if wrong_count:
            number, wanted, got = wrong_count.groups()
            where = self._locate(int(number) - 1) if number else "a row"
            mark = "a tab" if self._delimiter == "\t" else repr(self._delimiter)
            raise DataError(
                f"{self._name}: {where} has {got} field{'s' * (got != '1')} where the header has {wanted}; "
                f"repair or remove this row, or name the delimiter with --delimiter if it is not {mark}"
            ) from None
        reason = str(error).splitlines()[0]
        if "straddling" in reason or "larger than block size" in reason:
            reason = f"a row is longer than {_BLOCK_MIB} MiB"
        raise DataError(f"{self._name}: cannot be read: {reason}") from None

    def _ends_abruptly(self) -> bool:
        with self._open() as stream:
            if not stream.seekable():
                return False
            stream.seek(-1, io.SEEK_END)
            return stream.read(1) not in b"\r\n"

    def _check_quotes(self) -> None:
        with self._open() as stream:
            if sum(data.count(b'"') for data in iter(lambda: stream.read(1 << 20), b"")) % 2 == 0:
                return
        with self._open() as stream, _text(stream, errors="replace") as text:
            start = 1
            reader = csv.reader(text, delimiter=self._delimiter, strict=True)
            try:
                for _ in reader:
                    start = reader.line_num + 1
            except csv.Error as error:
                if "end of data" in str(error):
                    raise DataError(
                        f"{self._name}: line {start}: a quote is opened and never closed; "
                        "close it or double it"
                    ) from None


@contextlib.contextmanager
def _text(stream: IO[bytes], errors: str = "strict") -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", errors=errors)
    try:
        yield text
    finally:
        text.detach()


def _header(name: str, stream: IO[bytes], delimiter: str) -> tuple[list[str], int]:
    """The names of the columns, none in a file without a line, and the lines up to the header's end."""
    # Bytes that are no text are let through here: below the header, a row can be named for them.
    with _text(stream, errors="surrogateescape") as text:
        reader = csv.reader(text, delimiter=delimiter)
        names = next((row for row in reader if row), None)
    if names is None:
        return [], 0
    if any("\udc80" <= mark <= "\udcff" for mark in "".join(names)):
        raise DataError(f"{name}: the header is not UTF-8 text; {_NAME_ENCODING}")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"{name}: the column name {twice[0]!r} appears twice in the header; rename one")
    return names, reader.line_num


def line_of_row(stream: IO[bytes], delimiter: str, row: int) -> int | None:
    """The line (from 1) on which data row `row` (from 1) begins; None past the end."""
    with _text(stream, errors="replace") as text:
        reader = csv.reader(text, delimiter=delimiter)
        seen = -1
        start = 1
        alone = False
        for record in reader:
            counts = bool(record) or alone
            seen += counts
            if seen == 0 and record:
                alone = len(record) == 1
            if counts and seen == row:
                return start
            start = reader.line_num + 1
    return None
