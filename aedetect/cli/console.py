"""One place for everything that is printed: results to stdout, the rest to stderr."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from aedetect.engine.callbacks import Callback
from aedetect.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.table import Table

    from aedetect.data.schema import Schema
    from aedetect.engine.callbacks import Progress

MOST_SHOWN = 60


def plain(text: str, most: int | None = None) -> str:
    """Text from data made safe to show: control characters spelled out, cut in its middle to `most`."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    if most is None or len(safe) <= most:
        return safe
    # Long names that are much the same differ at either end.
    end = (most - 1) // 2
    return f"{safe[: most - 1 - end]}…{safe[len(safe) - end :]}"


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
        """A line for people, on stdout."""
        if not (self.json or self.quiet):
            self._print(_encodable(plain(text), sys.stdout), sys.stdout)

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
        if self.json:
            entry = {"command": self.command, "error": text, "exit_code": exit_code}
            print(_json(entry, sys.stderr), file=sys.stderr)
        elif self._log_format == "json":
            print(self._log_line("error", text, exit_code), file=sys.stderr)
        else:
            print(f"error: {plain(text)}", file=sys.stderr)

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
            self._print(plain(f"warning: {text}" if level == "warning" else text), sys.stderr)

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


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


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


class TerminalProgress(Callback):
    """Shows progress on stderr: a bar on a terminal, nothing elsewhere but notices."""

    def __init__(self, output: Output, device: str = ""):
        self._output = output
        self._device = device
        self._bar: Bar | None = None
        self._task: Any = None
        self.notices: list[str] = []
        if is_terminal(sys.stderr) and not (output.quiet or output.json or os.environ.get("NO_COLOR")):
            self._bar = _bar()

    def __enter__(self) -> TerminalProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def stage(self, text: str) -> None:
        if self._bar:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(plain(text, MOST_SHOWN), total=None, info="")
        elif self._output.verbose:
            self._output.note(text)

    def notice(self, text: str) -> None:
        # Two passes over the same input notice the same.
        if text in self.notices:
            return
        self.notices.append(text)
        if not self._output.json:
            self._output.warn(text)

    def training(self, member: int, members: int, progress: Progress) -> None:
        info = f"loss {progress.loss:.4f}, held out {progress.validation_loss:.4f}, on {self._device}"
        if self._bar:
            self._bar.update(
                self._task,
                description=f"training network {member + 1} of {members}" if members > 1 else "training",
                total=members * progress.steps,
                completed=member * progress.steps + progress.step,
                info=info,
            )
        elif self._output.verbose:
            self._output.note(
                f"network {member + 1}/{members}, step {progress.step}/{progress.steps}: {info}"
            )

    def rows(self, done: int) -> None:
        if self._bar:
            self._bar.update(self._task, info=f"{done:,} rows")


class TrainingProgress(TerminalProgress):
    """Also shows what each column was taken for, as soon as that is known."""

    def columns(self, schema: Schema) -> None:
        if self._bar:
            self._bar.stop()
        self._output.table(schema_table(schema))
        if self._bar:
            self._bar.start()


def schema_table(schema: Schema, most: int = 40) -> Table:
    """Columns, roles and reasons; columns of one role and many beyond `most` are counted."""
    table = simple_table("column", "taken as", "because")
    for column in schema.columns[:most]:
        table.add_row(plain(column.name, 40) or "(unnamed)", column.role, plain(column.reason, MOST_SHOWN))
    if len(schema.columns) > most:
        table.add_row(f"… and {len(schema.columns) - most} more", "", "all in `aedetect inspect MODEL`")
    return table


def simple_table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """A table without frames; the columns named in `right` are set right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def parted(table: Table, screen: Console) -> list[Table]:
    """The table, or its columns in several that fit the screen, each with the first column."""
    from rich.measure import Measurement

    def part(places: list[int]) -> Table:
        columns = [table.columns[place] for place in places]
        names = [str(column.header) for column in columns]
        right = tuple(str(column.header) for column in columns if column.justify == "right")
        found = simple_table(*names, right=right)
        for cells in zip(*(column.cells for column in columns), strict=True):
            found.add_row(*cells)
        return found

    parts = [[0]]
    for place in range(1, len(table.columns)):
        wider = part([*parts[-1], place])
        fits = Measurement.get(screen, screen.options.update(max_width=10_000), wider).maximum <= screen.width
        if fits or parts[-1] == [0]:
            parts[-1].append(place)
        else:
            parts.append([0, place])
    return [part(places) for places in parts]


def _bar() -> Bar:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[info]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console(sys.stderr),
        transient=True,
    )
