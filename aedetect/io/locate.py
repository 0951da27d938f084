"""From the INPUT words of a command to the files they mean."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aedetect.errors import DataError, UsageError
from aedetect.io.alike import file_meant
from aedetect.io.stores import Address, StoreObject, facts_of, is_address, missing, naming

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

_MOST_NOTED = 64


@dataclass(frozen=True)
class Location:
    """A file: where it lies, what to call it, the hive partition it belongs to.

    `relative` is its path below the directory that was named, empty for a file named itself. `above`: the
    partition that the folders above that directory, or that file, tell of. `object` reads it in a store.
    """

    path: str
    name: str
    partition: tuple[tuple[str, str | None], ...] = ()
    filesystem: fs.FileSystem | None = None
    relative: str = ""
    above: tuple[tuple[str, str | None], ...] = ()
    object: StoreObject | None = field(default=None, repr=False, compare=False)

    @property
    def place(self) -> str:
        """The path, or the address in a store, that others are held against; see `atomic.same_file`."""
        on_disk = self.filesystem is None or self.filesystem.type_name == "local"
        return self.path if on_disk else self.name


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
        place.place if place.filesystem else os.path.realpath(place.path): place
        for place in reversed(locations)
    }
    unique_ids = {id(place) for place in once.values()}
    return [place for place in locations if id(place) in unique_ids]


def check_named(inputs: Sequence[str]) -> None:
    """Raises the DataError that `locate` would for files, folders and patterns, in a moment.

    Stores are not asked, nor are folders looked through beyond the first file.
    """
    for word in inputs:
        if word == STDIN or is_address(word):
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
        if is_address(word):
            names = _others_of(word)
        elif word != STDIN and os.path.isdir(word):
            names = ["/".join(parts) for _, parts in _files_below(word) if not format_of_name(parts[-1])]
        else:
            continue
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
    if is_address(word):
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
    """The files that an address means: one, those below a folder, or those that match a pattern."""
    from pyarrow import fs

    address = Address.of(uri)
    if glob.has_magic(address.place):
        return _matching(address)
    with naming(uri):
        filesystem, path = address.store()
        if not address.is_folder:
            info = filesystem.get_file_info(path)
            if info.type == fs.FileType.NotFound:
                raise DataError(f"{address}: {missing(filesystem, path)}")
            if info.type == fs.FileType.File:
                _note_others(uri, [])
                return [_in_store(address, filesystem, info)]
    above = _partition(PurePosixPath(path).parts)
    places, others = [], []
    for item, parts in _files_below_uri(address):
        if format_of_name(item.path):
            place = _in_store(address.joined("/".join(parts)), filesystem, item)
            partition = _partition(parts[:-1])
            places.append(replace(place, partition=partition, relative="/".join(parts), above=above))
        else:
            others.append("/".join(parts))
    _note_others(uri, others)
    if not places:
        raise _no_data([uri])
    return places


def _in_store(address: Address, filesystem: fs.FileSystem, info: fs.FileInfo) -> Location:
    item = StoreObject(filesystem, info.path, facts_of(info))
    above = _partition(PurePosixPath(info.path).parts[:-1])
    return Location(info.path, address.bare, (), filesystem, above=above, object=item)


def _files_below_uri(address: Address) -> list[tuple[fs.FileInfo, tuple[str, ...]]]:
    """As `_files_below`, of a folder in a store: one listing, for each thousand files one request."""
    files = []
    listed = _listed(address, recursive=True)
    if listed is None:
        raise DataError(f"{address}: no such file or directory")
    for item, parts in listed:
        if not any(part.startswith((".", "_")) for part in parts):
            files.append((item, parts))
    return files


def _listed(address: Address, recursive: bool) -> list[tuple[fs.FileInfo, tuple[str, ...]]] | None:
    """All files in a folder of a store, by their paths, and the parts of these below the folder.

    None where there is no such folder.
    """
    from pyarrow import fs

    with naming(address):
        filesystem, path = address.store()
        try:
            found = filesystem.get_file_info(fs.FileSelector(path, recursive=recursive))
        except FileNotFoundError:
            return None
    root = len(path.rstrip("/")) + 1
    files = sorted((item for item in found if item.type == fs.FileType.File), key=lambda item: item.path)
    return [(item, PurePosixPath(item.path[root:]).parts) for item in files]


def _matching(address: Address) -> list[Location]:
    """The files in a store that match a pattern."""
    parts = address.place.split("/")
    plain = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    if not plain:
        raise UsageError(f"{address}: name the bucket itself; a pattern may stand for what is in it")
    base, pattern = replace(address, place="/".join(parts[:plain])), tuple(map(unquote, parts[plain:]))
    with naming(address):
        filesystem, _ = base.store()
    listed = _listed(base, recursive=len(pattern) > 1 or pattern == ("**",))
    places = [
        _in_store(base.joined("/".join(parts)), filesystem, item)
        for item, parts in listed or ()
        if _fits(parts, pattern)
    ]
    if not places:
        raise DataError(f"{address}: no file matches this pattern")
    return places


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path fits a pattern, part by part, as on a disk: '**' stands for any number of folders."""
    if not pattern:
        return not parts
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        if _fits(parts, rest or ("*",)):
            return True
        return bool(parts) and not parts[0].startswith(".") and _fits(parts[1:], pattern)
    if not parts or (parts[0].startswith(".") and not first.startswith(".")):
        return False
    return fnmatch.fnmatchcase(parts[0], first) and _fits(parts[1:], rest)


# What was passed over in folders of stores when they were listed: `left_out` need not list them again.
_others: dict[str, list[str]] = {}


def _note_others(uri: str, names: list[str]) -> None:
    while len(_others) >= _MOST_NOTED:
        _others.pop(next(iter(_others)))
    _others[uri] = names


def _others_of(uri: str) -> list[str]:
    """The names of files in a folder of a store that say no format of data."""
    if uri in _others:
        return _others.pop(uri)
    from pyarrow import fs

    address = Address.of(uri)
    if glob.has_magic(address.place):
        return []
    if not address.is_folder:
        with naming(uri):
            filesystem, path = address.store()
            if filesystem.get_file_info(path).type != fs.FileType.Directory:
                return []
    return ["/".join(parts) for item, parts in _files_below_uri(address) if not format_of_name(item.path)]
