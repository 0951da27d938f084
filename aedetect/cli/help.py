"""Help of commands: their options in panels, by what they are for."""

from __future__ import annotations

import inspect
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from aedetect.cli.help_page import Page, Panel, Row, boxed_page, plain_page
from aedetect.cli.options import MESSAGES, PANELS
from aedetect.cli.output import is_terminal
from aedetect.cli.plain_text import printable
from aedetect.cli.refusal import WORDS, refusing

REQUIRED = "Required"
OPTIONS = "Options"


class HelpfulCommand(TyperCommand):
    """A command whose help comes in panels, as wide as the terminal is, and that refuses in our words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = tuple(args)
        with refusing(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with refusing(ctx):
            return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        parameters = self.get_params(ctx)
        arguments = [_name(each) for each in parameters if _is_argument(each)]
        named = [
            f"{min(each.opts, key=len)} {each.metavar}"
            for each in parameters
            if each.required and not _is_argument(each)
        ]
        return [*arguments, *named, "[OPTIONS]"]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        rows: dict[str, list[Row]] = {REQUIRED: [], OPTIONS: [], **{panel: [] for panel in PANELS}}
        for each in self.get_params(ctx):
            if each.required:
                panel = REQUIRED
            elif "--help" in each.opts:
                panel = MESSAGES
            else:
                panel = getattr(each, "rich_help_panel", None) or OPTIONS
            rows[panel] += _row(each)
        formatter.write(
            _drawn(self, ctx, [Panel(title, panel_rows) for title, panel_rows in rows.items() if panel_rows])
        )


class HelpfulGroup(TyperGroup):
    """Commands, in panels by what they are for, and the options of the program itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = tuple(args)
        with refusing(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with refusing(ctx):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # Known from here: the options of the program itself, which stand before a command, are gone.
        ctx.meta[WORDS] = tuple(args)
        with refusing(ctx):
            return super().resolve_command(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return ["COMMAND", "[OPTIONS]"]

    def summaries(self) -> Iterator[tuple[str, str, str | None]]:
        """Of each command its name, the panel that it stands in, and its help."""
        for name, command in self.commands.items():
            yield name, getattr(command, "rich_help_panel", None) or "Commands", command.help

    def format_help(self, ctx: Any, formatter: Any) -> None:
        rows: dict[str, list[Row]] = {}
        for name, title, text in self.summaries():
            rows.setdefault(title, []).append((name, _paragraphs(text)[0]))
        options = [row for each in self.get_params(ctx) for row in _row(each)]
        panels = [*(Panel(title, panel_rows) for title, panel_rows in rows.items()), Panel(OPTIONS, options)]
        formatter.write(_drawn(self, ctx, panels))


class DefaultingGroup(HelpfulGroup):
    """Commands of which one is meant where none is named: the first of them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        help_asked = not args or args[0] in ctx.help_option_names
        if not help_asked and args[0] not in self.commands:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def _drawn(command: Any, ctx: Any, panels: Sequence[Panel]) -> str:
    usage = [ctx.command_path, *command.collect_usage_pieces(ctx)]
    page = Page(usage, _paragraphs(command.help), panels)
    width = ctx.terminal_width or shutil.get_terminal_size().columns
    if is_terminal(sys.stdout) and _shows_frames():
        return boxed_page(page, width, coloured=not os.environ.get("NO_COLOR"))
    return printable(plain_page(page, width))


def _shows_frames() -> bool:
    try:
        "╭─╮│╰╯".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text or "").split("\n\n")]


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _name(argument: Any) -> str:
    return str(argument.metavar) if argument.required else f"[{argument.metavar}]"


def _row(parameter: Any) -> Iterator[Row]:
    if parameter.hidden:
        return
    if _is_argument(parameter):
        yield _name(parameter), parameter.help or ""
        return
    flags = ", ".join(sorted(parameter.opts, key=len))
    yield f"{flags} {parameter.metavar}" if parameter.metavar else flags, parameter.help or ""
