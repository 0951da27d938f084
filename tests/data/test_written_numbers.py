"""Numbers as people write them: what is read, what is left alone, what is asked."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data import written_numbers
from aedetect.data.written_numbers import Evidence, Undecided, Writing, decide


def seen(*texts: str) -> Evidence:
    evidence = Evidence()
    evidence.take(pa.array(list(texts) * 30))
    return evidence


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234", "799"], [1234, 799]),
        (["1,234.50", "1113"], [1234.5, 1113]),
        (["1,23,456", "7"], [123456, 7]),
        (["1 234", "5"], [1234, 5]),
        (["1\u202f234,5", "5"], [1234.5, 5]),
        (["1'234.50", "7"], [1234.5, 7]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["0,340", "1,234"], [0.34, 1.234]),
        (["1.002", "991"], [1002, 991]),
        (["1.002", "1.500"], [1.002, 1.5]),
        (["$12.50", "-$1,200.00", "3"], [12.5, -1200, 3]),
        (["12,50 €", "3 €"], [12.5, 3]),
        (["12%", "3.5%"], [12, 3.5]),
        (["(45)", "30", "7"], [-45, 30, 7]),
        (["(66.85)", "(12.40)", "(1,189.16)", "2,625.60"], [-66.85, -12.4, -1189.16, 2625.6]),
        (["(66,85 €)", "(12,40 €)", "3,00 €"], [-66.85, -12.4, 3]),
        (["1.2k", "300", "3M"], [1200, 300, 3e6]),
        (["12 KB", "3 MB"], [12e3, 3e6]),
        (["12 kWh", "3.5kWh", "2"], [12, 3.5, 2]),
        (["\u22126.6", "8.4", "-1"], [-6.6, 8.4, -1]),
        (["65.63-", "8.4"], [-65.63, 8.4]),
        (["1.065,63-", "8,4"], [-1065.63, 8.4]),
        (["$ 884.99", "$ (13.75)", "$ -"], [884.99, -13.75, 0]),
        (["2Mi", "664Ki", "512"], [2 * 2**20, 664 * 2**10, 512]),
        (["619ms", "1.20s"], [0.619, 1.2]),
        (["2 h", "5 m"], [7200, 300]),
        (["12 kg", "300 g"], [12000, 300]),
        (["12 cm", "3 mm", "1.5 m"], [0.12, 0.003, 1.5]),
        (["1,5 Mio. €", "3 Mio. €"], [1.5, 3]),
        (["-", "12.5", "\u2013", "1,200.5"], [None, 12.5, None, 1200.5]),
    ],
)
def test_what_is_read(texts: list[str], values: list[float]) -> None:
    writing = decide(seen(*texts), None, None)
    assert isinstance(writing, Writing)
    plain, factors = writing.parts(pa.array(texts))
    read = [
        None if text is None else float(text) * factor
        for text, factor in zip(plain.to_pylist(), factors.to_pylist(), strict=True)
    ]
    assert read == pytest.approx(values)


@pytest.mark.parametrize(
    "texts",
    [
        ["A12", "B4"], ["12a", "12b"], ["12%", "0.5"], ["12 kg", "300 l"], ["2 m", "5 min"],
        ["$5", "7 €", "£3"],
        ["555 123 456", "555 999 888"], ["2024-01", "2024-02"], ["1.2.3", "1.2.4"], ["10.0.0.1", "10.0.0.2"],
    ],
)  # fmt: skip
def test_what_stays_text(texts: list[str]) -> None:
    assert decide(seen(*texts), None, None) is None


def test_whole_numbers_mostly_in_parentheses_are_notes() -> None:
    assert decide(seen("(1)", "(2)", "3"), None, None) is None


def test_what_no_cell_settles_is_asked() -> None:
    undecided = decide(seen("1,234", "1113"), None, None)
    assert isinstance(undecided, Undecided)
    assert undecided.example == "1,234"
    assert undecided.in_words == "1234 (--thousands ,) or 1.234 (--decimal ,)"


@pytest.mark.parametrize(
    ("decimal", "thousands", "marks"),
    [(None, ",", (",", ".")), (",", None, (".", ",")), (".", None, (",", ".")), (None, "none", ("", ","))],
)
def test_what_is_asked_for_decides(
    decimal: str | None, thousands: str | None, marks: tuple[str, str]
) -> None:
    writing = decide(seen("1,234", "1113"), decimal, thousands)
    assert isinstance(writing, Writing)
    assert (writing.thousands, writing.decimal) == marks


def test_other_columns_decide() -> None:
    assert decide(seen("1.002", "991"), None, None, [seen("12.5", "3.25")]) == Writing()
    european = decide(seen("1,234", "799"), None, None, [seen("12,5 %", "3,25 %")])
    assert isinstance(european, Writing)
    assert european.decimal == ","


def test_numbers_are_written_back_as_they_are_read() -> None:
    writing = decide(seen("12,5%", "3%"), None, None)
    assert isinstance(writing, Writing)
    written = writing.written(pa.array(["7.25", None]))
    assert written.to_pylist() == ["7,25%", None]
    assert writing.parts(written)[0].to_pylist() == ["7.25", None]


def test_numbers_in_several_units_are_written_in_one_that_can_be_read() -> None:
    for texts in (["3.2k", "1.5M"], ["3 kg", "5 mg"], ["3 KB", "5 MB"]):
        writing = decide(seen(*texts), None, None)
        assert isinstance(writing, Writing)
        written = writing.written(pa.array(["12500"]))
        assert [part.to_pylist() for part in writing.parts(written)] == [["12500"], [1.0]]


def test_units_are_named_where_they_are_several() -> None:
    assert seen("12 °C", "55 °F").units == ["°C", "°F"]
    assert seen("12 °C", "ice", "55 °F").units == []


def test_a_cell_that_contradicts_is_not_read() -> None:
    writing = Writing(thousands=".", decimal=",")
    assert writing.parts(pa.array(["3.340", "3.34", "3,34", "1e5", "x"]))[0].to_pylist() == [
        "3340", None, "3.34", "1e5", None,
    ]  # fmt: skip


@given(st.lists(st.text("0123456789.,+-", min_size=1, max_size=9), min_size=1, max_size=6))
def test_numbers_as_programs_write_them_fall_into_the_same_parts(texts: list[str]) -> None:
    together = written_numbers._parts(pa.array(texts))
    # A text with a currency among them has all of them taken apart with every mark in mind.
    assert together.equals(written_numbers._parts(pa.array([*texts, "$1"]))[:-1])


@given(st.lists(st.from_regex(r"[+-]?[0-9.,]{1,8}", fullmatch=True), min_size=1, max_size=6))
def test_evidence_of_plain_numbers_is_what_it_is_beside_others(texts: list[str]) -> None:
    def evidence(*parts: list[str]) -> tuple[object, ...]:
        found = Evidence()
        for part in parts:
            found.take(pa.array(part))
        shapes = {shape: count for shape, count in found.shapes.items() if count}
        return shapes, found.cells, found.digits, found.long_whole, found.odd_signs, found.parentheses

    # A text that is no number counts as a cell, and as nothing else.
    shapes, cells, *others = evidence([*texts, "so"])
    assert evidence(texts) == (shapes, cells - 1, *others)  # type: ignore[operator]


def test_numbers_as_programs_write_them_need_no_classes_of_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns: list[str] = []
    for name in ("match_substring_regex", "replace_substring_regex", "extract_regex"):
        plain = getattr(pc, name)

        def noted(texts: pa.Array, pattern: str, *others: str, plain: Any = plain) -> Any:
            patterns.append(pattern)
            return plain(texts, pattern, *others)

        monkeypatch.setattr(pc, name, noted)
    found = Evidence()
    found.take(pa.array(["1.5", "-2.25", "+3.125"]))
    assert found.shapes["point"] + found.shapes["point3"] == 3
    # Each is compiled anew for each column: those with classes took most of the time of reading a wide file.
    assert patterns
    assert [pattern for pattern in patterns if "\\p" in pattern] == []
    found.take(pa.array(["$1.50"]))
    assert [pattern for pattern in patterns if "\\p" in pattern] != []


def test_nothing_but_dashes_says_nothing() -> None:
    evidence = Evidence()
    evidence.take(pa.array(["-", "?", "-"]))
    assert (evidence.cells, evidence.hopeless, sum(evidence.shapes.values())) == (0, False, 0)
