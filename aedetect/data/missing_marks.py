"""Marks that mean 'missing' in columns of numbers, though nobody said so: '-', '?' and their like."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from aedetect.config import DataConfig
from aedetect.data.profile import ColumnProfile
from aedetect.data.written_numbers import DASHES

_LEAST_NUMBERS = 8


def missing_marks(profiles: Mapping[str, ColumnProfile], config: DataConfig) -> dict[str, dict[str, int]]:
    """The columns of numbers whose only other texts are such marks, and how many cells hold each.

    Columns whose role is set by hand are left as they are.
    """
    settled = {*config.id, *config.exclude, *config.roles, config.label or ""}
    return {
        column: dict(profile.bad_texts)
        for column, profile in profiles.items()
        if column not in settled and _is_marked(profile)
    }


def _is_marked(profile: ColumnProfile) -> bool:
    bad = profile.bad_texts
    if not profile.is_text or not bad or not set(bad) <= set(DASHES) or profile.leading_zeros:
        return False
    # A profile that was given up half way has not seen all texts.
    complete = sum(bad.values()) == profile.bad_numbers
    return complete and profile.numbers.count >= max(_LEAST_NUMBERS, profile.bad_numbers)


def marks_in_words(column: str, marks: Mapping[str, int]) -> str:
    """What is said of a column with such marks."""
    listed = " and ".join(f"{mark!r} ({count:,} cell{'s' * (count != 1)})" for mark, count in marks.items())
    one = len(marks) == 1
    role = shlex.quote(f"{column}=categorical")
    return (
        f"column {column!r}: {listed} {'is' if one else 'are'} read as missing, here and in the other "
        f"columns; give --role {role} if {'it means' if one else 'they mean'} something"
    )
