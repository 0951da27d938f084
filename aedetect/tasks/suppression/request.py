"""What is to mute rows in a run, as it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.errors import UsageError
from aedetect.io.atomic import same_file

if TYPE_CHECKING:
    from aedetect.config.rules import Rule
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.suppression import Suppression, Suppressor, Watcher


@dataclass(frozen=True)
class MutingRequest:
    """Files and rules that mute rows. `feedback`: a store of verdicts of people.

    `calendars`: plans, whose entries are held against the column `time_of` of a table, the times of which are
    of `time_zone` where they name none. `rules`: which alarms count.
    """

    feedback: Path | None = None
    calendars: Sequence[Path] = ()
    time_of: str | None = None
    time_zone: str | None = None
    rules: Sequence[Rule] = ()

    @property
    def files(self) -> list[str]:
        """The files that are read: none of them may be an output."""
        feedback = [] if self.feedback is None else [self.feedback]
        return [str(path) for path in (*feedback, *self.calendars)]

    def check_unused(self, outputs: Sequence[str | None]) -> None:
        """Raises UsageError where an output would replace a file that says what is fine."""
        for path in self.files:
            if any(output and same_file(path, output) for output in outputs):
                raise UsageError(
                    f"{path}: the output would replace what says which rows are fine; name another"
                )

    def build(self, fitted: FittedModel, notice: Callable[[str], None] | None = None) -> Suppression | None:
        """What mutes the rows of a model; None where nothing was asked for.

        `notice` is told what of it cannot be used, where anybody listens. Raises UsageError, DataError and
        OutputError for what the model does not know or what cannot be read.
        """
        from aedetect.scoring.suppression import Suppression

        for flag, value in (("--time-of", self.time_of), ("--time-zone", self.time_zone)):
            if value is not None and not self.calendars:
                raise UsageError(f"{flag} goes with --calendar, whose entries the rows are held against")
        suppressors: list[Suppressor] = []
        watchers: list[Watcher] = []
        if self.feedback is not None:
            from aedetect.tasks.suppression.feedback import feedback_suppressor

            suppressor, said = feedback_suppressor(fitted, self.feedback)
            suppressors.append(suppressor)
            if notice is not None:
                for text in said:
                    notice(text)
        if self.calendars:
            from aedetect.data.plans.planned_times import read_plans
            from aedetect.tasks.suppression.calendar import CalendarRequest, CalendarSuppressor

            request = CalendarRequest(read_plans(self.calendars), self.time_of, self.time_zone)
            calendar = CalendarSuppressor(fitted, request)
            suppressors.append(calendar)
            watchers.append(calendar)
        if self.rules:
            from aedetect.tasks.suppression.rules import RuleSuppressor

            suppressors.append(RuleSuppressor(fitted, self.rules))
        return Suppression(suppressors, watchers) if suppressors else None
