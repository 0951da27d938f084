"""Profiles of small columns, as training's first pass takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.profile import ColumnProfile, profile_columns
from aedetect.data.roles import infer_schema
from aedetect.data.schema import Schema


def profile(
    values: Sequence[Any] | pa.Array,
    *,
    is_text: bool = True,
    counting: bool = False,
    parsed: bool = False,
    rules: cells.CellRules | None = None,
    batches: int = 1,
    name: str = "x",
) -> ColumnProfile:
    """The profile of one column, called x, taken in `batches` parts."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    names = {name} if counting else set()
    found = profile_columns(
        pa.schema([pa.field(name, array.type)]),
        is_text,
        names,
        {name} if parsed else set(),
        rules or cells.CellRules(),
    )[name]
    size = max(1, -(-len(array) // batches))
    for start in range(0, len(array), size):
        found.update(array[start : start + size], lambda index, start=start: f"f: row {start + index + 1}")
    return found


def in_parts(
    values: Sequence[Any], cuts: Sequence[int], *, is_text: bool = True, piloted: bool = False
) -> ColumnProfile:
    """The profile of one column, called x, put together of those of its parts, which end at `cuts`.

    `piloted`: the first three cells tell the later parts what not to look for.
    """
    array = pa.array(values)
    empty = profile(array[:0], is_text=is_text, counting=True)
    pilot = empty.fresh() if piloted else None
    if pilot is not None:
        pilot.update(array[:3], str)
    total = empty.fresh()
    for first, end in pairwise([0, *cuts, len(array)]):
        part = empty.fresh(pilot if first else None)
        part.update(array[first:end], lambda index, first=first: f"f: row {first + index + 1}")
        total.add(part)
    return total


def schema_of(profiles: Mapping[str, ColumnProfile], **settings: Any) -> Schema:
    data = Config.build(overrides={f"data.{name}": value for name, value in settings.items()}).data
    return infer_schema(profiles, data, "f")
