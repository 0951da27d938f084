"""In which format an output is written: its name says so, before any of its rows are there."""

from __future__ import annotations

from pathlib import Path

from aedetect.errors import UsageError
from aedetect.io.locate import COMPRESSION_SUFFIXES, STDIN, SUFFIX_FORMATS, format_of_name
from aedetect.io.stores import is_address, suffixed

TEXT_FORMATS = ("csv", "tsv")
COMPRESSED_INSIDE = ("parquet", "arrow")


def output_format(path: str) -> str:
    """The format that an output's name asks for. Raises UsageError for an unknown suffix."""
    if is_address(path):
        name = suffixed(path)
    elif path == STDIN or (Path(path).exists() and not Path(path).is_file()):
        # Devices and pipes have names that say nothing, and cannot be sought in.
        return "csv"
    else:
        name = path
    file_format = format_of_name(name)
    if file_format in COMPRESSED_INSIDE and name.lower().endswith(COMPRESSION_SUFFIXES):
        raise UsageError(f"{path}: {file_format} files are compressed inside; leave the last suffix off")
    if file_format is None:
        raise UsageError(f"{path}: unknown output format; end the name in one of {', '.join(SUFFIX_FORMATS)}")
    return file_format
