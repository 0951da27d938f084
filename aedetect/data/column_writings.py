"""Which columns of text hold numbers that are not plainly written, and how each is to be read."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from aedetect.config import DataConfig
from aedetect.data.decision import role_flag
from aedetect.data.profile import ColumnProfile
from aedetect.data.written_numbers import Evidence, Undecided, Writing, decide
from aedetect.errors import DataError

_MOST_DATES_APART = 0.1
_EXAMPLES = ("commas", "comma3", "groups", "groups_point", "groups_comma", "points", "point3", "parentheses",
             "sign", "behind", "before", "comma")  # fmt: skip


def writings_of(
    profiles: Mapping[str, ColumnProfile], config: DataConfig, name: str, settled: set[str]
) -> dict[str, Writing]:
    """How the numbers of each column are written that has others than plain ones.

    `settled`: columns that are no numbers, whatever they hold. Raises DataError, with both readings of one
    of its cells, for a column of the input called `name` that can be read in two ways.
    """
    decimal = config.decimal if config.decimal == "," or "decimal" in config.model_fields_set else None
    candidates = {
        column: profile.written
        for column, profile in profiles.items()
        if column not in settled and _may_hold_numbers(profile)
    }
    writings = {}
    for column, evidence in candidates.items():
        others = [other for beside, other in candidates.items() if beside != column]
        writing = decide(evidence, decimal, config.thousands, others)
        if isinstance(writing, Undecided):
            raise DataError(
                f"{name}: column {column!r}: {writing.example!r} may be {writing.in_words}; "
                f"give one of them, or {role_flag(column, 'categorical')} if it is no number"
            )
        if writing is None or (writing.is_plain and not evidence.odd_signs and not evidence.parentheses):
            continue
        if decimal is None and hints_at_decimal_comma(evidence, writing, others):
            continue
        writings[column] = writing
    return writings


def hints_at_decimal_comma(evidence: Evidence, writing: Writing, others: list[Evidence]) -> bool:
    """Whether all is plain but for decimal commas, and `--decimal ,` suits the other columns too."""
    bare = not writing.before and set(writing.factors) == {""} and not evidence.parentheses
    # Numbers in groups with decimal commas, in this column or another, leave no doubt of the file's marks.
    grouped = _is_grouped(evidence) or any(other.shapes["points"] and other.settles(",") for other in others)
    return (
        writing.decimal == ","
        and bare
        and not grouped
        and not any(other.settles(".") and not other.hopeless for other in others)
    )


def _is_grouped(evidence: Evidence) -> bool:
    return any(evidence.shapes[shape] for shape in ("points", "point3", "groups", "groups_comma"))


def example_of(profile: ColumnProfile) -> tuple[str, float] | None:
    """A cell of a column whose numbers are not plain, and what it is read as."""
    writing = profile.rules.writing
    if writing is None:
        return None
    for shape in _EXAMPLES:
        text = profile.written.examples.get(shape)
        if text is None:
            continue
        plain, factor = writing.parts(pa.array([text]))
        if plain[0].is_valid:
            # Spaces of other widths read as spaces do, and would be shown as '\\xa0'.
            return " ".join(text.split()), float(plain[0].as_py()) * factor[0].as_py()
    return None


def _may_hold_numbers(profile: ColumnProfile) -> bool:
    evidence = profile.written
    if not profile.is_text or not profile.filled or evidence.hopeless or profile.date is not None:
        return False
    if profile.leading_zeros or profile.holds_boolean_words:
        return False
    return not (
        profile.bad_numbers
        and profile.not_datetime <= _MOST_DATES_APART * profile.filled
        and profile.first_instant < float("inf")
    )
