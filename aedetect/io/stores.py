"""Object stores: addresses such as `s3://bucket/folder/file.csv`, and files at them.

Nothing of pyarrow is loaded before a store is asked for something.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import re
import shlex
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from aedetect.errors import AedetectError, DataError, OutputError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<place>[^?]*)(?:\?(?P<query>.*))?", re.S)
_AS_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")
# What Arrow reads.
_STORES = ("file", "s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
_WEB = ("http", "https", "ftp", "ftps")
_GOOGLE = ("gs", "gcs")
# Arrow tries for a quarter of an hour, in which nothing stops it.
_GOOGLE_SECONDS = 60
# What decides which keys are used, and where; a store that was opened with others is another.
_SETTINGS = ("AWS_", "GOOGLE_", "AZURE_", "STORAGE_")
# Characters that an address may have as they are.
_PLAIN = "/=+:@,;!~*'()&$-._"

# An object up to this size is fetched by one request, and held for as long as others do not need the room.
SMALL_BYTES = 8 << 20
_HELD_BYTES = 64 << 20
# So many objects are fetched while another is worked on, if they are up to this size.
FETCHED_AHEAD = 8
_AHEAD_BYTES = 1 << 20
# Of a larger one so much is asked for at a time.
BLOCK_BYTES = 4 << 20
# So much of an output is in memory at a time while it is sent, twice.
_SENT_BYTES = 32 << 20
# What Arrow sends without cutting it into parts.
_PARTLESS_BYTES = 4 << 20
# A name that is hidden among inputs.
_PROBE = ".aedetect-probe"
# Where an object is there in full or not at all.
_WRITTEN = ("s3", "gs", "gcs")


@dataclass(frozen=True)
class Address:
    """An address in an object store. `place`: bucket and path, as typed; `query`: what stands behind '?'."""

    scheme: str
    place: str
    query: str = ""

    @classmethod
    def of(cls, text: str | os.PathLike[str]) -> Address:
        """The address that was typed.

        Raises UsageError for one of no object store, and for one with a password in it, which would end up in
        summaries and logs.
        """
        address = cls.parsed(text)
        scheme = address.scheme
        _check_scheme(os.fspath(text), scheme)
        user, at, rest = address.place.partition("/")[0].rpartition("@")
        if at and ":" in user:
            raise UsageError(
                f"{scheme}://…@{rest}: keys do not belong in an address, which summaries and logs show; "
                f"leave them out, and set {_variables(scheme)}"
            )
        return address

    @classmethod
    def parsed(cls, text: str | os.PathLike[str]) -> Address:
        """As `of`, of whatever kind."""
        match = _ADDRESS.fullmatch(os.fspath(text))
        assert match is not None
        return cls(match["scheme"].lower(), match["place"], match["query"] or "")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}" + (f"?{self.query}" if self.query else "")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return unquote(self.place.rstrip("/").rpartition("/")[2])

    @property
    def bare(self) -> str:
        """The address without what stands behind '?': what files are called."""
        return f"{self.scheme}://{self.place}"

    @property
    def identity(self) -> str:
        """The same text for two addresses of one object."""
        scheme = "gs" if self.scheme in _GOOGLE else self.scheme
        return f"{scheme}://{re.sub('/+', '/', unquote(self.place)).strip('/')}"

    @property
    def is_folder(self) -> bool:
        """Whether it says by itself that it is a folder: by a '/' at its end, or as a bucket alone."""
        return "/" not in self.place or self.place.endswith("/")

    def joined(self, name: str) -> Address:
        """The address of the file `name` in this folder; `name` may have folders of its own."""
        return replace(self, place=f"{self.place.rstrip('/')}/{quote(name, safe=_PLAIN)}")

    @property
    def folder(self) -> Address:
        """The folder that it is in; of a bucket the bucket."""
        return replace(self, place=self.place.rstrip("/").rpartition("/")[0] or self.place)

    def store(self, options: str = "") -> tuple[fs.FileSystem, str]:
        """The store and the path in it. Raises what Arrow does where it is none; see `naming`.

        `options`: of the store, as behind a '?'.
        """
        bucket, slash, path = self.place.partition("/")
        query = "&".join(part for part in (self.query, options) if part)
        filesystem, base = _opened(self.scheme, bucket, query, _settings())
        return filesystem, base.rstrip("/") + slash + unquote(path) if path else base


def is_address(text: str | os.PathLike[str]) -> bool:
    """Whether this is an address, of whatever kind, and no path."""
    return _ADDRESS.fullmatch(os.fspath(text)) is not None


def was_address(path: PurePath) -> bool:
    """Whether a path was an address before it was taken for a path, which makes one '/' of two."""
    return _AS_PATH.match(str(path)) is not None


def identity(path: str | os.PathLike[str]) -> str | None:
    """The same text for two addresses of one object; None for a path on this machine."""
    return Address.parsed(path).identity if is_address(path) else None


def name_of(path: str | os.PathLike[str]) -> str:
    """The last part of a path or address."""
    return Address.parsed(path).name if is_address(path) else os.path.basename(os.fspath(path))


def join(folder: str, name: str) -> str:
    """The path or address of a file in a folder."""
    return str(Address.of(folder).joined(name)) if is_address(folder) else os.path.join(folder, name)


def suffixed(path: str | os.PathLike[str]) -> str:
    """A path as its ending tells the format: of an address without what stands behind '?'."""
    return Address.parsed(path).bare if is_address(path) else os.fspath(path)


def _settings() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(pair for pair in os.environ.items() if pair[0].startswith(_SETTINGS)))


@functools.lru_cache(maxsize=64)
def _opened(
    scheme: str, bucket: str, query: str, settings: tuple[tuple[str, str], ...]
) -> tuple[fs.FileSystem, str]:
    """The store of a bucket, opened once: Amazon is asked where a bucket lies whenever that is done."""
    from pyarrow import fs

    options = [query] if query else []
    if scheme in _GOOGLE and "retry_limit_seconds" not in query:
        options.append(f"retry_limit_seconds={_GOOGLE_SECONDS}")
    behind = f"?{'&'.join(options)}" if options else ""
    filesystem, base = fs.FileSystem.from_uri(f"{scheme}://{bucket}/{behind}")
    return filesystem, base


def _check_scheme(address: str, scheme: str) -> None:
    """Raises UsageError for addresses of what is no file store."""
    if scheme in _WEB:
        raise UsageError(
            f"{address}: a web address, from which nothing is read; download it first "
            f"(curl -LO {shlex.quote(address)}) and name the file"
        )
    if scheme not in _STORES:
        raise UsageError(
            f"{address}: {scheme} is none of the stores that are read ({', '.join(_STORES)}); "
            "write what it holds to a file and name that"
        )


@contextlib.contextmanager
def naming(
    address: str | os.PathLike[str] | Address, kind: type[AedetectError] = DataError, done: str = "read"
) -> Iterator[None]:
    """Turns what goes wrong with an object store into an error of this kind, of one line.

    `done`: what could not be done, 'read' or 'written'.
    """
    from pyarrow import ArrowException

    try:
        yield
    except (MemoryError, BrokenPipeError):
        raise
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, AedetectError):
            raise
        text = address if isinstance(address, Address) else os.fspath(address)
        raise kind(f"{text}: cannot be {done}: {reason(error, str(text), done)}") from None


def reason(error: BaseException, address: str, done: str = "read") -> str:
    """What went wrong with an object store, and what to set."""
    text = str(error)
    scheme = address.partition(":")[0].lower()
    bucket = address.partition("://")[2].partition("/")[0].partition("?")[0]
    if any(mark in text for mark in ("NO_SUCH_BUCKET", "NoSuchBucket", "bucket does not exist")):
        return _no_bucket(bucket)
    if any(mark in text for mark in _REFUSED_KEYS):
        return f"the store refuses the keys; check {_variables(scheme)}"
    if any(mark in text for mark in _DENIED):
        right = "write" if done == "written" else "list and read"
        return f"access denied; set {_variables(scheme)} to keys that may {right} there"
    if any(mark in text for mark in ("OAuth2 access token", "Could not create credentials")):
        return (
            f"no credentials; set {_variables(scheme)}, or write {scheme}://anonymous@{bucket}/… for what is "
            "public"
        )
    if any(mark in text for mark in _UNREACHED):
        detail = _CURL.search(text)
        said = f" ({detail[1]})" if detail else ""
        where = (
            "; where it is not Amazon's, set AWS_ENDPOINT_URL to its address, or write "
            "?endpoint_override=HOST:PORT behind the name"
            if scheme == "s3"
            else "; check the network"
        )
        return f"the store cannot be reached{said}{where}"
    if isinstance(error, FileNotFoundError):
        return "no such file or directory" if done == "read" else "there is no such bucket"
    first = text.splitlines()[0] if text else type(error).__name__
    more = "" if done == "written" else ", or download it first"
    return f"{first}; check the address and your access to it{more}"


def _no_bucket(name: str) -> str:
    return f"there is no bucket {name!r}; check its name and region, or make it first"


_REFUSED_KEYS = (
    *("INVALID_ACCESS_KEY_ID", "InvalidAccessKeyId", "SIGNATURE_DOES_NOT_MATCH", "INVALID_SIGNATURE"),
    *("INVALID_CLIENT_TOKEN_ID", "EXPIRED_TOKEN", "ExpiredToken", "UNAUTHENTICATED"),
)
_DENIED = ("ACCESS_DENIED", "AccessDenied", "PERMISSION_DENIED", "HTTP response code: 403", "Forbidden")
_UNREACHED = ("NETWORK_CONNECTION", "Could not resolve host", "CURL error", "curlCode")
_CURL = re.compile(r"(?:curlCode: \d+, |CURL error \[\d+\]=)([^;.\n]+?)(?:;| error_info|\.|$)", re.M)


def _variables(scheme: str) -> str:
    if scheme == "s3":
        return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"
    if scheme in _GOOGLE:
        return "GOOGLE_APPLICATION_CREDENTIALS"
    return "what the store asks for"


# Reading


@dataclass(frozen=True)
class Facts:
    """What a store says of an object: size, time of change (seconds since 1970), its ETag if any."""

    size: int
    modified: int
    etag: str | None = None


@dataclass
class StoreObject:
    """A file in a store, fetched once if it is small. It can be pickled; what was fetched stays here.

    `listed`: what a listing said of it, if it was found by one.
    """

    filesystem: fs.FileSystem
    path: str
    listed: Facts | None = None
    _held: pa.Buffer | None = field(default=None, init=False, repr=False, compare=False)
    _etag: str | None = field(default=None, init=False, repr=False, compare=False)
    _coming: Future[None] | None = field(default=None, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_held": None, "_etag": None, "_coming": None}

    def open(self) -> pa.NativeFile:
        """A reader from the start, which reads by range what is not small. Raises what Arrow does.

        What was fetched is as old as the last call of `facts`, or younger.
        """
        import pyarrow as pa

        self._settle()
        held = self._held
        if held is not None:
            _recent.touch(self)
            return pa.BufferReader(held)
        return self._opened()

    def _settle(self) -> None:
        """Wait for what is being fetched; what goes wrong there goes wrong again for who opens it."""
        if self._coming is not None:
            self._coming.exception()
            self._coming = None

    def _opened(self) -> pa.NativeFile:
        import pyarrow as pa

        stream = self.filesystem.open_input_file(self.path)
        if stream.size() <= SMALL_BYTES:
            with stream:
                self._etag = _etag(stream)
                held = stream.read_buffer()
            self._held = held
            _recent.add(self, held.size)
            return pa.BufferReader(held)
        return stream

    def facts(self) -> Facts:
        """What the store says of it now. What was fetched of an older one is fetched again when next read.

        Raises what Arrow does.
        """
        # What arrives later than the answer may still be older than it.
        self._settle()
        with self.filesystem.open_input_file(self.path) as stream:
            etag, changed, size = _etag(stream), _said(stream, "Last-Modified"), stream.size()
        if changed is not None:
            facts = Facts(size, int(datetime.fromisoformat(changed).timestamp()), etag)
        else:
            facts = facts_of(self.filesystem.get_file_info(self.path))
        if self._held is not None and (etag is None or self._etag != etag):
            self.drop()
        return facts

    def drop(self) -> None:
        """Let go of what was fetched."""
        self._held = None

    def fetch_ahead(self) -> None:
        """Begin to fetch it, if it is known to be small: another object is worked on meanwhile."""
        small = self.listed is not None and self.listed.size <= _AHEAD_BYTES
        if small and self._held is None and self._coming is None:
            self._coming = _fetching().submit(lambda: self._opened().close())


@functools.lru_cache(maxsize=1)
def _fetching() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FETCHED_AHEAD, "aedetect-fetch")


class _Recent:
    """The objects that were fetched last, as many as there is room for."""

    def __init__(self, room: int):
        self._room = room
        self._sizes: OrderedDict[int, tuple[StoreObject, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, item: StoreObject, size: int) -> None:
        with self._lock:
            self._sizes[id(item)] = item, size
            self._sizes.move_to_end(id(item))
            used = sum(size for _, size in self._sizes.values())
            while used > self._room:
                _, (oldest, freed) = self._sizes.popitem(last=False)
                oldest.drop()
                used -= freed

    def touch(self, item: StoreObject) -> None:
        with self._lock:
            if id(item) in self._sizes:
                self._sizes.move_to_end(id(item))


_recent = _Recent(_HELD_BYTES)


def facts_of(info: fs.FileInfo) -> Facts:
    """What a listing says of an object: its time to the second, for that is what stores agree on."""
    return Facts(int(info.size or 0), int(info.mtime_ns or 0) // 10**9)


def _said(stream: pa.NativeFile, name: str) -> str | None:
    """What the store says of an open object under this name."""
    metadata = stream.metadata() or {}
    said = metadata.get(name.encode()) or metadata.get(name)
    return said.decode() if isinstance(said, bytes) else said


def _etag(stream: pa.NativeFile) -> str | None:
    etag = _said(stream, "ETag")
    return None if etag is None else etag.strip('"')


@contextlib.contextmanager
def reading(address: str | os.PathLike[str], kind: type[AedetectError]) -> Iterator[IO[bytes]]:
    """The object at an address, open within the block; what fails is of this kind, and says what to set."""
    with naming(address, kind):
        filesystem, path = Address.of(address).store()
        try:
            stream = StoreObject(filesystem, path).open()
        except FileNotFoundError:
            raise kind(f"{os.fspath(address)}: {missing(filesystem, path)}") from None
    with stream:
        yield stream


def missing(filesystem: fs.FileSystem, path: str) -> str:
    """Why nothing is at `path`: for want of it, or of its bucket. Raises what Arrow does."""
    from pyarrow import fs

    bucket = path.strip("/").partition("/")[0]
    below = filesystem.type_name in ("s3", "gcs") and bucket != path.strip("/")
    if below and filesystem.get_file_info(bucket).type == fs.FileType.NotFound:
        return _no_bucket(bucket)
    return "no such file or directory"


# Writing


@contextlib.contextmanager
def uploaded(address: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A binary stream whose content becomes the object at `address` when the block ends without error.

    Until then it goes to an unnamed file in the folder of temporary ones. Raises OutputError where writing
    fails; what was at the address before is untouched then.
    """
    from pyarrow import ArrowException

    target = _target(address)
    folder = tempfile.gettempdir()
    try:
        spool = cast("IO[bytes]", tempfile.TemporaryFile(prefix="aedetect-"))  # noqa: SIM115 - closed below
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from None
    with spool:
        try:
            yield spool
            spool.flush()
        except (MemoryError, BrokenPipeError):
            raise
        except (OSError, ArrowException) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                why = f"no space left in {folder}, where it is put together; set TMPDIR to a folder with more"
            else:
                why = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise OutputError(f"{target}: cannot be written: {why}") from None
        _send(spool, target)


