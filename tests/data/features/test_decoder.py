"""From encoded rows back to the user's columns."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.profiles import profile, schema_of

from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import MISSING, OTHER
from aedetect.data.features.datetime import encode, nearest
from aedetect.data.features.decoder import as_type, restored, restored_types
from aedetect.data.instants import DAY

ROWS = 60
START = datetime(2024, 1, 1)
TEXT: dict[str, list[Any]] = {
    "x": [f"{number / 7:.3f}" for number in range(ROWS)],
    "children": [str(number % 11) for number in range(ROWS)],
    "sure": ["Yes" if number % 3 else "No" for number in range(ROWS)],
    "kind": [["a", "b", "c"][number % 3] for number in range(ROWS)],
    "when": [str(START + timedelta(hours=7 * number)) for number in range(ROWS)],
    "unit": ["C"] * ROWS,
}


def fitted(columns: dict[str, Any], is_text: bool) -> FeatureEncoder:
    profiles = {name: profile(values, is_text=is_text) for name, values in columns.items()}
    return FeatureEncoder.fit(schema_of(profiles), profiles, max_categories=10)


ENCODER = fitted(TEXT, True)


def matrix(**changed: float) -> np.ndarray[Any, Any]:
    """An encoded row, with other values for some features."""
    row = ENCODER.transform(pa.RecordBatch.from_pydict(TEXT)).matrix[7:8].copy()
    for name, value in changed.items():
        row[0, ENCODER.owners.index(name)] = value
    return row


def test_what_was_encoded_comes_back_in_the_users_values() -> None:
    found = restored(ENCODER, ENCODER.transform(pa.RecordBatch.from_pydict(TEXT)).matrix)
    assert list(found) == list(TEXT)
    assert found["x"].to_pylist() == pytest.approx([float(cell) for cell in TEXT["x"]], abs=1e-5)
    assert found["children"].to_pylist() == [int(cell) for cell in TEXT["children"]]
    assert [found[name].to_pylist() for name in ("sure", "kind", "unit")] == [
        TEXT[name] for name in ("sure", "kind", "unit")
    ]
    instants = [str(value) for value in found["when"].to_pylist()]
    # The same hour of the same weekday; which week it was, its features do not say.
    for said, true in zip(instants, TEXT["when"], strict=True):
        apart = (datetime.fromisoformat(said) - datetime.fromisoformat(true)).total_seconds() % (7 * DAY)
        assert min(apart, 7 * DAY - apart) < 60


@given(st.floats(-100, 100, width=32))
def test_numbers_stay_whole_and_within_what_was_learned(value: float) -> None:
    found = restored(ENCODER, matrix(children=value, x=value))
    assert found["children"].type == pa.int64()
    assert 0 <= found["children"][0].as_py() <= 10
    assert 0 <= found["x"][0].as_py() <= 59 / 7 + 1e-3


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ([f"{number * 1.37:.2f}" for number in range(400)], 20.12),
        ([f"{number / 10:.1f}" for number in range(400)], 20.1),
        ([str(number / 7) for number in range(400)], 20.1234),
    ],
)
def test_made_numbers_have_the_decimals_of_their_column(cells: list[str], value: float) -> None:
    encoder = fitted({"x": cells, "kind": ["a", "b"] * 200}, True)
    row = encoder.transform(pa.RecordBatch.from_pydict({"x": ["20.1234"], "kind": ["a"]})).matrix
    assert restored(encoder, row)["x"].to_pylist() == [value]


def test_gaps_are_null_and_the_rare_become_a_known_category() -> None:
    found = restored(ENCODER, matrix(x=np.nan, kind=MISSING, when=np.nan))
    assert [found[name][0].as_py() for name in ("x", "kind", "when")] == [None, None, None]
    assert restored(ENCODER, matrix(kind=OTHER))["kind"][0].as_py() == "a"


TYPED = {
    "count": pa.array(range(ROWS), pa.int16()),
    "flag": pa.array([number % 3 == 0 for number in range(ROWS)]),
    "level": pa.array([number / 4 for number in range(ROWS)], pa.float32()),
    "took": pa.array([number % 17 for number in range(ROWS)], pa.duration("ms")),
    "day": pa.array([START.date() + timedelta(days=number) for number in range(ROWS)]),
    "at": pa.array([START + timedelta(hours=number) for number in range(ROWS)], pa.timestamp("us")),
}


def test_typed_columns_keep_their_types() -> None:
    encoder = fitted(TYPED, False)
    batch = pa.RecordBatch.from_pydict(TYPED)
    found = restored(encoder, encoder.transform(batch).matrix)
    assert {name: column.type for name, column in found.items()} == {name: TYPED[name].type for name in found}
    assert restored_types(encoder) == {name: column.type for name, column in found.items()}
    for name in ("flag", "took"):
        assert found[name].to_pylist() == TYPED[name].to_pylist()


def test_text_has_no_type_of_its_own() -> None:
    assert as_type(pa.array([1, 2]), None).to_pylist() == [1, 2]


@given(st.integers(0, 299), st.integers(0, 86_399))
def test_an_instant_of_the_span_is_found_again(day: int, second: int) -> None:
    first, last = 1.7e9, 1.7e9 + 300 * DAY
    instant = min(first + day * DAY + second, last)
    parts = encode(np.array([instant]), ("day", "week", "year"))
    assert nearest(parts, ("day", "week", "year"), first, last)[0] == pytest.approx(instant, abs=1)


FAR, SIDES = pa.array([-1e30, -5.0, None, 300.0, 1e30]), pa.array([-5, None, 300])


@pytest.mark.parametrize(
    ("type_", "far", "sides"),
    [
        (pa.int8(), [-128, -5, None, 127, 127], [-5, None, 127]),
        (pa.uint8(), [0, 0, None, 255, 255], [0, None, 255]),
        (pa.int64(), [-(2**63), -5, None, 300, 2**63 - 1024], [-5, None, 300]),
        (pa.uint64(), [0, 0, None, 300, 2**64 - 2048], [0, None, 300]),
        (pa.float32(), [pytest.approx(-1e30), -5, None, 300, pytest.approx(1e30)], [-5, None, 300]),
        (pa.decimal128(3, 1), ["-99.9", "-5.0", None, "99.9", "99.9"], ["-5.0", None, "99.9"]),
        (
            pa.decimal128(9, 2),
            ["-9999999.99", "-5.00", None, "300.00", "9999999.99"],
            ["-5.00", None, "300.00"],
        ),
        (pa.time32("s"), [time(0), time(0), None, time(0, 5), time(23, 59, 59)], [time(0), None, time(0, 5)]),
    ],
    ids=str,
)
def test_numbers_that_a_type_cannot_hold_become_the_nearest_that_it_can(
    type_: pa.DataType, far: list[Any], sides: list[Any]
) -> None:
    for values, expected in ((FAR, far), (SIDES, sides)):
        found = as_type(values, type_)
        assert found.type == type_
        told = [str(value) if isinstance(value, Decimal) else value for value in found.to_pylist()]
        assert told == expected


@pytest.mark.parametrize(("value", "type_"), [(2**53 + 1, pa.int64()), (2**64 - 1, pa.uint64())])
def test_a_constant_beyond_float64_comes_back_exactly(value: int, type_: pa.DataType) -> None:
    numbers = [number / 7 for number in range(ROWS)]
    encoder = fitted({"x": pa.array(numbers), "key": pa.array([value] * ROWS, type_)}, False)
    rows = pa.RecordBatch.from_pydict({"x": numbers, "key": pa.array([value] * ROWS, type_)})
    assert restored(encoder, encoder.transform(rows).matrix)["key"].to_pylist() == [value] * ROWS
