"""Columns that may have been renamed: which unknown one of a file is likely to be which missing one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from aedetect.errors import ModelError

# Below this two names have hardly more in common than any two words.
_LEAST_LIKE = 0.6
_LEAST_LETTERS = 3
_MOST_NAMED = 5
# Of wide tables of another kind each name would be like some other.
_MOST_COMPARED = 2500
# Names of columns that have none.
_NUMBERED = re.compile(r"^column_[0-9]+$")
_OTHERWISE = "score a file with the same columns, or retrain"


def missing_columns(
    name: str, lacking: Sequence[str], unknown: Sequence[str], model: str = "the model"
) -> ModelError:
    """The error of the input `name`, which lacks columns that `model` needs and has `unknown` ones."""
    return ModelError(
        f"{name}: {columns_in_words(lacking)} missing, which {model} was trained on; "
        f"{what_to_do(lacking, unknown)}"
    )


def columns_in_words(names: Iterable[str], most: int = 5) -> str:
    """'columns 'a', 'b' are', of many the first."""
    listed = list(names)
    shown = ", ".join(repr(name) for name in listed[:most])
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"column{'s' * (len(listed) != 1)} {shown}{more} {'is' if len(listed) == 1 else 'are'}"


def what_to_do(lacking: Sequence[str], unknown: Sequence[str]) -> str:
    """What is said where an input lacks columns and has `unknown` ones, which may be the same, renamed."""
    if not unknown:
        return _OTHERWISE
    if all(map(_NUMBERED.match, unknown)) and not any(map(_NUMBERED.match, lacking)):
        return (
            "the file was read without a header, and the model knows its columns by name: write one above it"
        )
    pairs = renamed(lacking, unknown)
    if not pairs:
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        columns = f"column{'s' * (len(unknown) != 1)} {_listed(unknown)}{more}"
        return f"the file has {columns}, which the model does not know; {_OTHERWISE}"
    are, them = ("is that", "it") if len(pairs) == 1 else ("are those", "them")
    return (
        f"the file has {_listed(list(pairs.values()))}, which the model does not know: "
        f"{are} {_listed(list(pairs))}? rename {them}, or retrain"
    )


def renamed(lacking: Sequence[str], unknown: Sequence[str]) -> dict[str, str]:
    """For each missing column the unknown one whose name is most like its own; none where none is.

    The only missing column is taken for the only unknown one, whatever their names.
    """
    if len(lacking) == len(unknown) == 1:
        return {lacking[0]: unknown[0]}
    if len(lacking) * len(unknown) > _MOST_COMPARED:
        return {}
    likely = sorted(
        ((_likeness(name, other), name, other) for name in lacking for other in unknown),
        key=lambda entry: -entry[0],
    )
    pairs: dict[str, str] = {}
    for likeness, name, other in likely:
        if likeness >= _LEAST_LIKE and name not in pairs and other not in pairs.values():
            pairs[name] = other
    return {name: pairs[name] for name in lacking if name in pairs}


def _likeness(first: str, second: str) -> float:
    """From 0 to 1; 1 where names differ in case and marks alone."""
    short, long = sorted((re.sub(r"[\W_]+", "", name.casefold()) for name in (first, second)), key=len)
    ratio = float(difflib.SequenceMatcher(None, short, long, autojunk=False).ratio())
    if len(short) >= _LEAST_LETTERS and (long.startswith(short) or long.endswith(short)):
        return max(ratio, (1 + _LEAST_LIKE) / 2)
    return ratio


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:_MOST_NAMED])
