"""Which of the recent rows are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from support.tables import tiny_frame

import aedetect
from aedetect.engine.callbacks import Callback
from aedetect.io.inputs import as_inputs
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import FlaggedRows, Kind, Reason, Suppression
from aedetect.tasks.refresh.recent import recent_rows


@dataclass(frozen=True)
class Everything:
    """Mutes all rows that are flagged."""

    kind: Kind

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        return [Reason(self.kind, "all", "all is fine")] * len(flagged)


@pytest.fixture
def fitted(tiny_model: Path) -> FittedModel:
    return aedetect.load(tiny_model, device="cpu").fitted


def frame(odd: int, seed: int = 5) -> pd.DataFrame:
    """Rows that are all alike, the first `odd` of them aside."""
    load = [900.0] * odd + [40.0] * (100 - odd)
    return tiny_frame(100, seed).assign(temp=20.0, load=load)


def read(inputs: Sequence[Input]) -> list[float]:
    return [
        value
        for source in inputs
        for batch in source.open(7).batches()
        for value in batch.column("load").to_pylist()
    ]


@pytest.mark.parametrize(
    ("kind", "learned", "flagged", "away"),
    [(None, 95, 5, 0), ("feedback", 100, 0, 0), ("rule", 100, 0, 0), ("calendar", 95, 0, 5)],
)
def test_flagged_rows_and_those_of_a_calendar_are_left_out(
    fitted: FittedModel, kind: Kind | None, learned: int, flagged: int, away: int
) -> None:
    suppression = Suppression([Everything(kind)]) if kind else None
    recent = recent_rows(fitted, as_inputs(frame(5), fitted.config.data), suppression, Callback())
    assert (recent.rows, recent.flagged_rows, recent.by_calendar) == (100, flagged, away)
    assert len(read(recent.learned)) == learned
    assert read(recent.flagged) == [900.0] * flagged


def test_inputs_of_which_nothing_is_left_are_left_out(fitted: FittedModel) -> None:
    inputs = as_inputs([frame(100), frame(0)], fitted.config.data)
    recent = recent_rows(fitted, inputs, None, Callback())
    assert (len(recent.learned), len(recent.flagged), recent.flagged_rows) == (1, 1, 100)
    assert set(read(recent.learned)) == {40.0}
