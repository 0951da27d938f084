"""Files that are there in full or not at all.

Bytes go to a temporary file in the target's folder, are flushed to disk, and take the target's
name in one step. The temporary file is locked while its writer lives, so what a killed run left
behind can be told from what a running one is writing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aedetect.errors import OutputError
from aedetect.io.stores import check_store, identity, is_address, uploaded

_MARK = ".aedetect-tmp-"
# What file systems answer that know no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


@contextlib.contextmanager
def atomic_output(path: str | os.PathLike[str], only_new: bool = False) -> Iterator[IO[bytes]]:
    """A binary stream whose content becomes the file `path` when the block ends without error.

    With `only_new` a file that another process has put there meanwhile stays, and the content is dropped;
    where the file system knows no hard links, only if it was there before the last step.

    A symbolic link is followed; a device or pipe is written to directly. The file keeps the mode
    of the one it replaces, else follows the umask. Raises OutputError where writing fails; the
    old file is untouched then. An address in an object store is written to as `stores.uploaded` says.
    """
    if is_address(path):
        with uploaded(path) as stream:
            yield stream
        return
    # Looked at under the name given: /dev/stdout leads to a pipe that has no path of its own.
    if os.path.exists(path) and not os.path.isfile(path):
        with writing(path), open(path, "wb") as direct:
            yield direct
        return
    target = Path(os.path.realpath(path))
    temporary = _temporary_name(target)
    # The name is settled first: a signal may come as soon as the file is there.
    try:
        with writing(path):
            _remove_leftovers(target)
            stream = _create(temporary, target)
        with writing(path), stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            _take_name(temporary, target, only_new)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    with writing(path):
        _sync_folder(target.parent)


def _take_name(temporary: Path, target: Path, only_new: bool) -> None:
    if only_new:
        # A hard link, unlike a new name, never takes the place of a file.
        try:
            os.link(temporary, target)
        except OSError as error:
            if error.errno not in _NO_LINKS | {errno.EEXIST}:
                raise
        if target.exists():
            temporary.unlink()
            return
    os.replace(temporary, target)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove the temporary files that killed runs left behind for `path`."""
    with contextlib.suppress(OSError):
        _remove_leftovers(Path(os.path.realpath(path)))


def remove_abandoned(folder: str | os.PathLike[str]) -> None:
    """Remove temporary files in `folder` whose writers were killed, whatever they were to become.

    A run that has just made its file and not yet locked it is known by its process.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            _, mark, writer = entry.name.rpartition(_MARK)
            if mark and entry.name.startswith(".") and not _is_alive(writer.partition("-")[0]):
                _remove_unlocked(entry.path)


def check_writable(path: str | os.PathLike[str], may_create_folder: bool = False) -> None:
    """Raises OutputError where a file at `path` cannot be written; no file is touched.

    Of an address in an object store see `stores.check_store`.
    """
    if is_address(path):
        check_store(path)
        return
    with writing(path):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if os.path.exists(path) and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "no permission to write to it")
        if os.path.exists(path) and not os.path.isfile(path):
            return
        folder = os.path.dirname(os.path.realpath(path))
        while may_create_folder and not os.path.exists(folder):
            folder = os.path.dirname(folder)
        if not os.path.exists(folder):
            raise FileNotFoundError(errno.ENOENT, "")
        if not os.path.isdir(folder):
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"no permission to write in the folder {folder}")


def same_file(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> bool:
    """Whether two paths name one existing file, or would; or two addresses one object of a store."""
    addresses = identity(first), identity(second)
    if addresses != (None, None):
        return addresses[0] == addresses[1]
    with contextlib.suppress(OSError):
        return os.path.samefile(first, second)
    return os.path.realpath(first) == os.path.realpath(second)


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns failures to write into OutputError; a closed pipe and a lack of memory stay what they are."""
    try:
        yield
    except (BrokenPipeError, MemoryError):
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            reason = "its folder does not exist; create it first"
        elif error.errno == errno.ENOSPC:
            reason = "no space left on the device"
        else:
            reason = error.strerror or str(error)
        raise OutputError(f"{path}: cannot be written: {reason}") from None
    except Exception as error:
        if not _is_of_arrow(error):
            raise
        raise OutputError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from None


def _is_of_arrow(error: Exception) -> bool:
    # What comes from Arrow has loaded it; where nothing has, it is not loaded for the question.
    arrow = sys.modules.get("pyarrow")
    return arrow is not None and isinstance(error, arrow.ArrowException)


def _temporary_name(target: Path) -> Path:
    # Long names must leave room for the mark within the file system's limit of 255 bytes.
    stem = os.fsencode(target.name)[:180].decode(errors="ignore")
    return target.with_name(f".{stem}{_MARK}{os.getpid()}-{os.urandom(4).hex()}")


def _create(temporary: Path, target: Path) -> IO[bytes]:
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    stream = os.fdopen(descriptor, "wb", buffering=1 << 20)
    try:
        if target.exists():
            os.fchmod(descriptor, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        stream.close()
        raise
    return stream


def _remove_leftovers(target: Path) -> None:
    stem = os.fsencode(target.name)[:180].decode(errors="ignore")
    prefix = f".{stem}{_MARK}"
    for entry in os.scandir(target.parent):
        if not entry.name.startswith(prefix):
            continue
        _remove_unlocked(entry.path)


def _remove_unlocked(path: str) -> None:
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)


def _is_alive(process: str) -> bool:
    if not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
