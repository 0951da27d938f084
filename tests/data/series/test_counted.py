"""The median of many numbers is theirs, however they are added."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.series import counted
from aedetect.data.series.counted import Counted

PARTS = st.lists(st.lists(st.integers(-5, 5) | st.floats(-1e6, 1e6), max_size=20), max_size=10)


@pytest.mark.parametrize("least", [1, 100_000])
@given(parts=PARTS)
def test_it_is_the_median_of_all(least: int, parts: list[list[float]]) -> None:
    numbers, everything = Counted(), [number for part in parts for number in part]
    before, counted._LEAST = counted._LEAST, least
    try:
        for part in parts:
            numbers.add(np.array(part, dtype=np.float64))
    finally:
        counted._LEAST = before
    assert len(numbers) == len(everything)
    if everything:
        assert numbers.median() == np.median(everything)
