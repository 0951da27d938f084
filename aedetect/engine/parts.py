"""The output of an input that several workers write, each its part."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator

from aedetect.errors import OutputError
from aedetect.io.atomic import remove_leftovers, writing
from aedetect.io.joined import join_files
from aedetect.io.locate import COMPRESSION_SUFFIXES

_MARK = ".aedetect-part-"
_DIGITS = 5


class Parts:
    """So many parts of the output `output`, under hidden names beside it until all are there.

    They become that file, or where they are not to be `joined`, files with numbers in their names. Raises
    OutputError where more of these are there than are to be written: they would be taken for parts of it.
    """

    def __init__(self, output: str, number: int, joined: bool):
        self._output = output
        self._joined = joined
        self._stem, self._suffix = _split(output)
        folder = os.path.dirname(output)
        if folder:
            with writing(output):
                os.makedirs(folder, exist_ok=True)
        if not joined:
            self._check_no_others(number)
        # What a killed run left: nobody else writes this output, since it is locked.
        for path in _left_by(output):
            with contextlib.suppress(OSError):
                os.unlink(path)
        hidden = os.path.join(folder, f".{os.path.basename(output)}{_MARK}{secrets.token_hex(4)}")
        self.paths = [f"{hidden}-{part:0{_DIGITS}}{self._suffix}" for part in range(number)]

    def join(self) -> str:
        """Put the output in place; its name, or where it is several files, a pattern for theirs."""
        if self._joined:
            join_files(self.paths, self._output)
            return self._output
        for part, path in enumerate(self.paths):
            with writing(self._output):
                os.replace(path, self._numbered(part))
        return f"{self._stem}-*{self._suffix}"

    def remove(self) -> None:
        """Remove what is not in place."""
        for path in self.paths:
            remove_leftovers(path)
            with contextlib.suppress(OSError):
                os.unlink(path)

    def _numbered(self, part: int) -> str:
        return f"{self._stem}-{part:0{_DIGITS}}{self._suffix}"

    def _check_no_others(self, number: int) -> None:
        folder, stem = os.path.split(self._stem)
        name = re.compile(rf"{re.escape(stem)}-(\d{{{_DIGITS}}}){re.escape(self._suffix)}")
        with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
            for entry in entries:
                match = name.fullmatch(entry.name)
                if match is not None and int(match[1]) >= number:
                    raise OutputError(
                        f"{os.path.join(folder, entry.name)}: of an earlier output of more parts than the "
                        f"{number} to be written now; remove it"
                    )
        if os.path.exists(self._output):
            raise OutputError(
                f"{self._output}: an earlier output, which is to be {number} parts now; remove it"
            )


def _left_by(output: str) -> Iterator[str]:
    folder, name = os.path.split(output)
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            if entry.name.startswith(f".{name}{_MARK}"):
                yield entry.path


def _split(output: str) -> tuple[str, str]:
    """A name up to its suffix, and that with the one of a compression."""
    packing = next((suffix for suffix in COMPRESSION_SUFFIXES if output.lower().endswith(suffix)), "")
    stem, suffix = os.path.splitext(output[: len(output) - len(packing)])
    return stem, suffix + output[len(output) - len(packing) :]