def _send(spool: IO[bytes], target: Address) -> None:
    """Put what a file holds at an address, in full or not at all.

    In a thread of its own, for a signal that came between opening and closing would have Arrow end the upload
    as if it were whole.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1, "aedetect-upload") as thread, naming(str(target), OutputError, "written"):
        sending = thread.submit(_put, spool, target, stop)
        try:
            sending.result()
        except BaseException:
            stop.set()
            raise


def _put(spool: IO[bytes], target: Address, stop: threading.Event) -> None:
    size = spool.seek(0, os.SEEK_END)
    spool.seek(0)
    filesystem, path = target.store(_at_once(target) if size < _PARTLESS_BYTES else "")
    # Arrow would compress once more what bears such a name.
    stream = filesystem.open_output_stream(path, compression=None)
    try:
        # Arrow holds what it was handed until it is sent, which a flush waits for.
        while part := spool.read(_SENT_BYTES):
            if stop.is_set():
                raise InterruptedError(errno.EINTR, "stopped")
            stream.write(part)
            if size > _SENT_BYTES:
                stream.flush()
        stream.close()
    except BaseException:
        _abandon(stream)
        raise


def _abandon(stream: pa.NativeFile) -> None:
    """Let go of an unfinished upload so that it never ends.

    Arrow has no word for that: closing a stream, and the end of the last name for it, make an object of what
    was sent so far. So it stays in memory until the process ends, and the parts sent with the store, which
    removes them as its rules for unfinished uploads say.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(stream))


