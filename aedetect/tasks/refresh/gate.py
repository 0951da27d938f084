"""Two models on rows that are known to be normal: how many false alarms each gives, and where they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Integers, Mask
from aedetect.data.labels import marked_anomalies
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.evaluate.metrics.at_threshold import share_interval
from aedetect.tasks.evaluate.metrics.ranking import Interval
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs


@dataclass(frozen=True)
class GateFigures:
    """What two models say of the same normal rows.

    `rows`: those that both could score; `unscorable`: the others. `labelled`: rows left out as they are
    labelled as anomalies. `both`, `only_old`, `only_new`: how many of `rows` are flagged, by whom.
    `together`: so many flagged rows are as good as one, as those of a series are flagged in stretches; 1 for
    tables.
    """

    rows: int
    unscorable: int
    labelled: int
    both: int
    only_old: int
    only_new: int
    together: float = 1.0

    @property
    def old(self) -> int:
        """Rows that the old model flags."""
        return self.both + self.only_old

    @property
    def new(self) -> int:
        """Rows that the new model flags."""
        return self.both + self.only_new

    @property
    def agreement(self) -> float:
        """The share of rows of which both say the same."""
        return 1 - (self.only_old + self.only_new) / self.rows

    def share(self, flagged: int) -> Interval:
        """A share of the rows, with its 95% interval."""
        interval = share_interval(round(flagged / self.together), max(round(self.rows / self.together), 1))
        return Interval(flagged / self.rows, interval.low, interval.high)


@dataclass(frozen=True)
class Verdicts:
    """Of all rows [rows]; `stretches`: which stretch of flagged rows each is of, 0 for none."""

    flagged: Mask
    scored: Mask
    labelled: Mask
    stretches: Integers | None


def verdicts_on(fitted: FittedModel, gate: Sequence[Input], callback: Callback) -> Verdicts:
    """Score the rows of the gate. Raises DataError or ModelError where an input cannot be used."""
    flagged, scored, labelled = ([np.empty(0, dtype=np.bool_)] for _ in range(3))
    stretches: list[Integers] = []

    def see(batch: ScoredBatch) -> None:
        flagged.append(batch.scores.flagged)
        scored.append(np.isfinite(batch.scores.scores))
        labelled.append(marked_anomalies(batch.rows, fitted.config.data))
        if batch.scores.events is not None:
            stretches.append(batch.scores.events)

    score_inputs(fitted, gate, see, callback)
    return Verdicts(
        np.concatenate(flagged),
        np.concatenate(scored),
        np.concatenate(labelled),
        np.concatenate(stretches) if stretches else None,
    )


def gate_figures(first: Verdicts, second: Verdicts, gate: Sequence[Input]) -> GateFigures:
    """What the verdicts of the old model and of the new one on the rows of the gate come to.

    Raises DataError where no row could be scored.
    """
    normal = ~first.labelled
    rows = normal & first.scored & second.scored
    if not rows.any():
        names = ", ".join(source.name for source in gate[:3])
        raise DataError(f"{names}: no row of the gate can be scored by both models")
    old_flags, new_flags = first.flagged & rows, second.flagged & rows
    return GateFigures(
        int(rows.sum()),
        int((normal & ~rows).sum()),
        int(first.labelled.sum()),
        int((old_flags & new_flags).sum()),
        int((old_flags & ~new_flags).sum()),
        int((new_flags & ~old_flags).sum()),
        max(_together(first.stretches, old_flags), _together(second.stretches, new_flags)),
    )


def _together(stretches: Integers | None, flagged: Mask) -> float:
    """How many flagged rows are as good as one: the mean length of a stretch, long ones counted more.

    By so much the variance of a count of rows exceeds that of rows by themselves (Kish, 1965).
    """
    if stretches is None or not flagged.any():
        return 1.0
    lengths = np.bincount(stretches[flagged])
    return float((lengths.astype(np.float64) ** 2).sum() / lengths.sum())
