"""From the INPUT words of a command to the files they mean."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aedetect.errors import DataError, UsageError
from aedetect.io.alike import file_meant

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

# What lies beside data and is known to be none.
_NO_DATA = (".aed", ".aed.checkpoint", ".crc", ".md5", ".sha1", ".sha256", ".html", ".md")
_MOST_NAMED = 3

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://")
# What Arrow reads.
_STORES = ("file", "s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
_WEB = ("http", "https", "ftp", "ftps")
# Arrow tries for a quarter of an hour, in which nothing stops it.
_GOOGLE_SECONDS = 60


@dataclass(frozen=True)
class Location:
    """A file: where it lies, what to call it, the hive partition it belongs to.

    `relative` is its path below the directory that was named, empty for a file named itself. `above`: the
    partition that the folders above that directory, or that file, tell of.
    """

    path: str
    name: str
    partition: tuple[tuple[str, str | None], ...] = ()
    filesystem: fs.FileSystem | None = None
    relative: str = ""
    above: tuple[tuple[str, str | None], ...] = ()


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


def check_named(inputs: Sequence[str]) -> None:
    """Raises the DataError that `locate` would for files, folders and patterns, in a moment.

    Stores are not asked, nor are folders looked through beyond the first file.
    """
    for word in inputs:
        if word == STDIN or _URI.match(word):
            continue
        if not os.path.isdir(word):
            _expand(word, alone=len(inputs) == 1)
        elif not any(format_of_name(parts[-1]) for _, parts in _files_below(word)):
            raise _no_data([word])


def left_out(inputs: Sequence[str]) -> list[str]:
    """A line for each directory among `inputs` in which files are passed over for their names.

    Hidden files, and those known to hold no data, are not spoken of.
    """
    said = []
    for word in dict.fromkeys(inputs):
        if _URI.match(word):
            below = [parts for _, parts in _files_below_uri(word)]
        elif word != STDIN and os.path.isdir(word):
            below = [tuple(parts) for _, parts in _files_below(word)]
        else:
            continue
        names = ["/".join(parts) for parts in below if not format_of_name(parts[-1])]
        names = sorted(_shown(name) for name in names if not name.lower().endswith(_NO_DATA))
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            one = len(names) == 1
            which, them = ("whose name says", "it") if one else ("whose names say", "them")
            said.append(
                f"{_shown(word)}: {len(names)} file{'s' * (not one)} left out, {which} no format of data: "
                f"{', '.join(names[:_MOST_NAMED])}{more}; name {them} to have {them} read"
            )
    return said


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
        return [_file(word)]
    if glob.has_magic(word):
        # Folders, pipes and devices are passed over; what leads nowhere fails by name when it is read.
        paths = glob.glob(word, recursive=True)
        matches = sorted(path for path in paths if os.path.isfile(path) or not os.path.exists(path))
        if not matches:
            raise DataError(f"{word}: no file matches this pattern")
        return [_file(path) for path in matches]
    if not alone:
        # One missing among several fails when its turn comes, and does not keep the rest from theirs.
        return [_file(word)]
    raise DataError(f"{word}: no such file or directory{file_meant(word)}")


def _file(path: str) -> Location:
    return Location(path, _shown(path), above=_partition(Path(os.path.abspath(path)).parts[:-1]))


def _shown(path: str) -> str:
    """A path as text: bytes that are no UTF-8 are spelled out, for they cannot be stored or printed."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _expand_directory(root: str) -> list[Location]:
    above = _partition(Path(os.path.abspath(root)).parts)
    places = [
        Location(path, _shown(path), _partition(parts[:-1]), None, os.path.join(*parts), above)
        for path, parts in _files_below(root)
        if format_of_name(parts[-1])
    ]
    if not places:
        raise _no_data([root])
    return sorted(places, key=lambda place: place.path)


def _files_below(root: str) -> Iterator[tuple[str, Sequence[str]]]:
    """The regular files below a directory but hidden ones: their paths, and the parts of these below it."""
    for folder, subfolders, files in os.walk(root, onerror=_unlistable):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith((".", "_")))
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.startswith((".", "_")) or (os.path.exists(path) and not os.path.isfile(path)):
                continue
            yield path, Path(path).relative_to(root).parts


def _no_data(words: Sequence[str]) -> DataError:
    looked_for = f"(looked for {', '.join(SUFFIX_FORMATS)})"
    others = "".join(f"; {text.partition(': ')[2]}" for text in left_out(words))
    return DataError(f"{words[0]}: no data file in this directory {looked_for}{others}")


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
    from pyarrow import fs

    filesystem, path = _at(uri)
    if filesystem.get_file_info(path).type == fs.FileType.File:
        return [Location(path, uri, (), filesystem, above=_partition(PurePosixPath(path).parts[:-1]))]
    above = _partition(PurePosixPath(path).parts)
    places = []
    for below, parts in _files_below_uri(uri):
        if format_of_name(below):
            relative = "/".join(parts)
            name = f"{uri.rstrip('/')}/{relative}"
            places.append(Location(below, name, _partition(parts[:-1]), filesystem, relative, above))
    if not places:
        raise _no_data([uri])
    return places


def _files_below_uri(uri: str) -> list[tuple[str, tuple[str, ...]]]:
    """As `_files_below`, of a directory in an object store; none for a file."""
    from pyarrow import fs

    filesystem, path = _at(uri)
    if filesystem.get_file_info(path).type == fs.FileType.File:
        return []
    root = path.rstrip("/")
    files = []
    with _naming(uri):
        for item in sorted(
            filesystem.get_file_info(fs.FileSelector(path, recursive=True)), key=lambda item: item.path
        ):
            parts = PurePosixPath(item.path[len(root) + 1 :]).parts
            hidden = any(part.startswith((".", "_")) for part in parts)
            if item.type == fs.FileType.File and not hidden:
                files.append((item.path, parts))
    return files


def _at(uri: str) -> tuple[fs.FileSystem, str]:
    """The store and the path in it. Raises DataError for what cannot be found there."""
    from pyarrow import fs

    _check_scheme(uri)
    with _naming(uri):
        filesystem, path = fs.FileSystem.from_uri(_patient(uri))
        if filesystem.get_file_info(path).type == fs.FileType.NotFound:
            raise DataError(f"{uri}: no such file or directory")
    return filesystem, path


@contextlib.contextmanager
def _naming(uri: str) -> Iterator[None]:
    """Turns what goes wrong with an object store into DataError."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{uri}: cannot be read: {_first_line(error)}; check the address and your access to it, "
            "or download it first"
        ) from None


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
