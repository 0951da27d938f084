"""Which steps of a series are off themselves, rather than beside others that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.data.series.order import runs

# All windows that contain a step that is off score higher than such a share of normal steps' least ones.
_CLEAR, _NEAR = 0.99, 0.95
# And that by at least this share of what those of some step nearby do, or the step's own on average.
_BESIDE = 0.2
# Steps beside a stretch of them that do so less clearly are of it, up to such a share of its length.
_EDGE = 0.25


@dataclass(frozen=True)
class StepScores:
    """What one scale says of steps [steps].

    `score`: over the windows that contain it; `least`: the least of these; `around`: the largest of those
    within a window.
    """

    score: Floats
    least: Floats
    around: Floats

    def part(self, which: slice | Mask) -> StepScores:
        """Some of the steps."""
        return StepScores(self.score[which], self.least[which], self.around[which])

    def without(self, which: Mask) -> StepScores:
        """With some of the steps unknown."""
        parts = (self.score, self.least, self.around)
        return StepScores(*(np.where(which, np.nan, part) for part in parts))


@dataclass(frozen=True)
class Locality:
    """What the least window of a step that is off itself exceeds: `clear`, or `near` beside others."""

    clear: float
    near: float

    @classmethod
    def of(cls, held_out: Sequence[StepScores]) -> Locality:
        """From spans of normal steps, without NaN."""
        least = np.concatenate([part.least for part in held_out])
        return cls(*np.quantile(least, [_CLEAR, _NEAR]).tolist())

    def marks(self, scores: StepScores) -> Mask:
        """Which steps [steps] are off themselves; those that are unknown are not."""
        with np.errstate(invalid="ignore"):
            clear, near = (_off(scores, limit) for limit in (self.clear, self.near))
        for first, last in runs(clear).tolist():
            reach = int(_EDGE * (last - first))
            before, after = near[max(first - reach, 0) : first][::-1], near[last : last + reach]
            clear[first - _run(before) : last + _run(after)] = True
        return clear


def _off(scores: StepScores, limit: float) -> Mask:
    higher, strangest = scores.least - limit, np.fmax(scores.around, scores.score)
    return np.asarray((higher > 0) & (higher >= _BESIDE * (strangest - limit)))


def _run(marks: Mask) -> int:
    """How many of the first steps [steps] are marked without a break."""
    return len(marks) if marks.all() else int(marks.argmin())
