"""Names that people type: which one was meant, and which columns a list or a pattern names."""

from __future__ import annotations

import contextlib
import csv
import difflib
import fnmatch
import unicodedata
from collections.abc import Iterable, Sequence

_MOST_LISTED = 20
_WILDCARDS = "*?["
# With less, 'gpu' would be taken for 'cpu'.
_ALIKE = 0.7


def closest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` was probably meant for: in another case or spelling, or mistyped."""
    names = list(dict.fromkeys(known))
    plain = _plain(name)
    for candidate in names:
        if plain and _plain(candidate) == plain:
            return candidate
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=_ALIKE)
    return folded[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message on an unknown name: '; did you mean 'temp'?', or nothing."""
    close = closest(name, known)
    return "" if close is None else f"; did you mean {close!r}?"


def no_column(option: str, name: str, columns: Sequence[str], where: str = "in the data") -> str:
    """What is said where `option` names a column that is not there, or a pattern that none has."""
    if not _is_pattern(name):
        return f"{option}: no column named {name!r} {where}{instead(name, columns)}"
    alike = [column for column in columns if fnmatch.fnmatchcase(column.casefold(), name.casefold())]
    literal = name.translate(dict.fromkeys(map(ord, _WILDCARDS)))
    # A bracket may belong to a name after all.
    meant = alike[0] if alike else closest(name, columns) or literal
    return f"{option}: no column {where} matches {name!r}{instead(meant, columns)}"


def instead(name: str, columns: Sequence[str]) -> str:
    """The end of a message on a column that is not there: which one may be meant, and which there are."""
    shown = [f'"{column}"' if "," in column else column for column in columns[:_MOST_LISTED]]
    listed = ", ".join(shown) + (", …" if len(columns) > _MOST_LISTED else "")
    hint = did_you_mean(name, columns)
    return f"{hint} There are: {listed}" if hint else f"; there are: {listed}"


def split_names(text: str) -> list[str]:
    """The names in a list such as 'a, b'; one with a comma stands in quotes, as in a CSV file."""
    parts = text.split(",")
    if text.count('"') >= 2:
        with contextlib.suppress(csv.Error):
            parts = next(csv.reader([text], skipinitialspace=True), [])
    return [part.strip() for part in parts if part.strip()]


def matching(text: str, columns: Sequence[str]) -> list[str] | None:
    """The `columns` that what was typed names; None where it names none.

    A column of that very name wins, also over a list of several; then come lists, in which a name that
    holds commas is recognised, too; then patterns such as 'temp*'.
    """
    if text in columns:
        return [text]
    parts = split_names(text)
    if len(parts) != 1:
        named = _listed(parts, columns)
        return named or None
    return _one(parts[0], columns)


def unmatched(text: str, columns: Sequence[str]) -> str:
    """Of what was typed and names no columns, the part that is to blame."""
    for part in split_names(text):
        if _one(part, columns) is None:
            return part
    return text


def _one(name: str, columns: Sequence[str]) -> list[str] | None:
    if name in columns:
        return [name]
    if _is_pattern(name):
        return [column for column in columns if fnmatch.fnmatchcase(column, name)] or None
    return None


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in _WILDCARDS)


def rejoined(parts: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The parts of a list that was split at its commas; those of one column's name are joined again."""
    by_parts = {tuple(part.strip() for part in column.split(",")): column for column in columns}
    names: list[str] = []
    place = 0
    while place < len(parts):
        ends = range(len(parts), place + 1, -1) if matching(parts[place], columns) is None else ()
        end = next((end for end in ends if tuple(parts[place:end]) in by_parts), place + 1)
        names.append(by_parts[tuple(parts[place:end])] if end > place + 1 else parts[place])
        place = end
    return names


def _listed(parts: Sequence[str], columns: Sequence[str]) -> list[str] | None:
    """The columns that the parts of a list name; a name with commas in it is several parts."""
    by_parts = {tuple(part.strip() for part in column.split(",")): column for column in columns}
    named: list[str] = []
    place = 0
    while place < len(parts):
        for end in range(len(parts), place, -1):
            run = tuple(parts[place:end])
            whole = by_parts.get(run)
            if len(run) > 1 and whole is not None and not all(part in columns for part in run):
                named.append(whole)
                break
        else:
            end = place + 1
            one = _one(parts[place], columns)
            if one is None:
                return None
            named += one
        place = end
    return list(dict.fromkeys(named))


def _plain(name: str) -> str:
    """A name without what people get wrong: case, spaces, hyphens, underscores, forms of a letter."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c not in " \t_-.\ufeff\u200b\u00a0")
