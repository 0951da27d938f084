"""Columns that move on from dump to dump: said at training, and the next dump is not flagged for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt

ROWS = 1500
Made = Callable[[np.ndarray[Any, Any]], Any]


def when(at: np.ndarray[Any, Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.Timestamp("2026-01-01") + pd.to_timedelta(at * 30, unit="min"))


KINDS: dict[str, Made] = {
    "batch": lambda at: 500 + at // 40,
    "batch_code": lambda at: [f"B-{i // 40:04d}" for i in at],
    "order_lines": lambda at: 100000 + at // 3,
    "order_id": lambda at: np.where(at == 700, 10699, 10000 + at),
    "reading": lambda at: (4000 + 3.1 * at + np.random.default_rng(int(at[0])).random(len(at))).round(1),
    "customer": lambda at: np.random.default_rng(int(at[0])).integers(1, 2000 + at),
    "epoch": lambda at: 1767225600 + at * 1800,
    "yyyymmdd": lambda at: when(at).strftime("%Y%m%d"),
    "day_dotted": lambda at: when(at).strftime("%d.%m.%Y"),
    "month": lambda at: when(at).strftime("%Y-%m"),
    "mileage_noisy": lambda at: (
        5e4 + 3.1 * at + np.random.default_rng(int(at[0])).normal(0, 200, len(at))
    ).round(),
    "seen": lambda at: [f"{t.day}th of {t:%B %Y}" for t in when(at)],
    "valid_until": lambda at: np.where(at % 5 < 2, "9999-12-31", when(at).strftime("%Y-%m-%d")),
    "last_login": lambda at: np.where(at % 5 < 1, "01.01.1970 00:00", when(at).strftime("%d.%m.%Y %H:%M")),
    "week": lambda at: when(at).isocalendar().week.to_numpy(),
}


def dump(kind: str, start: int) -> pd.DataFrame:
    rng, at = np.random.default_rng(start), np.arange(start, start + ROWS)
    frame = pd.DataFrame(
        {
            "price": rng.gamma(3, 10, ROWS).round(2),
            "channel": rng.choice(["web", "shop", "phone"], ROWS),
            "weight": rng.normal(5, 1, ROWS).round(3),
        }
    )
    frame.insert(0, kind, KINDS[kind](at))
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_next_dump_is_not_flagged_for_it(kind: str, prompt: Prompt) -> None:
    dump(kind, 0).to_csv("train.csv", index=False)
    dump(kind, ROWS).to_csv("next.csv", index=False)
    learned = prompt("train", "train.csv", "-o", "m.aed", "--epochs", "2", "--json")
    assert learned.exit_code == 0, learned.stderr
    assert any(kind in warning for warning in learned.json()["warnings"])
    scored = prompt("score", "next.csv", "-m", "m.aed", "--json").json()
    assert scored["anomalies"] <= 0.02 * ROWS
    assert scored["drift"]["verdict"] != "drifted"


def test_where_it_was_learned_all_the_same_score_says_which_column_and_what_to_do(prompt: Prompt) -> None:
    dump("batch", 0).to_csv("train.csv", index=False)
    dump("batch", ROWS).to_csv("next.csv", index=False)
    assert (
        prompt("train", "train.csv", "-o", "m.aed", "--epochs", "1", "--role", "batch=numeric").exit_code == 0
    )
    scored = prompt("score", "next.csv", "-m", "m.aed", "--json").json()
    assert scored["anomalies"] > 0.5 * ROWS
    assert any(
        f"{scored['anomalies']:,} of 1,500 rows are flagged" in warning
        and warning.endswith(
            "first of all for 'batch'; if its values are new in each file by nature, as running numbers and "
            "dates are, train without it: --exclude batch"
        )
        for warning in scored["warnings"]
    )
