"""How far a run is: a bar on a terminal, lines with --verbose, notices."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aedetect.cli.output import Output, console, is_terminal
from aedetect.cli.tables import learned_table
from aedetect.cli.text import MOST_SHOWN, plain
from aedetect.engine.callbacks import Callback

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from aedetect.data.column_facts import ColumnFacts
    from aedetect.data.schema import Schema
    from aedetect.engine.callbacks import Progress

_MOST_COLUMNS = 40


class TerminalProgress(Callback):
    """Shows progress on stderr: a bar on a terminal, nothing elsewhere but notices."""

    def __init__(self, output: Output):
        self._output = output
        self._bar: Bar | None = None
        self._task: Any = None
        self._rows: int | None = None
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
        info = f"loss {progress.loss:.4f}, held out {progress.validation_loss:.4f}"
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

    def expected(self, rows: int | None) -> None:
        self._rows = rows
        if self._bar and self._task is not None:
            self._bar.reset(self._task, total=rows, info="")

    def rows(self, done: int) -> None:
        # An estimate that proves too low tells nothing any more.
        if self._rows is not None and done > self._rows:
            self._rows = None
            self._update(total=None)
        self._update(completed=done, info=f"{done:,} rows")

    def steps(self, done: int, total: int) -> None:
        self._update(completed=done, total=total)

    def _update(self, **changes: Any) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, **changes)


class TrainingProgress(TerminalProgress):
    """Also shows what each column was taken for, and when the rows are, as soon as that is known.

    `model`: the file to be made.
    """

    def __init__(self, output: Output, model: str):
        super().__init__(output)
        self._model = model
        self._facts: Mapping[str, ColumnFacts] = {}

    def facts(self, facts: Mapping[str, ColumnFacts]) -> None:
        self._facts = facts

    def remark(self, text: str) -> None:
        if self._bar:
            self._bar.stop()
        self._output.say(text)
        if self._bar:
            self._bar.start()

    def columns(self, schema: Schema) -> None:
        if self._bar:
            self._bar.stop()
        self._output.table(learned_table(schema, self._facts, console(sys.stdout).width, _MOST_COLUMNS))
        more = len(schema.columns) - _MOST_COLUMNS
        if more > 0:
            self._output.say(f"… and {more:,} more (aedetect inspect {shlex.quote(str(self._model))})")
        if self._bar:
            self._bar.start()


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
