"""Values and ranges as conditions, and in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.tasks.explain.segments.conditions import Condition, coded_ranges, coded_values


def test_values_that_enough_rows_have_are_conditions() -> None:
    coded = coded_values("site", pa.array(["a"] * 6 + ["b"] * 5 + ["c"] * 4 + [None] * 7))
    assert coded is not None
    texts = [coded.condition(place).text for place in range(len(coded))]
    assert texts == ["site = a", "site = b", "site is missing"]
    assert coded.totals(np.arange(22)).tolist() == [6, 5, 7]
    assert np.flatnonzero(coded.holds(1)).tolist() == [6, 7, 8, 9, 10]


@pytest.mark.parametrize("cells", [["a"] * 20, [None] * 20, [f"n{row}" for row in range(20)]])
def test_one_value_alone_and_values_of_few_rows_are_none(cells: list[Any]) -> None:
    assert coded_values("site", pa.array(cells, pa.string())) is None


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.5, 2.75, 30.0, -7.0, np.nan]) | st.floats(-1e6, 1e6), min_size=2),
    st.data(),
)
def test_a_range_in_words_holds_of_the_very_rows(values: list[float], data: st.DataObject) -> None:
    numbers = np.array(values)
    coded = coded_ranges("x", numbers, np.ones(len(numbers)))
    if coded is None:
        assert len(np.unique(numbers[~np.isnan(numbers)])) < 2
        return
    place = data.draw(st.integers(0, len(coded) - 1))
    one = coded.condition(place)
    low, high = (-np.inf if one.low is None else one.low), (np.inf if one.high is None else one.high)
    assert ((numbers >= low) & (numbers < high)).tolist() == coded.holds(place).tolist()
    rows = np.arange(len(numbers))
    assert coded.totals(rows)[place] == coded.holds(place).sum()
    assert coded.totals(rows, 0.5 * np.ones(len(rows)))[place] == pytest.approx(coded.holds(place).sum() / 2)


def test_ranges_end_where_few_digits_can_say_so() -> None:
    numbers = np.repeat([1.2345, 20.123, 381.77], 10)
    coded = coded_ranges("x", numbers, np.ones(30))
    assert coded is not None
    texts = {coded.condition(place).text for place in range(len(coded))}
    assert texts == {"x < 10", "x < 200", "10 ≤ x < 200", "x ≥ 10", "x ≥ 200"}


def test_a_range_is_cut_by_what_rows_stand_for() -> None:
    numbers = np.arange(1000.0)
    weights = np.where(numbers < 500, 1.0, 999.0)
    coded = coded_ranges("x", numbers, weights)
    assert coded is not None
    assert coded.edges is not None
    assert (coded.edges[1:] >= 500).sum() > 20


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition("amount", 54540.0), "amount = 54,540"),
        (Condition("load"), "load is missing"),
        (Condition("amount", None, True, 1200.0), "amount ≥ 1,200"),
        (Condition("amount", None, True, None, 0.5), "amount < 0.5"),
        (Condition("at", None, True, 1767571200.0, None, True), "at ≥ 2026-01-05 00:00"),
        (Condition("n" * 60, "v" * 60), f"{'n' * 20}…{'n' * 19} = {'v' * 20}…{'v' * 19}"),
    ],
    ids=["value", "missing", "from", "below", "times", "long"],
)  # fmt: skip
def test_conditions_in_words(condition: Condition, text: str) -> None:
    assert condition.text == text


def test_conditions_for_json() -> None:
    assert Condition("amount", None, True, 1200.0, 1300.5).as_dict() == {
        "column": "amount",
        "value": None,
        "missing": False,
        "from": 1200,
        "below": 1300.5,
        "text": "1,200 ≤ amount < 1,300.5",
    }
    assert Condition("load").as_dict()["missing"] is True
