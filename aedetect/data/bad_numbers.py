"""What is said of cells in a column of numbers that are none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

_LONGEST = 40
# More texts than these are no marks of missing cells.
_MOST_MARKS = 8


def bad_numbers(column: str, where: str, first: str, texts: Mapping[str, int]) -> str:
    """The message for a column of numbers with cells that are none, with what to type in a shell.

    `where`: the row of the `first` such cell; `texts`: how many cells hold each such text.

    >>> bad_numbers("x", "f.csv: row 2 (line 3)", "n/a?", {"n/a?": 2})[:53]
    "f.csv: row 2 (line 3), column 'x': 'n/a?' is not a nu"
    """
    if first.strip() == column:
        return f"{where}, column {column!r}: the row repeats the header, as in files put together; remove it"
    marks = sorted(texts, key=lambda text: (-texts[text], text)) or [first.strip()]
    one = len(marks) == 1
    shown = _shown(first if one else marks[0])
    if one:
        said = f"{shown} is not a number"
    else:
        listed = ", ".join(f"{_shown(mark)} ({_cells(texts[mark])})" for mark in marks[:_MOST_MARKS])
        more = f" and {len(marks) - _MOST_MARKS} more" if len(marks) > _MOST_MARKS else ""
        said = f"the first of {sum(texts.values()):,} cells that are not numbers: {listed}{more}"
    remedies = ["repair it" if one else "repair them"]
    if len(marks) <= _MOST_MARKS and all(map(_may_be_mark, marks)):
        words = _quoted(",".join(marks))
        remedies.append(f"give --na-values {words} if {'it means' if one else 'they mean'} 'missing'")
    give = "" if len(remedies) > 1 else "give "
    role = shlex.quote(f"{column}=categorical")
    return (
        f"{where}, column {column!r}: {said}; {', '.join(remedies)}, or {give}--role {role} if the column "
        "holds codes"
    )


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' * (count != 1)}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:25]}…{text[-14:]}").replace("\\\\", "\\")


def _may_be_mark(text: str) -> bool:
    """Whether `--na-values` can name a text: it is split at commas, and spaces around names are left off."""
    return 0 < len(text) <= _LONGEST and "," not in text and text.isprintable()


def _quoted(text: str) -> str:
    """A text as a shell reads it back, always in quotes: `shlex.quote` leaves them out where it can."""
    quoted = shlex.quote(text)
    return quoted if quoted != text else f"'{text}'"
