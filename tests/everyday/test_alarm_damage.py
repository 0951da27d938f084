"""Damage touches the eligible rows and no others."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.alarm_damage import KINDS, damaged


@pytest.mark.parametrize("kind", KINDS)
def test_damage_stays_on_eligible_rows(kind: str) -> None:
    stamps = pd.date_range("2024-01-01", periods=1000, freq="5min")
    frame = pd.DataFrame({"timestamp": stamps, "x": np.sin(np.arange(1000.0))})
    after, rows, gross = damaged(frame, kind, np.arange(400, 800))
    assert len(after) == {"drop": 980, "dup": 1020}.get(kind, 1000)
    assert gross.sum() == (2 if kind == "gross" else 0)
    assert (after.loc[gross, "x"] == -999).all()
    outside = (rows < 400) | (rows >= 800)
    assert (after[outside].to_numpy() == frame.iloc[rows[outside]].to_numpy()).all()
    if kind != "drop" and kind != "dup":
        assert not after.equals(frame)
