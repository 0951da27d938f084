"""One run at a time on an output or a state file.

The lock is a small hidden file beside what it guards, held with flock: the kernel lets go of it
when its holder ends, however it ends. The file says who holds it, and is removed on release; what
a killed run left is removed by the next run that looks at the same folder. The locks of one run are
names of one file (hard links), so that it takes one open file to hold them all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import TracebackType

from aedetect.errors import OutputError
from aedetect.io.atomic import remove_abandoned, writing
from aedetect.io.stores import identity, is_address, lock_folder

_MARK = ".aedetect-lock"
_SPARE_DESCRIPTORS = 128
_PATIENCE = 0.5


class Locks:
    """Locks on files that need not exist yet, taken all at once and let go one by one.

    Raises OutputError, without waiting, where another run holds one; it names that run's process
    and start. Devices, pipes and '-' are not locked: they are nobody's to keep. Stores know no locks: one
    on an address holds among the runs of one user on this machine.
    """

    def __init__(self, paths: Sequence[str]):
        self._paths = [path for path in dict.fromkeys(paths) if _is_lockable(path)]
        self._held: dict[str, _Anchor] = {}

    def __enter__(self) -> Locks:
        _allow_descriptors(0)
        try:
            for folder in dict.fromkeys(str(lock_path(path).parent) for path in self._paths):
                _remove_stale(folder)
                remove_abandoned(folder)
            for path in self._paths:
                with writing(path):
                    held = self._take(lock_path(path))
                if isinstance(held, str):
                    raise OutputError(f"{path}: in use by another run ({held}); wait until it has ended")
                held.names += 1
                self._held[path] = held
        except BaseException:
            self._release_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release_all()

    def release(self, path: str) -> None:
        """Let go of one, once what it guards is in place; others and unknown ones are left alone."""
        anchor = self._held.pop(path, None)
        if anchor is not None:
            # Removed while still locked: whoever opened it before finds it gone and starts afresh.
            with contextlib.suppress(OSError):
                lock_path(path).unlink()
            anchor.names -= 1
            if not anchor.names:
                os.close(anchor.descriptor)

    def _take(self, path: Path) -> _Anchor | str:
        """The locked file that bears this name, or who holds it."""
        latest = next(reversed(self._held.values()), None)
        if latest is not None:
            linked = _link(latest, path)
            if linked is not None:
                return linked
            _allow_descriptors(len(self._held) + 1)
        taken = _open_locked(path)
        return taken if isinstance(taken, str) else _Anchor(path, taken)

    def _release_all(self) -> None:
        for path in list(self._held):
            self.release(path)


@dataclass
class _Anchor:
    """An open file that is locked, under the name it was made with, and how many names it has."""

    path: Path
    descriptor: int
    names: int = 0


def lock_path(path: str | os.PathLike[str]) -> Path:
    """The file whose lock guards `path`."""
    address = identity(path)
    if address is not None:
        name = f"{PurePosixPath(address).name[:60]}-{hashlib.sha256(address.encode()).hexdigest()[:24]}"
        return Path(lock_folder(), f".{name}{_MARK}")
    target = Path(os.path.realpath(path))
    stem = os.fsencode(target.name)[:180].decode(errors="ignore")
    return target.with_name(f".{stem}{_MARK}")


def _is_lockable(path: str) -> bool:
    if is_address(path):
        return True
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        return False
    # A folder that is yet to be made holds nothing that another run could be writing.
    return os.path.isdir(os.path.dirname(os.path.realpath(path)))


def _link(anchor: _Anchor, path: Path) -> _Anchor | str | None:
    """Give the locked file of `anchor` another name; who holds that name; None where neither can be."""
    while True:
        try:
            os.link(anchor.path, path)
            return anchor
        except FileExistsError:
            pass
        except OSError:
            # Another file system, one that knows no hard links, or too many of them.
            return None
        found = _open_locked(path)
        if isinstance(found, str):
            return found
        # Nobody's any more. Removed while locked, as on release.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(found)


def _open_locked(path: Path) -> int | str:
    """The locked file's descriptor, or who holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                return _holder(descriptor)
            finally:
                os.close(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_current(descriptor, path):
            try:
                started = datetime.now(UTC).isoformat(timespec="seconds")
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()}, started {started}\n".encode())
            except BaseException:
                # A full disk takes an empty file, but not a word in it.
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            return descriptor
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """What the holder wrote of itself; it does so right after it took the lock."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        text = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
        if text or time.monotonic() > deadline:
            return text or "which has not said its name"
        time.sleep(0.01)


def _is_current(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one of that name: its last holder may have removed it."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False


def _remove_stale(folder: str) -> None:
    """Remove locks that nobody holds: their holders were killed."""
    for path in _lock_files(folder):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_current(descriptor, path):
                    path.unlink()
            finally:
                os.close(descriptor)


def _lock_files(folder: str) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if entry.name.endswith(_MARK))


def _allow_descriptors(wanted: int) -> None:
    """Many outputs need many open files, of which a shell allows few unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
