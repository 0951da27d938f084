"""What a file is, by its first bytes: format, compression, encoding, delimiter."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from aedetect.errors import DataError, UsageError
from aedetect.io.locate import format_of_name
from aedetect.io.source import ReadOptions

HEAD_BYTES = 65536
_DELIMITERS = (",", ";", "\t", "|")
_PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
}


@dataclass(frozen=True)
class Shape:
    """Format ('csv', 'jsonl', 'parquet', 'arrow'), compression and, for CSV, the delimiter."""

    format: str
    compression: str | None
    delimiter: str = ","


def compression_of(head: bytes) -> str | None:
    """What a file with these first bytes is compressed by, as Arrow calls it; None where by nothing."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    return None


def is_utf8(encoding: str) -> bool:
    """Whether this is a name of UTF-8."""
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


def sniff(name: str, head: bytes, compression: str | None, options: ReadOptions) -> Shape:
    """Decide how to read `name`, whose first (decompressed) bytes are `head`.

    Raises DataError for an empty file of a binary format, a format that contradicts the name, UTF-16, HTML
    and other things that are no table.
    """
    announced = options.format or format_of_name(name)
    if not head and announced in ("parquet", "arrow"):
        raise DataError(f"{name}: the file is empty")
    binary = _binary_format(head)
    if binary:
        if announced in ("csv", "tsv", "jsonl") and options.format:
            raise DataError(f"{name}: holds {binary} data, not {announced}; drop --format {announced}")
        return Shape(binary, compression)
    if announced in ("parquet", "arrow"):
        raise DataError(
            f"{name}: not {'an Arrow' if announced == 'arrow' else 'a Parquet'} file; "
            f"it starts with {head[:8].decode('ascii', 'backslashreplace')!r}"
        )
    packed = next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), None)
    if packed:
        raise DataError(f"{name}: {packed}, which cannot be read; unpack it or save it as CSV or Parquet")
    text = _decode(name, head, options.encoding)
    if announced == "jsonl":
        return Shape("jsonl", compression)
    if announced is None and text.lstrip().startswith("{"):
        return Shape("jsonl", compression)
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<!--", "<html", "<?xml", "<head", "<body")):
        raise DataError(
            f"{name}: this is an HTML or XML page, not a table; was it saved from a failed download?"
        )
    delimiter = options.delimiter or ("\t" if announced == "tsv" else _delimiter(text))
    return Shape("csv", compression, delimiter)


def _binary_format(head: bytes) -> str | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return "arrow"
    return None


def _decode(name: str, head: bytes, encoding: str) -> str:
    if is_utf8(encoding):
        if head and not head.strip(b"\0"):
            raise DataError(
                f"{name}: holds nothing but zero bytes; was it cut off by a crash or a full disk?"
            )
        wide = _wide(head)
        if wide:
            raise DataError(f"{name}: the file is UTF-16, not UTF-8; convert it, or give --encoding {wide}")
        if 0 in head:
            raise DataError(f"{name}: holds binary data, not text")
    try:
        return head.decode(encoding, errors="ignore")
    except (LookupError, UnicodeError):
        # Some that Python knows are for single names, not for files.
        raise UsageError(f"--encoding {encoding}: not known; try utf-8, latin-1, cp1252 or utf-16") from None


def _wide(head: bytes) -> str | None:
    """Which UTF-16 a text is in, if it is: without a mark at its start, by where the zero bytes are."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first = head[:200]
    if first.count(0) * 3 <= len(first):
        return None
    return "utf-16-be" if first[::2].count(0) > first[1::2].count(0) else "utf-16-le"


def _delimiter(text: str) -> str:
    """The mark that splits the header and the first lines into equally many fields; else a comma."""
    lines = [line for line in text.splitlines() if line]
    complete = lines[:-1] if len(lines) > 1 and not text.endswith(("\n", "\r")) else lines
    if not complete:
        return ","
    counts = {mark: _fields(complete[0], mark) for mark in _DELIMITERS}
    agreeing = [
        mark for mark in _DELIMITERS if all(_fields(line, mark) == counts[mark] for line in complete[1:6])
    ]
    for marks in (agreeing, _DELIMITERS[:1], _DELIMITERS):
        best = max(marks, key=lambda mark: counts[mark], default=",")
        if counts[best] > 1:
            return best
    return ","


def _fields(line: str, mark: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=mark), []))
    except csv.Error:
        return 1
