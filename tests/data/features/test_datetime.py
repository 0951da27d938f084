from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.features.datetime import decode, encode
from aedetect.data.instants import PERIODS


def seconds(*texts: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in texts])


def test_one_cycle_later_is_the_same_place() -> None:
    for name, period in PERIODS.items():
        start = encode(np.array([1.0e9]), (name,))
        np.testing.assert_allclose(encode(np.array([1.0e9 + 3 * period]), (name,)), start, atol=1e-6)


@given(st.floats(-1e10, 1e10))
def test_places_lie_on_a_circle_of_unit_spread(when: float) -> None:
    parts = encode(np.array([when]), ("day", "week", "year"))
    assert parts.shape == (1, 6)
    np.testing.assert_allclose((parts.reshape(3, 2) ** 2).sum(axis=1), 2.0)


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("2024-01-02T14:30:00", ("day",), "14:30"),
        ("2024-01-02T14:30:00", ("day", "week"), "Tue 14:30"),
        ("1969-12-28T23:59:00", ("day", "week"), "Sun 23:59"),
        ("2024-03-04T00:00:00", ("day", "week"), "Mon 00:00"),
        ("1971-01-02T12:00:00", ("day", "week", "year"), "Sat 12:00, about 2 Jan"),
    ],
)
def test_decode_says_when(text: str, names: tuple, words: str) -> None:
    assert decode(encode(seconds(text), names), names) == [words]


def test_missing() -> None:
    assert decode(encode(np.array([np.nan]), ("day",)), ("day",)) == [None]
