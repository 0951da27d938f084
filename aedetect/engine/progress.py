"""Progress for Python callers: a bar in a notebook or a terminal, on request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aedetect.engine.callbacks import Callback, Progress

if TYPE_CHECKING:
    from rich import progress as rich_progress


@contextlib.contextmanager
def shown(wanted: bool, callback: Callback | None) -> Iterator[Callback]:
    """The callback itself, or where none is given and it is wanted, one that shows a bar in the block."""
    if callback is not None or not wanted:
        yield callback or Callback()
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=20),
        progress.TextColumn("{task.fields[info]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
    )
    with progress.Progress(*columns, transient=True) as bar:
        yield _Bar(bar, bar.add_task("", total=None, info=""))


class _Bar(Callback):
    """Shows one task at a time."""

    def __init__(self, bar: rich_progress.Progress, task: rich_progress.TaskID):
        self._bar, self._task = bar, task

    def stage(self, text: str) -> None:
        self._bar.update(self._task, description=text, total=None, info="")

    def training(self, member: int, members: int, progress: Progress) -> None:
        self._bar.update(
            self._task,
            description=f"training network {member + 1} of {members}" if members > 1 else "training",
            total=members * progress.steps,
            completed=member * progress.steps + progress.step,
            info=f"loss {progress.loss:.4f}",
        )

    def expected(self, rows: int | None) -> None:
        self._bar.update(self._task, total=rows, completed=0)

    def rows(self, done: int) -> None:
        self._bar.update(self._task, completed=done, info=f"{done:,} rows")

    def steps(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total, info="")