def _at_once(target: Address) -> str:
    """The option by which a small object is sent by one request instead of three.

    A large one must not be: where its upload cannot begin, Arrow might put an empty object in its place.
    """
    return "allow_delayed_open=true" if target.scheme == "s3" else ""


def _target(address: str | os.PathLike[str]) -> Address:
    """The address to write to. Raises UsageError where nothing is written to such."""
    if Address.parsed(address).scheme not in _WRITTEN:
        raise UsageError(
            f"{os.fspath(address)}: outputs go to files, or to s3:// and gs:// addresses; name one of these"
        )
    return Address.of(address)


def is_store_folder(address: str) -> bool:
    """Whether outputs at this address are files in a folder: it ends with '/', or has files below it."""
    target = _target(address)
    if target.is_folder:
        return True
    with naming(address, OutputError, "written"):
        return _has_files_below(target, _settings())


@functools.lru_cache(maxsize=256)
def _has_files_below(target: Address, settings: tuple[tuple[str, str], ...]) -> bool:
    """Asked once a run of each address: it takes two requests."""
    from pyarrow import fs

    filesystem, path = target.store()
    return bool(filesystem.get_file_info(path).type == fs.FileType.Directory)


def check_store(address: str | os.PathLike[str]) -> None:
    """Raises OutputError where nothing can be written at an address.

    A small hidden object is written beside it and removed, once a run for each folder.
    """
    target = _target(address)
    if target.is_folder:
        raise OutputError(f"{target}: cannot be written: it is a folder; name a file in it")
    with naming(str(target), OutputError, "written"):
        _probe(target.folder, _settings())


@functools.lru_cache(maxsize=256)
def _probe(folder: Address, settings: tuple[tuple[str, str], ...]) -> None:
    from pyarrow import ArrowException

    filesystem, path = folder.joined(_PROBE).store(_at_once(folder))
    with filesystem.open_output_stream(path) as stream:
        stream.write(b"\n")
    # Who may write and not remove leaves one such object, which is written again by every run.
    with contextlib.suppress(OSError, ArrowException):
        filesystem.delete_file(path)


def lock_folder() -> str:
    """Where locks on addresses are: stores have none, so that they hold among the runs of a user here."""
    folder = os.path.join(tempfile.gettempdir(), f"aedetect-{os.getuid()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.stat(folder).st_uid != os.getuid():
            raise PermissionError(errno.EACCES, "it belongs to another user")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be used for locks: {error.strerror}; set TMPDIR") from None
    return folder
