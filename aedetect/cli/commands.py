"""The commands by their names, each loaded and made when it is asked for: a run pays for its own alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
import typer.main

from aedetect.cli.groups import grouped
from aedetect.cli.help import HelpfulCommand


class Commands(MutableMapping[str, Any]):
    """What Typer makes of the functions of `aedetect.cli`, in the order in which they were added."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], Any]] = {}
        self._made: dict[str, Any] = {}
        self._panels: dict[str, str] = {}

    def add(self, name: str, panel: str) -> None:
        """The command whose function and module bear its name; its help stands in `panel`."""
        self._makers[name] = partial(_command, name, panel)
        self._panels[name] = panel

    def summaries(self) -> Iterator[tuple[str, str, str | None]]:
        """Of each command its name, its panel and its help; none of them is made for it."""
        for name, panel in self._panels.items():
            module = _module(name)
            yield name, panel, getattr(module, "HELP", None) or getattr(module, name).__doc__

    def add_group(self, name: str, panel: str, kind: type, members: Sequence[str]) -> None:
        """Commands below a name: the functions `members` of its module, which says in HELP what they are for.

        `kind`: the class of the group. Its first command needs words to work on, as do the others but lists.
        """
        self._makers[name] = partial(_group, name, panel, kind, members)
        self._panels[name] = panel

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._makers[name] = lambda: command
        self._made.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._makers[name]
        self._made.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _command(name: str, panel: str) -> Any:
    program = _program(name)
    _enter(program, _module(name), name)
    return _made(program, panel)


def _group(name: str, panel: str, kind: type, members: Sequence[str]) -> Any:
    module = _module(name)
    program = _program(name, cls=kind, no_args_is_help=True, help=module.HELP)
    for member in members:
        _enter(program, module, member)
    return _made(program, panel)


def _module(name: str) -> ModuleType:
    return import_module(f"aedetect.cli.{name}")


def _program(name: str, **settings: Any) -> typer.Typer:
    return typer.Typer(name=name, add_completion=False, rich_markup_mode=None, **settings)


def _enter(program: typer.Typer, module: ModuleType, name: str) -> None:
    function = getattr(module, name)
    # A list needs no words to work on, where there is a store by default.
    program.command(name.rstrip("_"), cls=HelpfulCommand, no_args_is_help=name != "list_")(grouped(function))


def _made(program: typer.Typer, panel: str) -> Any:
    made = typer.main.get_command(program)
    made.rich_help_panel = panel  # type: ignore[attr-defined]
    return made
