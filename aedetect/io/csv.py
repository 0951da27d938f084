"""CSV as text: strict about the number of fields and about quotes, silent about types."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING, Any

from aedetect.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_BYTES = 4 << 20
_BAD_TEXT = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to string: invalid UTF8")

csv.field_size_limit(min(sys.maxsize, 1 << 30))


class CsvReader:
    """One pass over a CSV stream; every column is read as strings, empty cells as ''.

    `locate` names a data row (from 1) for error messages. Raises DataError for rows with too
    many or too few fields, an unclosed quote, and bytes that are no text in `encoding`.
    """

    def __init__(
        self,
        name: str,
        open: Callable[[], AbstractContextManager[IO[bytes]]],
        delimiter: str,
        encoding: str,
        batch_rows: int,
        locate: Callable[[int], str],
    ):
        import pyarrow as pa

        self._name = name
        self._open = open
        self._delimiter = delimiter
        self._encoding = encoding
        self._batch_rows = batch_rows
        self._locate = locate
        self._invalid: Any = None
        with open() as stream:
            self._names = _header(name, stream, delimiter, encoding)
        self.schema: pa.Schema = pa.schema([pa.field(name, pa.string()) for name in self._names])

    def batches(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with self._open() as stream:
            quotes = _QuoteCounter(stream)
            try:
                for block in self._blocks(quotes):
                    for start in range(0, len(block), self._batch_rows):
                        yield block.slice(start, self._batch_rows)
            except pa.ArrowInvalid as error:
                self._raise(error)
        if quotes.count % 2:
            self._check_quotes()

    def _blocks(self, stream: _QuoteCounter) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        yield from arrow_csv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK_BYTES, encoding=self._encoding
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._on_invalid_row
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
            ),
        )

    @property
    def _mark(self) -> str:
        return "tab" if self._delimiter == "\t" else self._delimiter

    def _on_invalid_row(self, row: Any) -> str:
        self._invalid = row
        return "error"

    def _raise(self, error: pa.ArrowInvalid) -> None:
        if self._invalid is not None:
            got, wanted, number = (
                self._invalid.actual_columns,
                self._invalid.expected_columns,
                self._invalid.number,
            )
            where = self._locate(number - 1) if number else "a row"
            raise DataError(
                f"{self._name}: {where} has {got} field{'s' * (got != 1)} where the header has {wanted}; "
                f"mend or remove this row, or name the delimiter with --delimiter if it is not {self._mark!r}"
            ) from None
        bad_text = _BAD_TEXT.search(str(error))
        if bad_text:
            column = self._names[int(bad_text[1])]
            where = f"{self._locate(int(bad_text[2]) - 1)}, " if bad_text[2] else ""
            raise DataError(
                f"{self._name}: {where}column {column!r}: not UTF-8 text; "
                "name its encoding with --encoding, e.g. --encoding latin-1"
            ) from None
        self._check_quotes()
        raise DataError(f"{self._name}: cannot be read: {str(error).splitlines()[0]}") from None

    def _check_quotes(self) -> None:
        with self._open() as stream, _text(stream, self._encoding) as text:
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


class _QuoteCounter(io.RawIOBase):
    """Counts quote characters on the way: an odd number is the sign of an unclosed one."""

    def __init__(self, stream: IO[bytes]):
        self.stream = stream
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.count += data.count(b'"')
        return data


@contextlib.contextmanager
def _text(stream: IO[bytes], encoding: str) -> Iterator[io.TextIOWrapper]:
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def _header(name: str, stream: IO[bytes], delimiter: str, encoding: str) -> list[str]:
    with _text(stream, encoding) as text:
        names = next((row for row in csv.reader(text, delimiter=delimiter) if row), None)
    if names is None:
        raise DataError(f"{name}: the file is empty")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"{name}: the column name {twice[0]!r} stands twice in the header; rename one")
    return names


def line_of_row(stream: IO[bytes], delimiter: str, encoding: str, row: int) -> int | None:
    """The line (from 1) on which data row `row` (from 1) begins; None past the end."""
    with _text(stream, encoding) as text:
        reader = csv.reader(text, delimiter=delimiter)
        seen = -1
        start = 1
        for record in reader:
            seen += bool(record)
            if record and seen == row:
                return start
            start = reader.line_num + 1
    return None
