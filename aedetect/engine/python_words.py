"""What is said to Python callers: warnings as Python's, and settings instead of command-line flags."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable as Function
from typing import Any, ParamSpec, TypeVar

from aedetect.engine.callbacks import Callback
from aedetect.errors import AedetectError, AedetectWarning

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Flags that messages speak of, and the settings behind them.
SETTINGS = {
    "adapt": "series.adapt",
    "adopt-after": "series.adopt_after",
    "alarms-per-day": "threshold.alarms_per_day",
    "alert-rate": "threshold.alert_rate",
    "columns": "data.columns",
    "comment": "data.comment",
    "contamination": "training.contamination",
    "decimal": "data.decimal",
    "delimiter": "data.delimiter",
    "device": "training.device",
    "encoding": "data.encoding",
    "entity": "series.entity",
    "every": "series.every",
    "exclude": "data.exclude",
    "format": "data.format",
    "header": "data.header = True",
    "id": "data.id",
    "jobs": "scoring.jobs",
    "label": "data.label",
    "na-values": "data.na_values",
    "no-header": "data.header = False",
    "positive": "data.positive",
    "role": "data.roles",
    "silence": "series.silence",
    "skip-rows": "data.skip_rows",
    "time": "series.time",
    "time-format": "series.time_format",
    "time-zone": "series.time_zone",
    "units-row": "data.units_row = True",
    "window": "series.window",
}
# Those that are arguments of the methods that speak of them, where they are not called the same.
ARGUMENTS = {"from": "start", "row": "rows"}
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


def in_python(text: str, arguments: dict[str, str] | None = None) -> str:
    """A message with settings or arguments in place of flags; `arguments` are those of a method, by flag."""
    names = {**SETTINGS, **ARGUMENTS, **(arguments or {})}
    return _FLAG.sub(lambda match: names.get(match[1], match[1].replace("-", "_")), text)


def python_errors(
    **arguments: str,
) -> Function[[Function[Parameters, Result]], Function[Parameters, Result]]:
    """A method whose errors speak of settings, and of its own `arguments` (by flag) instead of flags."""

    def decorate(method: Function[Parameters, Result]) -> Function[Parameters, Result]:
        @functools.wraps(method)
        def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            try:
                return method(*args, **kwargs)
            except AedetectError as error:
                text = in_python(str(error), arguments)
                if text == str(error):
                    raise
                raise type(error)(text) from error

        return wrapper

    return decorate


class PythonCallback(Callback):
    """Notices become Python warnings, each once; all else goes to another callback."""

    def __init__(self, other: Callback):
        self._other = other
        self._warned: set[str] = set()

    def notice(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(in_python(text), AedetectWarning, stacklevel=_outside())
        self._other.notice(text)

    def stage(self, text: str) -> None:
        self._other.stage(text)

    def facts(self, facts: Any) -> None:
        self._other.facts(facts)

    def columns(self, schema: Any) -> None:
        self._other.columns(schema)

    def training(self, member: int, members: int, progress: Any) -> None:
        self._other.training(member, members, progress)

    def expected(self, rows: int | None) -> None:
        self._other.expected(rows)

    def rows(self, done: int) -> None:
        self._other.rows(done)

    def steps(self, done: int, total: int) -> None:
        self._other.steps(done, total)


def _outside() -> int:
    """How far up the stack the caller of the package is, so that a warning names the caller's line."""
    import sys

    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "aedetect":
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    return level
