"""Wrong use, as it is shown: how the command is called, what is wrong, what to type instead."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import Any

from typer import BadParameter

# The base of all that is said of wrong use; Typer gives it no public name.
WrongUse: Any = BadParameter.__mro__[1]
# Under this name a context knows the words that were typed behind its command.
WORDS = "aedetect.words"
# Of a single choice older releases of typer say that the word is not that.
_CHOICE = re.compile(r"'(?P<given>.*)' is not (?:one of )?(?P<choices>'.*')")
# As click says it: "Got unexpected extra argument (b.csv)", in newer releases "argument(s) (b.csv c.csv)".
_EXTRA = re.compile(r"^Got unexpected extra argument(?:s|\(s\))? \(")
_MEANT = {
    **dict.fromkeys(("predict", "detect", "apply", "run", "check", "flag", "anomalies"), "score"),
    **dict.fromkeys(("fit", "learn", "build"), "train"),
    **dict.fromkeys(("info", "show", "describe", "cat"), "inspect"),
    **dict.fromkeys(("why", "reasons"), "explain"),
    **dict.fromkeys(("plot", "html", "view"), "report"),
    **dict.fromkeys(("generate", "synthesize"), "sample"),
    **dict.fromkeys(("fill", "fillna"), "impute"),
    **dict.fromkeys(("ledger",), "state"),
}


class Refusal(WrongUse):  # type: ignore[misc]
    """Wrong use in our words, which stderr shows whatever its encoding."""

    def __init__(self, error: Any):
        super().__init__(worded(error), error.ctx)

    def show(self, file: Any = None) -> None:
        lines = []
        if self.ctx is not None:
            option = self.ctx.help_option_names[0]
            lines = [self.ctx.get_usage(), f"Try '{self.ctx.command_path} {option}' for help.", ""]
        print("\n".join([*lines, f"Error: {self.message}"]), file=file or sys.stderr)


@contextlib.contextmanager
def refusing(context: Any) -> Iterator[None]:
    """Wrong use within the block, which is of the command of `context`, is a Refusal."""
    try:
        yield
    except WrongUse as error:
        # One shows help, as no argument was given.
        if isinstance(error, Refusal) or type(error).__name__ == "NoArgsIsHelpError":
            raise
        error.ctx = error.ctx or context
        raise Refusal(error) from None


def worded(error: Any) -> str:
    """What is wrong, and what may be meant, in one line."""
    kind, context = type(error).__name__, error.ctx
    if kind == "NoSuchOption" and context is not None:
        return _no_such_option(error.option_name, context)
    if kind == "MissingParameter" and context is not None and error.param is not None:
        return _missing(error.param, context)
    if kind == "BadOptionUsage" and context is not None and "requires an argument" in error.message:
        parameter = _parameter(context, error.option_name)
        shown = f" {parameter.metavar}" if parameter is not None and parameter.metavar else ""
        return f"Option {error.option_name} needs a value: {error.option_name}{shown}"
    choice = _CHOICE.search(str(error.message)) if kind == "BadParameter" and error.param else None
    if choice is not None:
        return _no_choice(max(error.param.opts, key=len), choice)
    if kind == "UsageError" and context is not None:
        if error.message.startswith("No such command"):
            return _no_such_command(context)
        if error.message.startswith("Got unexpected extra argument"):
            return _too_many(error.message, context)
    return str(error.format_message())


def _no_such_option(name: str, context: Any) -> str:
    from aedetect.config.names import closest

    known = [flag for each in context.command.get_params(context) for flag in each.opts]
    said = f"No such option: {name}"
    typed = next((word for word in context.meta.get(WORDS, ()) if word.startswith(name)), name)
    if not name.startswith("--") and len(typed) > len(name):
        # One dash before a word is read as a row of single letters.
        meant = closest(f"-{typed.partition('=')[0]}", [flag for flag in known if flag.startswith("--")])
        if meant is not None:
            return f"No such option: {typed.partition('=')[0]}; did you mean {meant}, with two dashes?"
    if name in ("-o", "--output"):
        return f"{said}; {context.info_name} prints what it finds: redirect it with > FILE"
    if name in ("--version", "-V"):
        return f"{said}; the version is told by aedetect --version"
    meant = closest(name, [flag for flag in known if flag.startswith("--")])
    return said if meant is None else f"{said}; did you mean {meant}?"


def _missing(parameter: Any, context: Any) -> str:
    help_text = (parameter.help or "").rstrip(".")
    if parameter.param_type_name == "argument":
        return f"Missing argument {parameter.metavar}: {help_text}"
    flag = min(parameter.opts, key=len)
    said = f"Missing option {flag} {parameter.metavar}: {help_text}"
    # A model that stands among the inputs is probably the one.
    models = [word for word in context.meta.get(WORDS, ()) if word.endswith(".aed")]
    if str(parameter.metavar).endswith(".aed") and models:
        return f"{said}; is it {models[-1]}? Then write {flag} {models[-1]}"
    return said


def _no_choice(flag: str, choice: re.Match[str]) -> str:
    from aedetect.config.refusals import one_of

    choices = [part.strip("'") for part in choice["choices"].split(", ")]
    return f"Invalid value: {flag} = {choice['given']!r}: {one_of(choice['given'], choices)}"


def _no_such_command(context: Any) -> str:
    from aedetect.config.names import closest

    typed = next(iter(context.meta.get(WORDS, ())), "")
    if typed in ("help", "version"):
        return f"No such command {typed!r}; type {context.command_path} --{typed}"
    names = list(context.command.commands)
    meant = closest(typed, names)
    if meant is None and _MEANT.get(typed.lower()) in names:
        meant = _MEANT[typed.lower()]
    ending = f"did you mean {meant!r}?" if meant else f"there are: {', '.join(names)}"
    return f"No such command {typed!r}; {ending}"


def _too_many(message: str, context: Any) -> str:
    extra = _EXTRA.sub("", message).removesuffix(")")
    arguments = [
        each.metavar for each in context.command.get_params(context) if each.param_type_name == "argument"
    ]
    takes = f"it takes {' '.join(arguments)} alone" if arguments else "it takes options alone"
    return f"Too many arguments for {context.info_name}: {extra}; {takes}"


def _parameter(context: Any, name: str) -> Any:
    return next((each for each in context.command.get_params(context) if name in each.opts), None)
