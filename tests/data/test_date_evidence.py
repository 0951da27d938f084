from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.date_evidence import DateEvidence, names_date, names_time


def evidence(values: Sequence[object], column: str = "x", batches: int = 1, **rules: object) -> DateEvidence:
    seen = DateEvidence(column)
    size = -(-len(values) // batches)
    for start in range(0, len(values), size):
        part = pa.array(values[start : start + size])
        seen.take(part, CellRules(**rules), lambda index, start=start: f"row {start + index + 1}")  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("created_at", True), ("createdAt", True), ("deadline", True),
        ("timestampMs", True), ("ts", True), ("event time", True),
        ("unixtime", True), ("day_dotted", True), ("Datum", True), ("order_date", True), ("epoch", True),
        ("price", False), ("rate", False), ("status", False), ("station", False), ("timeout", False),
        ("daylight", False), ("x", False),
    ],
)  # fmt: skip
def test_names_of_time(column: str, expected: bool) -> None:
    assert names_time(column) is expected


def test_names_of_dates() -> None:
    assert [names_date(name) for name in ("orderDate", "day", "time", "ts")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("values", "orders"),
    [
        (["05.01.2026", "06.01.2026"], ["dmy", "mdy"]),
        (["05.01.2026", "31.01.2026", "31.01.2026"] * 20, ["dmy"]),
        (["2026/01/05"], ["ymd"]),
        (["5 Jan 2026"], ["dby"]),
        (["14:30:00", "7:05"], ["clock"]),
        (["a", "b"], []),
        (["1.5", "2.5"], []),
    ],
)
def test_the_ways_text_may_be_dates(values: list[str], orders: list[str]) -> None:
    readings = evidence(values, batches=2).readings
    assert readings is not None
    assert [reading.clock.order for reading in readings] == orders


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ([20260105, 20260131], ["digits"]),
        ([202601, 202602], ["digits"]),
        ([1767225600, 1767229200], ["number"]),
        ([1767225600000], ["number"]),
        ([46000, 46001], ["excel"]),
        ([1, 2, 3], []),
        ([20260105, 20261305], ["digits"]),
    ],
)
def test_the_ways_numbers_may_be_dates(values: list[int], kinds: list[str]) -> None:
    for cells in (values, [str(value) for value in values]):
        readings = evidence(cells).readings
        assert readings is not None
        assert [reading.clock.kind for reading in readings] == kinds


def test_the_first_cell_that_is_no_date_is_remembered() -> None:
    readings = evidence(["31.01.2026"] * 30 + ["", "soon", "31.02.2026"], batches=3).readings
    assert readings is not None
    assert (readings[0].bad, readings[0].first_bad) == (2, ("row 32", "soon"))


def test_a_telling_example() -> None:
    readings = evidence(["03.03.2026", "04.03.2026", "05.03.2026"]).readings
    assert readings is not None
    assert readings[0].example == ("04.03.2026", 1_772_582_400.0)


def test_missing_cells_are_passed_over() -> None:
    seen = evidence(["?", "31.01.2026", None, ""], na_values=("?",))
    assert seen.readings is not None
    assert (seen.filled, seen.distinct, seen.readings[0].bad) == (1, 1, 0)


def test_nothing_seen() -> None:
    assert evidence(["", None]).readings is None
