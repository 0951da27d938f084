"""Numbers in the table of columns."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.data.figures import in_full


@pytest.mark.parametrize(
    ("value", "text"),
    [(347_644.53, "347,644.53"), (9e8, "900,000,000"), (-4.9842, "-4.9842"), (0.0, "0"), (-0.0, "0")]
    + [(float(np.float32(0.1)), "0.1"), (0.1 + 0.2, "0.3"), (1e-5, "1e-05"), (1e18, "1e+18")]
    + [(1299.0, "1,299"), (0.00025, "0.00025"), (float("inf"), "inf"), (-1234567.25, "-1,234,567.25")]
    + [(1 / 3, "0.3333333"), (51.33484803, "51.33485"), (3e12 + 0.5, "3,000,000,000,000")],
)
def test_numbers_are_written_in_full(value: float, text: str) -> None:
    assert in_full(value) == text


def test_money_keeps_its_decimals() -> None:
    assert in_full(1299.0, 2) == "1,299.00"
    assert in_full(4.5, 2) == "4.50"
    assert in_full(0.125, 2) == "0.125"
