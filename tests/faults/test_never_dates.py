"""Dates that stand for none: missing to the network, and left as they are by what fills gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt

ROWS = 400


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%d.%m.%Y"])
def test_impute_fills_gaps_and_keeps_dates_of_never(written: str, prompt: Prompt) -> None:
    rng, at = np.random.default_rng(0), np.arange(ROWS)
    never = pd.Timestamp("2099-12-31").strftime(written)
    dates = pd.Series(pd.Timestamp("2025-01-06") + pd.to_timedelta(at // 4, unit="D")).dt.strftime(written)
    ended = dates.mask(at % 5 == 0, never).mask(at % 5 == 1)
    frame = pd.DataFrame({"ended": ended, "x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS)})
    frame.to_csv("rows.csv", index=False)
    assert prompt("train", "rows.csv", "-o", "m.aed", "--epochs", "1").exit_code == 0
    assert prompt("impute", "rows.csv", "-m", "m.aed", "-o", "filled.csv").exit_code == 0
    filled = pd.read_csv("filled.csv")["ended"]
    assert not filled.isna().any()
    assert (filled[at % 5 == 0] == never).all()
    assert (filled[at % 5 > 1] == ended[at % 5 > 1]).all()
    assert (filled[at % 5 == 1] != never).all()
