"""What a file is, by its first bytes: format, compression, encoding, delimiter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aedetect.errors import DataError, UsageError
from aedetect.io.csv_form import CsvForm
from aedetect.io.header import find_form
from aedetect.io.json_text import is_document
from aedetect.io.kinds import other_kind
from aedetect.io.locate import format_of_name
from aedetect.io.source import ReadOptions

HEAD_BYTES = 65536


@dataclass(frozen=True)
class Shape:
    """Format ('csv', 'jsonl', 'parquet', 'arrow'), compression and, for CSV, the form.

    `document`: the objects of JSON are not one a line.
    """

    format: str
    compression: str | None
    form: CsvForm = field(default_factory=CsvForm)
    document: bool = False


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


# As far a page of HTML or XML is looked into.
_MARKUP = 2000


def sniff(
    name: str, head: bytes, compression: str | None, options: ReadOptions, whole: bool = False
) -> Shape:
    """Decide how to read `name`, whose first (decompressed) bytes are `head`, or which are all (`whole`).

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
    other = other_kind(head)
    if other:
        raise DataError(f"{name}: {other}")
    if announced in ("parquet", "arrow"):
        is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in head[:200])
        remedy = "; if it is a text file, give --format csv" if is_text else ""
        raise DataError(
            f"{name}: not {'an Arrow' if announced == 'arrow' else 'a Parquet'} file; "
            f"it starts with {head[:8].decode('ascii', 'backslashreplace')!r}{remedy}"
        )
    text = _decode(name, head, options.encoding)
    if _is_json(name, text, announced, options):
        return Shape("jsonl", compression, document=is_document(text))
    start = text.lstrip("\ufeff \t\r\n")[:_MARKUP].lower()
    if start.startswith(("<!doctype", "<!--", "<html", "<?xml", "<head", "<body")) or _is_markup(start):
        raise DataError(
            f"{name}: this is an HTML or XML page, not a table; was it saved from a failed download?"
        )
    return Shape("csv", compression, find_form(name, text, whole, announced == "tsv", options))


def _is_markup(start: str) -> bool:
    """Whether lines are elements; a CSV file may have a header such as '<DATE>,<OPEN>'."""
    lines = [line.strip() for line in start.splitlines()[:3]]
    return "</" in start and all(re.match(r"</?[a-z][\w:.-]*[\s>/]", line) for line in lines)


def _is_json(name: str, text: str, announced: str | None, options: ReadOptions) -> bool:
    """Whether a text is JSON: by what it is announced as, else by how it begins."""
    start = text.lstrip("\ufeff \t\r\n")
    if announced == "jsonl" or (announced is None and name.lower().removesuffix(".gz").endswith(".json")):
        return True
    # No header of a CSV file begins so.
    is_list = re.match(r'\[\s*\{\s*["}]', start) is not None
    return options.format is None and (is_list or (announced is None and start.startswith("{")))


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
        if _is_binary(head):
            raise DataError(f"{name}: holds binary data, not text")
    try:
        return head.decode(encoding, errors="ignore")
    except (LookupError, UnicodeError):
        # Some that Python knows are for single names, not for files.
        raise UsageError(f"--encoding {encoding}: not known; try utf-8, latin-1, cp1252 or utf-16") from None


def _is_binary(head: bytes) -> bool:
    """Whether these bytes are no text. A zero byte here and there is a damaged cell, which can be named."""
    if 0 not in head:
        return False
    lost = len(head) - len(head.decode(errors="ignore").encode())
    return head.count(0) > max(8, len(head) // 50) or lost > len(head) // 20


def _wide(head: bytes) -> str | None:
    """Which UTF-16 a text is in, if it is: without a mark at its start, by where the zero bytes are."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first = head[:200]
    if first.count(0) * 3 <= len(first):
        return None
    even, odd = first[::2].count(0), first[1::2].count(0)
    if 3 * min(even, odd) > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"
