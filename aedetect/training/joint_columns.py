"""What the columns of several files are when taken together, whichever file comes first."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

import pyarrow as pa

from aedetect.config import Config
from aedetect.data import cells
from aedetect.data.profile import ColumnProfile, is_usable, kind_of, profile_columns
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.training.joint_inputs import is_compared

_INSTANT = pa.timestamp("us")


def joint_profiles(
    inputs: Sequence[Input], counting: set[str], config: Config, rules: cells.CellRules
) -> dict[str, ColumnProfile]:
    """Empty profiles of the columns of all inputs, which have the same names.

    Raises DataError where some hold what cannot be looked at, such as lists, and others do not.
    """
    schemas = [(source, source.open(1024).schema) for source in inputs]
    # Who wrote typed files of text alone knew no types.
    typed = [field.type for source, schema in schemas if not source.is_text for field in schema]
    knew_types = not all(cells.is_text(cells.value_type(kind)) or pa.types.is_null(kind) for kind in typed)
    fields: dict[str, pa.Field] = {}
    parsed: set[str] = set()
    for name in schemas[0][1].names:
        each = [(source, schema.field(name)) for source, schema in schemas]
        if is_compared(name, config):
            _check_alike(name, each)
        fields[name] = _joint(name, [field for _, field in each])
        trusted = {
            cells.value_type(field.type) for source, field in each if knew_types and not source.is_text
        }
        if not trusted - {pa.null()} or (len(_kinds(field for _, field in each)) > 1):
            parsed.add(name)
    by_hand = set(config.data.roles)
    read = {
        as_text: profile_columns(
            pa.schema([field for name, field in fields.items() if (name in parsed) is as_text]),
            as_text, counting, by_hand, rules,
        )
        for as_text in (True, False)
    }  # fmt: skip
    return {name: read[name in parsed][name] for name in fields}


def _check_alike(name: str, each: Sequence[tuple[Input, pa.Field]]) -> None:
    filled = [(source, field) for source, field in each if not pa.types.is_null(field.type)]
    odd = next((entry for entry in filled if not is_usable(entry[1])), None)
    usual = next((entry for entry in filled if is_usable(entry[1])), None)
    if odd and usual:
        raise DataError(
            f"{odd[0].name}: column {name!r} holds {kind_of(odd[1])} values, unlike {usual[0].name}; "
            f"train on files with the same columns, or leave it out with --exclude {shlex.quote(name)}"
        )


def _kinds(fields: Iterable[pa.Field]) -> set[str]:
    """What the filled ones of some columns hold: 'text', 'number', 'instant' or 'bool'."""
    return {_kind(cells.value_type(field.type)) for field in fields} - {"nothing"}


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_null(type_):
        return "nothing"
    if cells.is_text(type_):
        return "text"
    if cells.is_number(type_):
        return "number"
    return "instant" if cells.is_datetime(type_) else str(type_)


def _joint(name: str, fields: Sequence[pa.Field]) -> pa.Field:
    """The column in a type that holds what all of `fields` hold."""
    filled = [field for field in fields if not pa.types.is_null(field.type)]
    unusable = [field for field in filled if not is_usable(field)]
    if unusable:
        return unusable[0]
    if len({field.type for field in filled}) <= 1:
        return filled[0] if filled else fields[0]
    types = {cells.value_type(field.type) for field in filled}
    if len(types) == 1:
        return pa.field(name, types.pop())
    kinds = _kinds(filled)
    if kinds == {"number"}:
        whole = all(pa.types.is_integer(type_) for type_ in types)
        return pa.field(name, pa.int64() if whole and pa.uint64() not in types else pa.float64())
    return pa.field(name, _INSTANT if kinds == {"instant"} else pa.string())
