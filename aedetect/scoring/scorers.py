"""Which scorer a fitted model has: the one place that asks whether it is of series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aedetect.io.source import Input
from aedetect.scoring.base import Scorer
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import Suppression
from aedetect.scoring.table import TableScorer

if TYPE_CHECKING:
    from aedetect.scoring.series import SeriesSession


def scorer_of(fitted: FittedModel) -> Scorer:
    """The scorer of a model of tables or of time series."""
    if fitted.series is None:
        return TableScorer(fitted)
    # A good part of the package, which tables need nothing of.
    from aedetect.scoring.series import SeriesScorer

    return SeriesScorer(fitted)


def series_session(
    fitted: FittedModel, inputs: Sequence[Input], suppression: Suppression | None = None
) -> SeriesSession | None:
    """For those who tell of events: a session that holds on to what it read; None for a model of tables."""
    if fitted.series is None:
        return None
    from aedetect.scoring.series import SeriesScorer

    return SeriesScorer(fitted).open(inputs, suppression=suppression, keep=True)
