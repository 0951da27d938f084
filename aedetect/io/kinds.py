"""What a file is that is no table: by its first bytes, with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNPACK = "unpack it first"
_SAVE = "save its table as CSV or Parquet"


@dataclass(frozen=True)
class _Kind:
    """Files that have these bytes at a place."""

    bytes: bytes
    what: str
    remedy: str
    place: int = 0


_FRAME = "in pandas, write it with frame.to_parquet"
_KINDS = (
    _Kind(b"SQLite format 3\0", "an SQLite database", "write a table of it to CSV: sqlite3 -csv -header"),
    _Kind(b"DUCK", "a DuckDB database", "write a table of it to Parquet: COPY … TO 'table.parquet'", 8),
    _Kind(b"\x00\x01\x00\x00Standard ", "an Access database", _SAVE),
    _Kind(b"\xd0\xcf\x11\xe0", "an old Excel workbook, or another old Office file", "save its sheet as CSV"),
    _Kind(b"BZh", "a bzip2 file", f"{_UNPACK}: bunzip2"),
    _Kind(b"\xfd7zXZ", "an xz file", f"{_UNPACK}: unxz"),
    _Kind(b"\x04\x22\x4d\x18", "an LZ4 file", f"{_UNPACK}: unlz4"),
    _Kind(b"\xff\x06\x00\x00sNaPpY", "a snappy file", _UNPACK),
    _Kind(b"\x1f\x9d", "a file packed by compress (.Z)", f"{_UNPACK}: uncompress"),
    _Kind(b"\x1f\x8b", "a file that is packed twice", "unpack it once: gunzip"),
    _Kind(b"\x28\xb5\x2f\xfd", "a file that is packed twice", "unpack it once: unzstd"),
    _Kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", f"{_UNPACK}: 7z x"),
    _Kind(b"Rar!", "a RAR archive", f"{_UNPACK}: unrar x"),
    _Kind(b"ustar", "a tar archive", f"{_UNPACK}: tar -xf", 257),
    _Kind(b"%PDF", "a PDF document", _SAVE),
    _Kind(b"{\\rtf", "an RTF document", _SAVE),
    _Kind(b"%!PS", "a PostScript document", _SAVE),
    _Kind(b"\x89PNG", "a PNG image", "name a file with a table"),
    _Kind(b"\xff\xd8\xff", "a JPEG image", "name a file with a table"),
    _Kind(b"GIF8", "a GIF image", "name a file with a table"),
    _Kind(b"II*\0", "a TIFF image", "name a file with a table"),
    _Kind(b"MM\0*", "a TIFF image", "name a file with a table"),
    _Kind(b"RIFF", "a picture, sound or video (RIFF)", "name a file with a table"),
    _Kind(b"ftyp", "a video", "name a file with a table", 4),
    _Kind(b"\x93NUMPY", "a NumPy array", "write it as CSV with numpy.savetxt, or as Parquet"),
    _Kind(b"\x89HDF\r\n", "an HDF5 file", _FRAME),
    _Kind(b"CDF\x01", "a NetCDF file", _SAVE),
    _Kind(b"CDF\x02", "a NetCDF file", _SAVE),
    _Kind(b"ORC", "an ORC file", "write it as Parquet"),
    _Kind(b"Obj\x01", "an Avro file", "write it as Parquet"),
    _Kind(b"PARE", "an encrypted Parquet file", "decrypt it first"),
    _Kind(b"MATLAB 5.0", "a MATLAB file", "write its table as CSV: writetable"),
    _Kind(b"RDX", "an R data file", "write its table as CSV: write.csv"),
    _Kind(b"RDA", "an R data file", "write its table as CSV: write.csv"),
    _Kind(b"X\n\0\0\0", "an R data file", "write its table as CSV: write.csv"),
    _Kind(b"$FL2", "an SPSS file", _SAVE),
    _Kind(b"<stata_dta>", "a Stata file", _SAVE),
    _Kind(b"\xc2\xea\x81\x60", "a SAS file", _SAVE, 12),
    _Kind(b"\x7fELF", "a program", "name a file with a table"),
    _Kind(b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch it: git lfs pull"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x80-\x95(\]})cX\x8c]")
_SAFETENSORS = re.compile(rb'.{8}\{"', re.DOTALL)


def other_kind(head: bytes) -> str | None:
    """What a file of these first bytes is and what to do, where it is known and no table; else None.

    >>> other_kind(b"%PDF-1.7")
    'a PDF document, which cannot be read; save its table as CSV or Parquet'
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _said(*_zip_archive(head))
    for kind in _KINDS:
        if head.startswith(kind.bytes, kind.place):
            return _said(kind.what, kind.remedy)
    if _PICKLE.match(head):
        return _said("a Python pickle", _FRAME)
    if _SAFETENSORS.match(head) and 0 in head[1:8]:
        return _said("a model file (safetensors)", "name a file with a table")
    return None


def _said(what: str, remedy: str) -> str:
    return f"{what}, which cannot be read; {remedy}"


def _zip_archive(head: bytes) -> tuple[str, str]:
    is_document = b"word/" in head or b"ppt/" in head
    if b"xl/" in head or (b"[Content_Types].xml" in head[:100] and not is_document):
        return "an Excel workbook", "save its sheet as CSV"
    if b"opendocument.spreadsheet" in head[:200]:
        return "an OpenDocument spreadsheet", "save its sheet as CSV"
    if is_document or b"opendocument" in head[:200]:
        return "an Office document", _SAVE
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("utf-8", "backslashreplace")
    if name.endswith(".npy"):
        return "a NumPy archive", "write its array as CSV with numpy.savetxt, or as Parquet"
    if name.endswith("/data.pkl"):
        return "a PyTorch file", "name a file with a table"
    return (
        f"a ZIP archive{f' (it begins with {name[:60]!r})' if name.strip(chr(0)) else ''}",
        f"{_UNPACK}: unzip",
    )
