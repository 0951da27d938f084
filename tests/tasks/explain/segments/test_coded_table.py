"""Columns of any kind as conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from support.segments import coded_table

from aedetect.tasks.explain.segments.search import SegmentSearch


def conditions(frame: pd.DataFrame) -> dict[str, list[str]]:
    """All conditions in words, by column."""
    table = coded_table(frame, np.zeros(len(frame)))
    texts: dict[str, list[str]] = {}
    for each in table.columns:
        texts.setdefault(each.column, []).extend(each.condition(place).text for place in range(len(each)))
    return texts


def test_ids_that_are_numbers_have_values_and_ranges() -> None:
    texts = conditions(pd.DataFrame({"store": ["3", "12", "20"] * 10}))["store"]
    assert texts[:3] == ["store = 3", "store = 12", "store = 20"]
    assert set(texts[3:]) == {"store < 8", "store < 20", "8 ≤ store < 20", "store ≥ 8", "store ≥ 20"}


def test_instants_have_ranges_weekdays_and_hours() -> None:
    at = pd.date_range("2026-01-05", periods=1000, freq="37min")
    texts = conditions(pd.DataFrame({"at": at}))
    assert list(texts) == ["at", "weekday of at", "hour of at"]
    assert all("2026-0" in text for text in texts["at"])
    assert sorted(texts["weekday of at"])[0] == "weekday of at = Friday"
    assert "hour of at < 1" in texts["hour of at"]


def test_a_day_tells_nothing_of_weekdays() -> None:
    at = pd.date_range("2026-01-05", periods=100, freq="10min")
    assert list(conditions(pd.DataFrame({"at": at}))) == ["at"]


def test_dates_in_a_column_that_was_not_learned_are_found() -> None:
    at = pd.date_range("2026-01-05", periods=400, freq="2h").strftime("%Y-%m-%d %H:%M")
    assert list(conditions(pd.DataFrame({"at": at}))) == ["at", "weekday of at", "hour of at"]


def test_a_segment_in_time_is_said_in_round_times() -> None:
    at = pd.Series(pd.date_range("2026-01-05", periods=2000, freq="17min"))
    flagged = (at >= "2026-01-20") & (at < "2026-01-22")
    (one,) = SegmentSearch(coded_table(pd.DataFrame({"at": at}), flagged)).segments()
    (condition,) = one.conditions
    assert condition.text.startswith("2026-01-")
    assert one.rows[flagged].mean() > 0.9
    assert flagged[one.rows].mean() > 0.6


def test_columns_that_say_nothing_are_left_out_with_the_reason() -> None:
    frame = pd.DataFrame(
        {"no": [f"n{row}" for row in range(20)], "unit": ["C"] * 20, "gone": np.full(20, np.nan)}
    )
    table = coded_table(frame, np.zeros(20))
    assert table.columns == []
    assert table.left_out == {"no": "no value in 5 rows", "unit": "one value alone", "gone": "holds nothing"}
