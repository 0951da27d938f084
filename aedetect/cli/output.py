"""Everything that is printed: results to stdout, the rest to stderr."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from aedetect.cli.tables import parted
from aedetect.cli.text import LONGEST_LINE, one_line, plain
from aedetect.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


class Output:
    """Where a command prints. `json` and `quiet` silence what is meant for people."""

    def __init__(
        self,
        command: str,
        json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        log_format: str = "text",
    ):
        self.command = command
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self._log_format = log_format
        # Says, where a run is stopped, what of it is kept and how to go on.
        self.on_stop: Callable[[], str] = str
        self._held: list[tuple[str, TextIO]] | None = None

    def table(self, table: Table) -> None:
        if not (self.json or self.quiet):
            with printing():
                console(sys.stdout).print(table)

    def figures(self, table: Table) -> None:
        """A table of short cells, which are not broken: where it is too wide, it comes in several."""
        if not (self.json or self.quiet):
            with printing():
                screen = console(sys.stdout)
                for place, part in enumerate(parted(table, screen)):
                    if place:
                        screen.print()
                    screen.print(part)

    def say(self, text: str = "") -> None:
        """A line for people, on stdout; on a terminal broken between words."""
        if not (self.json or self.quiet):
            self._print(wrapped(plain(text), sys.stdout), sys.stdout)

    def say_whole(self, text: str) -> None:
        """A line to be copied, such as a command: never broken."""
        if not (self.json or self.quiet):
            self._print(plain(text), sys.stdout)

    def result(self, value: dict[str, Any]) -> None:
        """The one JSON object of a command, on stdout, if asked for."""
        if self.json:
            with printing():
                print(_json(value, sys.stdout))

    def note(self, text: str) -> None:
        """A line about how things go, on stderr."""
        self._log("info", text)

    def warn(self, text: str) -> None:
        self._log("warning", text)

    def error(self, text: str, exit_code: int) -> None:
        """A failure, on stderr; what was held back comes before it."""
        self._let_out()
        line = one_line(text)
        text = text if len(text) <= LONGEST_LINE else line
        if self.json:
            entry = {"command": self.command, "error": text, "exit_code": exit_code}
            print(_json(entry, sys.stderr), file=sys.stderr)
        elif self._log_format == "json":
            print(self._log_line("error", text, exit_code), file=sys.stderr)
        else:
            print(wrapped(f"error: {line}", sys.stderr), file=sys.stderr)

    @contextlib.contextmanager
    def held_back(self, asked: bool) -> Iterator[None]:
        """Where `asked` and stderr is no terminal, nothing is printed unless the block fails.

        So cron, which mails whatever is printed, mails failures alone, with all that led to them.
        """
        if asked and not self.verbose and not is_terminal(sys.stderr):
            self._held = []
        try:
            yield
        except BaseException:
            self._let_out()
            raise
        finally:
            self._held = None

    def _log(self, level: str, text: str) -> None:
        if self.quiet:
            return
        if self._log_format == "json":
            self._print(self._log_line(level, text), sys.stderr)
        else:
            line = plain(f"warning: {text}" if level == "warning" else text)
            self._print(wrapped(line, sys.stderr), sys.stderr)

    def _log_line(self, level: str, text: str, exit_code: int | None = None) -> str:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {"time": now, "level": level, "command": self.command, "message": text}
        if exit_code is not None:
            entry["exit_code"] = int(exit_code)
        return _json(entry, sys.stderr)

    def _print(self, line: str, stream: TextIO) -> None:
        if self._held is not None:
            self._held.append((line, stream))
        elif stream is sys.stdout:
            with printing():
                print(line)
        else:
            print(line, file=stream)

    def _let_out(self) -> None:
        held, self._held = self._held or [], None
        for line, stream in held:
            self._print(line, stream)


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """Turns failures to write to stdout into OutputError; a closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = "no space left on the device" if error.errno == errno.ENOSPC else error.strerror
        raise OutputError(f"standard output: cannot be written: {reason}") from None


def discard_stdout() -> None:
    """Send what is left in stdout's buffer nowhere, so that the interpreter's exit does not fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def wrapped(line: str, stream: TextIO) -> str:
    """The line as a terminal is to show it: broken between words, and set in below its first word.

    Elsewhere it is left as it is.
    """
    if not is_terminal(stream):
        return line
    width = shutil.get_terminal_size().columns
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _json(value: dict[str, Any], stream: TextIO) -> str:
    """JSON with characters as they are where the stream can show them, else escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False)
    return text


def console(stream: TextIO) -> Console:
    """A rich console that reads no markup and colours nothing but on a terminal."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(file=stream, markup=False, highlight=False, emoji=False)


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
