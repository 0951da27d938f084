"""From the INPUT words of a command to the files they mean."""

from __future__ import annotations

import glob
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aedetect.errors import DataError, UsageError

if TYPE_CHECKING:
    from pyarrow import fs

SUFFIX_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
COMPRESSION_SUFFIXES = (".gz", ".zst")
STDIN = "-"
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
# What Arrow reads.
_STORES = ("file", "s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
_WEB = ("http", "https", "ftp", "ftps")
# Arrow tries for a quarter of an hour, in which nothing stops it.
_GOOGLE_SECONDS = 60


@dataclass(frozen=True)
class Location:
    """A file: where it lies, what to call it, the hive partition it belongs to.

    `relative` is its path below the directory that was named, empty for a file named itself.
    """

    path: str
    name: str
    partition: tuple[tuple[str, str | None], ...] = ()
    filesystem: fs.FileSystem | None = None
    relative: str = ""


def format_of_name(name: str) -> str | None:
    """The format a file name announces, compression suffix ignored; None where it says nothing."""
    base = name.lower()
    for suffix in COMPRESSION_SUFFIXES:
        base = base.removesuffix(suffix)
    return SUFFIX_FORMATS.get(PurePosixPath(base).suffix)


def locate(inputs: Sequence[str]) -> list[Location]:
    """Expand files, directories, quoted globs, '-' and URIs, each in a stable order.

    Raises DataError for what does not exist, matches nothing, or holds no data file.
    """
    locations: list[Location] = []
    for word in inputs:
        locations.extend(_expand(word, alone=len(inputs) == 1))
    # The same file named twice, by 'a.csv' and './a.csv' say, is one input.
    once = {
        place.path if place.filesystem else os.path.realpath(place.path): place
        for place in reversed(locations)
    }
    unique_ids = {id(place) for place in once.values()}
    return [place for place in locations if id(place) in unique_ids]


def _expand(word: str, alone: bool) -> list[Location]:
    if word == STDIN:
        return [Location(STDIN, "<stdin>")]
    if _URI.match(word):
        return _expand_uri(word)
    if os.path.isdir(word):
        return _expand_directory(word)
    if os.path.exists(word):
        if not os.path.isfile(word):
            raise DataError(f"{word}: is no regular file; pipe what it holds to standard input, and name -")
        return [Location(word, _shown(word))]
    if glob.has_magic(word):
        # Folders, pipes and devices are passed over; what leads nowhere fails by name when it is read.
        paths = glob.glob(word, recursive=True)
        matches = sorted(path for path in paths if os.path.isfile(path) or not os.path.exists(path))
        if not matches:
            raise DataError(f"{word}: no file matches this pattern")
        return [Location(path, _shown(path)) for path in matches]
    if not alone:
        # One missing among several fails when its turn comes, and does not keep the rest from theirs.
        return [Location(word, _shown(word))]
    raise DataError(f"{word}: no such file or directory")


def _shown(path: str) -> str:
    """A path as text: bytes that are no UTF-8 are spelled out, for they cannot be stored or printed."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _expand_directory(root: str) -> list[Location]:
    places = []
    for folder, subfolders, files in os.walk(root, onerror=_unlistable):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "_")))
        for name in sorted(files):
            if not name.startswith((".", "_")) and format_of_name(name):
                path = os.path.join(folder, name)
                if os.path.exists(path) and not os.path.isfile(path):
                    continue
                relative = Path(path).relative_to(root)
                partition = _partition(relative.parts[:-1])
                places.append(Location(path, _shown(path), partition, None, str(relative)))
    if not places:
        raise DataError(f"{root}: no data file in this directory (looked for {', '.join(SUFFIX_FORMATS)})")
    return sorted(places, key=lambda place: place.path)


def _unlistable(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _partition(folders: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    pairs = (folder.partition("=") for folder in folders)
    return tuple(
        (unquote(key), None if value == _HIVE_NULL else unquote(value))
        for key, equals, value in pairs
        if key and equals
    )


def _expand_uri(uri: str) -> list[Location]:
    from pyarrow import ArrowException, fs

    _check_scheme(uri)
    try:
        filesystem, path = fs.FileSystem.from_uri(_patient(uri))
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            raise DataError(f"{uri}: no such file or directory")
        if info.type == fs.FileType.File:
            return [Location(path, uri, (), filesystem)]
        below = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{uri}: cannot be read: {_first_line(error)}; check the address and your access to it, "
            "or download it first"
        ) from None
    root = path.rstrip("/")
    places = []
    for item in sorted(below, key=lambda item: item.path):
        parts = PurePosixPath(item.path[len(root) + 1 :]).parts
        hidden = any(part.startswith((".", "_")) for part in parts)
        if item.type == fs.FileType.File and not hidden and format_of_name(item.path):
            relative = "/".join(parts)
            name = f"{uri.rstrip('/')}/{relative}"
            places.append(Location(item.path, name, _partition(parts[:-1]), filesystem, relative))
    if not places:
        raise DataError(f"{uri}: no data file in this directory (looked for {', '.join(SUFFIX_FORMATS)})")
    return places


def _check_scheme(uri: str) -> None:
    """Raises UsageError for addresses of what is no file store."""
    match = _URI.match(uri)
    scheme = match["scheme"].lower() if match else ""
    if scheme in _WEB:
        raise UsageError(
            f"{uri}: a web address, from which nothing is read; download it first "
            f"(curl -LO {shlex.quote(uri)}) and name the file"
        )
    if scheme not in _STORES:
        raise UsageError(
            f"{uri}: {scheme} is none of the stores that are read ({', '.join(_STORES)}); "
            "write what it holds to a file and name that"
        )


def _patient(uri: str) -> str:
    """The address, with an end to the attempts at reaching a store of Google's."""
    if not uri.lower().startswith(("gs://", "gcs://")) or "retry_limit_seconds" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}retry_limit_seconds={_GOOGLE_SECONDS}"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
