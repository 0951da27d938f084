"""The files of one dump as one table: of all their columns, in an order that no order of files changes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence

import pyarrow as pa

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.completed import CompletedInput
from aedetect.io.source import Input
from aedetect.training.planned_rows import PlannedInput

# Files that share fewer of their columns are of two kinds, not of one dump.
_LEAST_SHARED = 0.5
_MOST_NAMED = 5


def in_order(inputs: Sequence[Input]) -> list[Input]:
    """The inputs by name, numbers in it by size: how they were given decides nothing."""
    return sorted(inputs, key=lambda source: _parts(source.name))


def _parts(name: str) -> list[tuple[int, str]]:
    texts = re.split(r"(\d+)", name)
    return [(int(text), "") if place % 2 else (0, text) for place, text in enumerate(texts)]


def joint_inputs(inputs: Sequence[Input], config: Config) -> list[Input]:
    """The inputs with the columns of all of them: cells of those that a file lacks are missing.

    Columns that the settings leave out do not count where files are compared. Raises DataError for a
    file that has too little in common with the others, or lacks a column that every row must have.
    """
    schemas = [source.open(1024).schema for source in inputs]
    names = dict.fromkeys(name for schema in schemas for name in schema.names)
    compared = [name for name in names if is_compared(name, config)]
    _check_kin(inputs, [[name for name in compared if name in schema.names] for schema in schemas])
    joint: list[Input] = []
    for source, schema in zip(inputs, schemas, strict=True):
        absent = [name for name in names if name not in schema.names]
        _check_needed(source, absent, config)
        fields = [pa.field(name, pa.null()) for name in absent]
        joint.append(CompletedInput(source, fields) if fields else source)
    return joint


def absent_columns(inputs: Sequence[Input]) -> dict[str, list[Input]]:
    """The columns that some of the joint inputs lack, each with these."""
    absent: dict[str, list[Input]] = {}
    for source in inputs:
        completed = source.source if isinstance(source, PlannedInput) else source
        for field in completed.absent if isinstance(completed, CompletedInput) else ():
            absent.setdefault(field.name, []).append(source)
    return absent


def absence_notice(absent: dict[str, list[Input]], learned: Collection[str], count: int) -> str | None:
    """What is said of columns among `learned` that some of `count` inputs lack; None where there are none."""
    lacked = {name: lacking for name, lacking in absent.items() if name in learned}
    if not lacked:
        return None
    said: list[str] = []
    for name, lacking in list(lacked.items())[:_MOST_NAMED]:
        of = f"is missing in {len(lacking)} of {count} files" if not said else f"in {len(lacking)}"
        said.append(f"{name!r} {of} ({_files(lacking)})")
    more = f" and {len(lacked) - _MOST_NAMED} more columns" if len(lacked) > _MOST_NAMED else ""
    one = len(lacked) == 1
    words = "" if more else f" --exclude {shlex.quote(','.join(lacked))}"
    return (
        f"column {', '.join(said)}{more}; {'its' if one else 'their'} cells there count as missing "
        f"({words.strip() or '--exclude'} does without {'it' if one else 'them'})"
    )


def unlabelled_notice(absent: dict[str, list[Input]], label: str | None, count: int) -> str | None:
    """What is said where some of `count` inputs lack the label column; None where none does."""
    if label is None or label not in absent:
        return None
    lacking = absent[label]
    return (
        f"label column {label!r} is missing in {len(lacking)} of {count} files ({_files(lacking)}); "
        "their rows count as normal"
    )


def _files(inputs: Sequence[Input], most: int = 3) -> str:
    more = f" and {len(inputs) - most} more" if len(inputs) > most else ""
    return ", ".join(source.name for source in inputs[:most]) + more


def is_compared(name: str, config: Config) -> bool:
    """Whether it matters that a file lacks a column."""
    data, series = config.data, config.series
    if name in data.exclude or name in data.id or data.roles.get(name) in ("id", "ignored"):
        return False
    named_ones = (*data.columns, *data.roles, *series.time_columns, *series.entity)
    return not data.columns or name in named_ones


def _check_kin(inputs: Sequence[Input], columns: Sequence[Sequence[str]]) -> None:
    """Raises DataError for a file that has too few columns in common with the most usual kind of file."""
    kinds = Counter(frozenset(names) for names in columns)
    usual = max(kinds, key=lambda kind: (kinds[kind], len(kind), sorted(kind)))
    model = next(place for place, names in enumerate(columns) if frozenset(names) == usual)
    for place, names in enumerate(columns):
        shared = usual.intersection(names)
        if len(shared) >= _LEAST_SHARED * min(len(names), len(usual)) and (shared or not usual):
            continue
        in_common = f"{len(shared)} of its {len(names)} columns" if shared else "no column"
        own = ", ".join(repr(name) for name in [name for name in names if name not in usual][:_MOST_NAMED])
        raise DataError(
            f"{inputs[place].name}: has {in_common} in common with {inputs[model].name} (not {own}); "
            "train on files of one kind"
        )


def _check_needed(source: Input, absent: Sequence[str], config: Config) -> None:
    for option, names in (("--time", config.series.time_columns), ("--entity", config.series.entity)):
        for name in names:
            if name in absent:
                raise DataError(
                    f"{source.name}: has no column {name!r}, which {option} names; leave this file out"
                )
