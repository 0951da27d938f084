"""What a person may do next, as commands to copy: the end of what a command says on a terminal."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aedetect.cli.options import MutingOptions, ReadingOptions, RunOptions, ThresholdOptions
from aedetect.cli.output import Output, is_terminal

_STDIN = {"-", "<stdin>"}
_LEAD = "next: "
_PATTERN = "*?[]"


def next_steps(out: Output, *steps: Sequence[object]) -> None:
    """Each step is the words of a command; empty ones are left out, and so are those on standard input.

    Nothing is said but on a terminal: scripts read what is printed elsewhere.
    """
    if out.json or out.quiet or not is_terminal(sys.stdout):
        return
    commands = [
        shlex.join(["aedetect", *map(str, step)]) for step in steps if step and not _STDIN.intersection(step)
    ]
    for place, command in enumerate(commands):
        if not place:
            out.say()
        out.say_whole((_LEAD if not place else " " * len(_LEAD)) + command)


@dataclass(frozen=True)
class Given:
    """The flags of a command that the next one needs, to read and to judge the same inputs alike."""

    reading: ReadingOptions
    run: RunOptions
    threshold: ThresholdOptions | None = None
    muting: MutingOptions | None = None

    @property
    def words(self) -> list[str]:
        """The flags of reading, settings, threshold and muting, as most commands name them."""
        return [*self.reading_words("--format"), *self._limits, *self._muting]

    @property
    def of_report(self) -> list[str]:
        """The same for `report`, whose --format is that of the page."""
        return [*self.reading_words("--input-format"), *self._limits, *self._muting]

    def reading_words(self, format_flag: str = "--format") -> list[str]:
        """The flags of reading and settings alone."""
        reading = self.reading
        return [
            *_flag(format_flag, reading.format),
            *_flag("--delimiter", reading.delimiter),
            *_flag("--encoding", reading.encoding),
            *_flag("--config", self.run.config),
        ]

    @property
    def _limits(self) -> list[str]:
        limits = self.threshold
        if limits is None:
            return []
        return [*_flag("--alert-rate", limits.alert_rate), *_flag("--threshold", limits.threshold)]

    @property
    def _muting(self) -> list[str]:
        return [] if self.muting is None else self.muting.words


def _flag(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def scoring_of_new_rows(model: str, like: str = "", given: Sequence[str] = ()) -> list[object]:
    """The words that score rows which are in no file yet that is known here, but in one `like` that."""
    suffixes = PurePath(like).suffixes
    suffix = "".join(suffixes[-2:] if suffixes[-1:] in ([".gz"], [".zst"]) else suffixes[-1:])
    suffix = suffix if suffix.replace(".", "").isalnum() else ".csv"
    return ["score", f"NEW{suffix}", "-m", model, "-o", f"NEW-scored{suffix}", *given]


def beside(path: str, ending: str) -> str:
    """A name for what is made of the file at `path`: 'data/march.csv.gz' and '-scored.csv' give one here."""
    name = PurePath(path.rstrip("/*")).name.partition(".")[0]
    return ("".join(c for c in name if c not in _PATTERN).strip("-_") or "rows") + ending
