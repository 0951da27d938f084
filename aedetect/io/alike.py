"""The file that was probably meant where a name leads nowhere."""

from __future__ import annotations

import os

from aedetect.config.names import closest

# In a folder of more files none is looked for.
_MOST_FILES = 10_000


def file_meant(path: str | os.PathLike[str], suffix: str = "") -> str:
    """The end of a message on a missing file: '; did you mean 'sales.csv'?', or nothing.

    Names are compared without their suffixes, among the files of the same folder; `suffix`: among those alone
    that end so. Without effect where the folder cannot be listed, of which the message itself tells enough.
    """
    folder, name = os.path.split(os.fspath(path))
    stems: dict[str, str] = {}
    try:
        with os.scandir(folder or ".") as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST_FILES:
                    return ""
                if entry.name.endswith(suffix) and not entry.name.startswith(".") and entry.is_file():
                    stems.setdefault(_stem(entry.name), entry.name)
    except OSError:
        return ""
    meant = closest(_stem(name), sorted(stems)) if _stem(name) else None
    return "" if meant is None else f"; did you mean {os.path.join(folder, stems[meant])!r}?"


def _stem(name: str) -> str:
    return name.partition(".")[0]
