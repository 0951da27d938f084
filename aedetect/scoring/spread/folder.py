"""The folder that all workers of a run share: gone with it, or where it was killed, with the next run."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator

from aedetect.io.atomic import writing

_MARK, _LOCK = ".aedetect-series-", "in-use"


@contextlib.contextmanager
def shared_folder(place: str) -> Iterator[str]:
    """A new folder in `place`, removed with the block; what killed runs have left there is removed first.

    Raises OutputError where it cannot be made.
    """
    with writing(place), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_MARK) and _is_abandoned(entry.path):
                shutil.rmtree(entry.path, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        with writing(place):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=_MARK, dir=place))
            made = os.path.join(folder, f"{_LOCK}-made")
            lock = stack.enter_context(open(made, "wb"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # There only once it is locked: before, the folder might be taken for an abandoned one.
            os.rename(made, os.path.join(folder, _LOCK))
        yield folder


def _is_abandoned(folder: str) -> bool:
    """Whether the run that made a folder is no more: its lock is free."""
    try:
        with open(os.path.join(folder, _LOCK), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
