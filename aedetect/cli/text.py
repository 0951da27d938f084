"""Words for people: text from data made safe to show, and counts of things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST_SHOWN = 60
# Of a line that says what failed.
LONGEST_LINE = 540
_QUOTED = re.compile(r"(?<![\w'\"])(['\"])(?P<text>.*?)\1(?!\w)")
_LONG_WORD = re.compile(r"\S{101,}")


def plain(text: str, most: int | None = None) -> str:
    """Text from data made safe to show: control characters spelled out, cut in its middle to `most`."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    if most is None or len(safe) <= most:
        return safe
    # Long names that are much the same differ at either end.
    end = (most - 1) // 2
    return f"{safe[: most - 1 - end]}…{safe[len(safe) - end :]}"


def computed_on(device: str) -> str:
    """What a device is called: 'on the CPU', 'on the GPU (cuda:0)'."""
    return "on the CPU" if device == "cpu" else f"on the GPU ({device})"


def one_line(text: str) -> str:
    """What failed as a line that can be read: in a long one, names and cells are cut in their middle."""
    line = plain(text)
    if len(line) > LONGEST_LINE:
        line = _QUOTED.sub(lambda match: f"{match[1]}{plain(match['text'], MOST_SHOWN)}{match[1]}", line)
    if len(line) > LONGEST_LINE:
        line = _LONG_WORD.sub(lambda match: plain(match[0], 100), line)
    return plain(line, LONGEST_LINE)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: '1 row', '2,000 rows'; `plural` where it is irregular."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def said_of_muted(muted_by: Iterable[Mapping[str, Any]]) -> list[str]:
    """What muted how many rows, a line each; entries are those of `muted_by` in JSON."""
    return [
        f"muted by {entry['kind']} {plain(entry['name'], 60)}: {counted(entry['rows'], 'row')}"
        for entry in muted_by
    ]
