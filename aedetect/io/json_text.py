"""JSON as text: objects one a line, or over many lines, one after the other or in one list.

Values come one at a time with the line they begin on; no more of a text is held than the largest of them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from aedetect.errors import DataError

_PART = 1 << 20
# What is longer is no row, and is not read to its end.
_LARGEST = 64 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_ESCAPED = re.compile("[\udc80-\udcff]")
_SAID = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def is_document(text: str) -> bool:
    """Whether JSON that begins so is one list of objects, or of objects that take several lines each."""
    text = text.lstrip("\ufeff \t\r\n")
    if re.match(r"\[\s*(?:[{\]]|$)", text):
        return True
    first, end, _ = text.partition("\n")
    if not (end and first.startswith("{")):
        return False
    try:
        json.loads(first)
    except json.JSONDecodeError as error:
        return error.pos >= len(first.rstrip())
    except (ValueError, RecursionError):
        return False
    return False


def lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers from 1. Raises DataError for what is no UTF-8."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n", errors="surrogateescape")
    try:
        for number, line in enumerate(text, start=1):
            _check_text(name, number, line)
            if line.strip():
                yield number, line
    finally:
        text.detach()


def values(stream: IO[bytes], name: str, document: bool) -> Iterator[tuple[int, Any]]:
    """The values of a text, one a line or those of a `document`, with the line (from 1) each begins on.

    Raises DataError, with the line, for what is no JSON.
    """
    if document:
        yield from _Document(stream, name)
        return
    for number, line in lines(stream, name):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}: line {number}: not JSON: {_reason(error)}") from None


def kind_in_words(value: Any) -> str:
    """What a JSON value is: 'a number'."""
    return "null" if value is None else _SAID[type(value)]


class _Document:
    """One pass over the values of a text that may take several lines each."""

    def __init__(self, stream: IO[bytes], name: str):
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n", errors="surrogateescape")
        self._name = name
        self._held = ""
        # Where in `_held` what is not yet given begins, and on which line of the text.
        self._place = 0
        self._line = 1
        self._ended = False

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        try:
            yield from self._values()
        finally:
            self._text.detach()

    def _values(self) -> Iterator[tuple[int, Any]]:
        in_list = self._next() == "["
        if in_list:
            self._pass_by(self._place + 1)
        while (mark := self._next()) and not (in_list and mark == "]"):
            line = self._line
            yield line, self._value()
            if in_list and self._next() != "]":
                if self._next() != ",":
                    raise self._fault("Expecting ',' delimiter", self._place)
                self._pass_by(self._place + 1)
        if in_list and not mark:
            raise self._fault("the list has no end", self._place)
        if in_list:
            self._pass_by(self._place + 1)
            if self._next():
                raise self._fault("more follows the end of the list", self._place)

    def _next(self) -> str:
        """The next character that is no space; '' at the end."""
        while True:
            space = _SPACE.match(self._held, self._place)
            self._pass_by(space.end() if space else self._place)
            if self._place < len(self._held) or self._ended:
                return self._held[self._place : self._place + 1]
            self._read()

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._place)
            except RecursionError as error:
                raise self._fault(_reason(error), self._place) from None
            except ValueError as error:
                if self._ended or len(self._held) - self._place > _LARGEST:
                    where = error.pos if isinstance(error, json.JSONDecodeError) else self._place
                    raise self._fault(_reason(error, place=False), where) from None
            else:
                # What ends with the part may go on in the next: 12 in 12.5.
                if end < len(self._held) or self._ended or isinstance(value, (dict, list)):
                    self._pass_by(end)
                    return value
            self._read()

    def _read(self) -> None:
        held = self._held[self._place :]
        # A value that does not fit is read on by as much as there is of it: seldom, however long it is.
        part = self._text.read(max(_PART, len(held)))
        _check_text(self._name, self._line + held.count("\n"), part)
        self._ended = not part
        self._held, self._place = held + part, 0

    def _pass_by(self, end: int) -> None:
        self._line += self._held.count("\n", self._place, end)
        self._place = end

    def _fault(self, reason: str, place: int) -> DataError:
        line = self._line + self._held.count("\n", self._place, place)
        return DataError(f"{self._name}: line {line}: not JSON: {reason}")


def _check_text(name: str, line: int, text: str) -> None:
    if text.isascii():
        return
    escaped = _ESCAPED.search(text)
    if escaped:
        line += text.count("\n", 0, escaped.start())
        raise DataError(
            f"{name}: line {line}: not UTF-8 text; name its encoding with --encoding, e.g. --encoding cp1252"
        )


def _reason(error: Exception, place: bool = True) -> str:
    if isinstance(error, json.JSONDecodeError):
        said = error.msg.removesuffix(" at")
        return f"{said} at character {error.pos + 1}" if place else said
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
