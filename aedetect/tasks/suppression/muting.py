"""What Python callers say of flagged rows that are fine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aedetect.config.rules import Rule, rule_of_text, rules_of, rules_of_file
from aedetect.scoring.feedback_store import Note, read_notes
from aedetect.tasks.suppression.request import MutingRequest

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Muting:
    """What says that rows above the threshold are fine: `Detector.score`, `explain` and `report` mute these.

    Parameters
    ----------
    calendars : path or sequence of paths
        iCalendar files (.ics), or tables with the columns start, end and name. `Detector.fit` leaves out the
        rows within their entries.
    time_of : str, optional
        Of tables: the column that says when a row was; calendars need it.
    time_zone : str, optional
        Of tables: the zone of times in it that name none, such as 'Europe/Berlin'; UTC where not given.
    rules : path, or sequence of str and mappings
        Which alarms count: a TOML file with [[rules]], or rules one by one, in one line such as
        'temp above least=5' or as the table of a file.
    feedback : path, optional
        A store of what people said of rows. `Detector.fit` and `Detector.calibrated` count rows called
        normal as well, and leave out those called anomalies.

    Examples
    --------
    >>> Muting(rules=["temp above least=5"]).request().rules[0].direction
    'above'
    """

    calendars: PathLike | Sequence[PathLike] = ()
    time_of: str | None = None
    time_zone: str | None = None
    rules: PathLike | Sequence[str | Mapping[str, Any]] = ()
    feedback: PathLike | None = None

    def request(self) -> MutingRequest:
        """The same with rules read. Raises UsageError for what is no rule."""
        feedback = None if self.feedback is None else Path(self.feedback)
        return MutingRequest(feedback, self.paths, self.time_of, self.time_zone, self._rules())

    def notes(self) -> list[Note]:
        """What people said. Raises DataError or OutputError where that cannot be read."""
        return [] if self.feedback is None else read_notes(Path(self.feedback))

    @property
    def paths(self) -> list[Path]:
        """The files of the calendars."""
        given = self.calendars
        return [Path(given)] if isinstance(given, (str, os.PathLike)) else [Path(path) for path in given]

    def _rules(self) -> list[Rule]:
        if isinstance(self.rules, (str, os.PathLike)):
            return rules_of_file(self.rules)
        tables = [rule for rule in self.rules if not isinstance(rule, str)]
        read = iter(rules_of([dict(table) for table in tables], "rules"))
        return [
            rule_of_text(rule, place) if isinstance(rule, str) else next(read)
            for place, rule in enumerate(self.rules, 1)
        ]
