"""Rows to learn anew from: those that the model in use does not flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from aedetect.engine.callbacks import Callback
from aedetect.io.selected import RowMarks, SelectedInput
from aedetect.io.source import Input
from aedetect.scoring.base import Scores
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

CALENDAR = "calendar"


@dataclass(frozen=True)
class RecentRows:
    """Inputs without the rows that are not normal, and these rows.

    `learned`: the inputs with their normal rows, those of none left out. `flagged`: the inputs with the rows
    that are flagged. `rows`: how many there are in all; `by_calendar`: how many a calendar mutes, which are
    in neither. `warnings`: what was said of the inputs.
    """

    learned: Sequence[Input]
    flagged: Sequence[Input]
    rows: int
    flagged_rows: int
    by_calendar: int
    warnings: list[str] = field(default_factory=list)


def recent_rows(
    fitted: FittedModel, inputs: Sequence[Input], suppression: Suppression | None, callback: Callback
) -> RecentRows:
    """Score the rows of all inputs once, and part those that are flagged from the others.

    Rows that a calendar mutes are left out of both; those that people's verdicts or rules mute are normal.
    Keeps two bits of each row in memory. Raises DataError or ModelError where an input cannot be used.
    """
    normal = {id(source): RowMarks() for source in inputs}
    flagged = {id(source): RowMarks() for source in inputs}
    by_calendar = 0

    def see(batch: ScoredBatch) -> None:
        nonlocal by_calendar
        away = _in_calendar(batch.scores)
        by_calendar += int(away.sum())
        flagged[id(batch.source)].add(batch.scores.flagged)
        normal[id(batch.source)].add(~(batch.scores.flagged | away))

    result = score_inputs(fitted, inputs, see, callback, suppression=suppression)
    return RecentRows(
        [SelectedInput(source, normal[id(source)]) for source in inputs if normal[id(source)].marked],
        [SelectedInput(source, flagged[id(source)]) for source in inputs if flagged[id(source)].marked],
        result.counts.rows,
        sum(marks.marked for marks in flagged.values()),
        by_calendar,
        result.warnings,
    )


def _in_calendar(scores: Scores) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    away = np.zeros(len(scores.scores), dtype=np.bool_)
    away[[row for row, reason in scores.reasons.items() if reason.kind == CALENDAR]] = True
    return away
