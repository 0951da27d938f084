"""What is said of a setting's value that cannot be taken: what it may be instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from aedetect.config.names import did_you_mean

_KINDS = {
    "int": "not a whole number; write it like 20",
    "float": "not a number; write it like 0.5",
    "bool": "not a boolean; write true or false",
    "string": "not a text; write it in quotes",
    "list": 'not a list; write it like ["a", "b"]',
    "dict": 'not a table; write it like {zip = "categorical"}',
}
_BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def refusal(error: Any, field: Any) -> str:
    """One plain phrase on a value that pydantic refused with `error`, of the setting declared by `field`."""
    kind = error["type"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in _BOUNDS:
        return in_range(**dict(_limits(field)))
    if kind == "finite_number":
        return "must be a finite number"
    if kind == "literal_error":
        return one_of(error["input"], list(_choices(field)))
    # Such as int_parsing, int_type and int_from_float, string_type.
    return _KINDS.get(str(kind).partition("_")[0]) or str(error["msg"])


def in_range(
    gt: float | None = None, ge: float | None = None, lt: float | None = None, le: float | None = None
) -> str:
    """Within which bounds a number must be: 'must be above 0 and below 1'."""
    low = f"at least {ge:,.12g}" if ge is not None else f"above {gt:,.12g}" if gt is not None else ""
    high = f"at most {le:,.12g}" if le is not None else f"below {lt:,.12g}" if lt is not None else ""
    # Of a share the other way to write it may be what was meant.
    share = ", such as 0.01 or 1%" if (gt, lt) == (0, 1) else ""
    return f"must be {' and '.join(part for part in (low, high) if part)}{share}"


def one_of(value: object, choices: list[Any]) -> str:
    """What is said of a word that is none of `choices`: 'not one of csv or tsv; did you mean 'csv'?'."""
    *others, last = (str(choice) if str(choice).isalnum() else repr(choice) for choice in choices)
    hint = did_you_mean(value, [str(choice) for choice in choices]) if isinstance(value, str) else ""
    if not others:
        return f"not {last}, the only choice"
    return f"not one of {', '.join(others)} or {last}{hint}"


def _limits(field: Any) -> Iterator[tuple[str, float]]:
    """The bounds of a setting, wherever in its declaration they stand."""
    for part in _metadata(field.annotation, field.metadata):
        for name in ("gt", "ge", "lt", "le"):
            bound = getattr(part, name, None)
            if bound is not None:
                yield name, bound


def _metadata(annotation: Any, outer: Any = ()) -> Iterator[Any]:
    for part in (*outer, *getattr(annotation, "__metadata__", ())):
        yield from getattr(part, "metadata", None) or [part]
    for inner in get_args(annotation):
        yield from _metadata(inner)


def _choices(field: Any) -> Iterator[Any]:
    waiting = [field.annotation]
    while waiting:
        annotation = waiting.pop()
        if get_origin(annotation) is Literal:
            yield from get_args(annotation)
        else:
            waiting += get_args(annotation)
