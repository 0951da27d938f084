from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.profiles import profile, schema_of

from aedetect.data.time_hint import time_hint

TIMES = [f"{datetime(2026, 1, 1) + timedelta(hours=row):%Y-%m-%d %H:%M}" for row in range(120)]
DOTTED = [f"{datetime(2026, 1, 1) + timedelta(minutes=5 * row):%d.%m.%Y %H:%M}" for row in range(120)]
EACH = [name for _ in range(60) for name in ("a", "b")]
IN_TURN = ["a"] * 60 + ["b"] * 60
SIDE_BY_SIDE = [time for time in TIMES[:60] for _ in range(2)]


def hint(columns: dict[str, Sequence[Any]], numbers: bool = True, **settings: Any) -> str | None:
    profiles = {
        name: profile(values, name=name, batches=3, counting=True) for name, values in columns.items()
    }
    rows = len(next(iter(columns.values())))
    values = [f"{row * 37 % 101 + 0.5}" for row in range(rows)] if numbers else ["x", "y"] * (rows // 2)
    profiles["load"] = profile(values, name="load", counting=True)
    return time_hint(schema_of(profiles, **settings), profiles)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"at": TIMES}, "every 1 h by column 'at'; --time at learns them as time series"),
        # Too short to learn a rhythm from, but a series all the same.
        ({"at": DOTTED}, "every 5 min by column 'at'; --time at learns them as time series"),
        ({"the time": TIMES}, "every 1 h by column 'the time'; --time 'the time' learns them as time series"),
        (
            {"at": SIDE_BY_SIDE, "machine": EACH},
            "every 1 h by column 'at'; --time at --entity machine learns them as time series",
        ),
        (
            {"at": TIMES[:60] * 2, "machine": IN_TURN},
            "every 1 h by column 'at'; --time at --entity machine learns them as time series",
        ),
    ],
)
def test_rows_that_go_on_in_time(columns: dict[str, list[str]], expected: str) -> None:
    assert hint(columns) == f"the rows go on in time, {expected}"


@pytest.mark.parametrize(
    "columns",
    [
        {"at": [TIMES[row * 7 % 120] for row in range(120)]},
        {"at": SIDE_BY_SIDE},
        {"at": SIDE_BY_SIDE, "machine": ["a"] * 100 + ["b"] * 20},
        {"at": SIDE_BY_SIDE, "machine": EACH, "twin": EACH},
        {"at": [TIMES[row * row % 14_400 // 120] for row in range(120)]},
        {"at": TIMES[:30]},
        {"number": [str(3 * row) for row in range(120)]},
    ],
)
def test_rows_that_do_not(columns: dict[str, list[str]]) -> None:
    assert hint(columns) is None


def test_nothing_is_measured_or_asked() -> None:
    assert hint({"at": TIMES}, numbers=False) is None
    assert hint({"at": TIMES}, exclude="at") is None
