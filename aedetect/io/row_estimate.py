"""About how many rows an input has, told from its size and its beginning: for progress, not for results."""

from __future__ import annotations

import os

from aedetect.errors import AedetectError
from aedetect.io.files import FileInput
from aedetect.io.source import Input, TableInput

# So much of a text file is taken for what all of it is like.
_LOOKED_AT = 1 << 18


def rows_about(source: Input) -> int | None:
    """The number of rows, or about that; None where nothing tells it, as of a compressed text file."""
    if isinstance(source, TableInput):
        return len(source.table)
    if (
        not isinstance(source, FileInput)
        or source.spool is not None
        or source.location.filesystem is not None
    ):
        return None
    try:
        if source.format == "parquet":
            return _rows_of_parquet(source.location.path)
        return _lines_of_text(source.location.path) if source.is_text else None
    except (OSError, ValueError, AedetectError):
        # Whoever reads the rows says what is wrong.
        return None


def _rows_of_parquet(path: str) -> int:
    from pyarrow import parquet

    with open(os.fsencode(path), "rb") as stream:
        return int(parquet.read_metadata(stream).num_rows)


def _lines_of_text(path: str) -> int | None:
    size = os.path.getsize(os.fsencode(path))
    with open(os.fsencode(path), "rb") as stream:
        head = stream.read(_LOOKED_AT)
    lines = head.count(b"\n")
    # Compressed, or of two bytes a character.
    if b"\0" in head or not lines:
        return None
    return round(lines * max(size / len(head), 1.0))
