"""Options in groups: a dataclass of options is one parameter of a command.

A command takes `reading: ReadingOptions`, and `grouped` makes of it what the command line asks for:
a function with `--format`, `--delimiter` and `--encoding`, which puts the group together again. In
help pages the options of a group stand in the panel that `@group(panel)` names.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from typer.models import OptionInfo

Command = Callable[..., None]
Group = TypeVar("Group")

_IS_GROUP = "__is_group_of_options__"


@dataclass_transform(frozen_default=True, kw_only_default=True)
def group(panel: str | None = None) -> Callable[[type[Group]], type[Group]]:
    """Makes a group of a class: a frozen dataclass, whose options stand in `panel` if they name no other."""

    def made(cls: type[Group]) -> type[Group]:
        for option in vars(cls).values():
            if isinstance(option, OptionInfo) and option.rich_help_panel is None:
                option.rich_help_panel = panel
        setattr(cls, _IS_GROUP, True)
        return dataclass(frozen=True, kw_only=True)(cls)

    return made


def grouped(command: Command) -> Command:
    """`command` with the fields of its groups as parameters, each by its own name.

    The fields of a group are declared as parameters of a command are, or are groups themselves. Raises
    TypeError where two parameters would have one name.
    """
    parameters = list(_expanded(command))
    names = [parameter.name for parameter in parameters]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise TypeError(f"{command.__name__}: two options are named {', '.join(sorted(twice))}")
    wanted = _hints(command)

    @functools.wraps(command)
    def expanded(**values: Any) -> None:
        command(**{name: _packed(name, hint, values) for name, hint in wanted.items()})

    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded


@functools.cache
def _hints(owner: Any) -> dict[str, Any]:
    hints = get_type_hints(owner, include_extras=True)
    hints.pop("return", None)
    return hints


def _expanded(command: Command) -> Iterator[inspect.Parameter]:
    hints = _hints(command)
    for parameter in inspect.signature(command).parameters.values():
        yield from _parameters(parameter.name, hints[parameter.name], parameter.default)


def _parameters(name: str, hint: Any, default: Any) -> Iterator[inspect.Parameter]:
    if not _is_group(hint):
        # By name alone, so that an option without a default may stand behind one that has one.
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        return
    hints = _hints(hint)
    for field in fields(hint):
        field_default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield from _parameters(field.name, hints[field.name], field_default)


def _packed(name: str, hint: Any, values: Mapping[str, Any]) -> Any:
    if not _is_group(hint):
        return values[name]
    hints = _hints(hint)
    return hint(**{field.name: _packed(field.name, hints[field.name], values) for field in fields(hint)})


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, _IS_GROUP)
