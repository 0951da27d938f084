"""What is to mute rows in a run, as it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.errors import UsageError
from aedetect.io.atomic import same_file

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.suppression import Suppression, Suppressor


@dataclass(frozen=True)
class MutingRequest:
    """Files and rules that mute rows. `feedback`: a store of verdicts of people."""

    feedback: Path | None = None

    @property
    def files(self) -> list[str]:
        """The files that are read: none of them may be an output."""
        return [str(path) for path in (self.feedback,) if path is not None]

    def check_unused(self, outputs: Sequence[str | None]) -> None:
        """Raises UsageError where an output would replace a file that says what is fine."""
        for path in self.files:
            if any(output and same_file(path, output) for output in outputs):
                raise UsageError(
                    f"{path}: the output would replace what says which rows are fine; name another"
                )

    def build(self, fitted: FittedModel, notice: Callable[[str], None]) -> Suppression | None:
        """What mutes the rows of a model; None where nothing was asked for.

        `notice` is told what of it cannot be used. Raises UsageError, DataError and OutputError for what the
        model does not know or what cannot be read.
        """
        from aedetect.scoring.suppression import Suppression

        suppressors = self._suppressors(fitted, notice)
        return Suppression(suppressors) if suppressors else None

    def _suppressors(self, fitted: FittedModel, notice: Callable[[str], None]) -> Sequence[Suppressor]:
        suppressors: list[Suppressor] = []
        if self.feedback is not None:
            from aedetect.tasks.suppression.feedback import feedback_suppressor

            suppressor, said = feedback_suppressor(fitted, self.feedback)
            suppressors.append(suppressor)
            for text in said:
                notice(text)
        return suppressors
