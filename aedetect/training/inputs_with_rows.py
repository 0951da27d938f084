"""Inputs of no rows, as exporters write them on quiet days, are no reason not to learn from the others."""

from __future__ import annotations

from collections.abc import Sequence

from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError
from aedetect.io.source import Input, has_rows, no_rows

_MOST_NAMED = 3


def with_rows(inputs: Sequence[Input], callback: Callback) -> list[Input]:
    """Those inputs that have rows; of the others, one notice.

    Raises DataError where none has rows, or one cannot be read.
    """
    filled = [source for source in inputs if has_rows(source)]
    empty = [source for source in inputs if not any(source is other for other in filled)]
    if empty and not filled:
        raise _nothing(empty)
    if empty:
        one = len(empty) == 1
        callback.notice(f"{named(empty)} hold{'s' * one} no rows and {'is' if one else 'are'} left out")
    return filled


def named(inputs: Sequence[Input], most: int = _MOST_NAMED) -> str:
    """The names of some inputs, as in 'a.csv', or '4 files (a.csv, b.csv, c.csv and 1 more)'."""
    if len(inputs) == 1:
        return inputs[0].name
    shown = ", ".join(source.name for source in inputs[:most])
    more = f" and {len(inputs) - most} more" if len(inputs) > most else ""
    return f"{len(inputs)} files ({shown}{more})"


def _nothing(inputs: Sequence[Input]) -> DataError:
    if len(inputs) == 1:
        return no_rows(inputs[0])
    return DataError(f"{named(inputs)} hold no rows, and there are no others")
