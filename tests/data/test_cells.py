from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data import cells
from aedetect.data.cells import CellRules

PLAIN = CellRules()
NAN = float("nan")


def read_one(kind: Any, value: Any, type_: pa.DataType | None = None, rules: CellRules = PLAIN) -> tuple:
    read = kind(pa.array([value], type_), rules)
    return float(read.values[0]), bool(read.missing[0]), bool(read.bad[0])


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("1", 1.0), (" 2.5 ", 2.5), ("+3", 3.0), ("-.5", -0.5), ("4.", 4.0), ("1e3", 1000.0),
            ("1e400", np.inf), ("-1E400", -np.inf), ("inf", np.inf), ("-INF", -np.inf), ("Infinity", np.inf),
        ],
    )  # fmt: skip
    def test_text(self, text: str, number: float) -> None:
        assert read_one(cells.numbers, text) == (number, False, False)

    @pytest.mark.parametrize("text", [*PLAIN.missing_values, " ", "?"])
    def test_missing(self, text: str) -> None:
        values, missing, bad = read_one(cells.numbers, text, rules=CellRules(na_values=("?",)))
        assert np.isnan(values)
        assert (missing, bad) == (True, False)

    @pytest.mark.parametrize("text", ["x", "1,5", "0x1A", "1_000", "--", "1e", "nan(1)", "٣", "1 2"])
    def test_bad(self, text: str) -> None:
        values, missing, bad = read_one(cells.numbers, text)
        assert np.isnan(values)
        assert (missing, bad) == (False, True)

    @pytest.mark.parametrize("text", ["#N/A N/A", "#NA", "1.#QNAN", "-1.#IND"])
    def test_models_of_0_1_0_read_as_they_did(self, text: str) -> None:
        assert read_one(cells.numbers, text, rules=CellRules(na_rule="0.1.0"))[1:] == (False, True)

    @pytest.mark.parametrize(
        ("value", "type_"),
        [("-999", None), ("-999.0", None), (" -9.99e2", None), (-999, pa.int16()), (-999.0, pa.float32())],
    )
    def test_numbers_that_mean_missing_do_so_however_spelled_or_stored(self, value: Any, type_: Any) -> None:
        rules = CellRules(na_values=("-999", "n.d."))
        assert read_one(cells.numbers, value, type_, rules)[1:] == (True, False)
        assert read_one(cells.numbers, "-998", None, rules) == (-998.0, False, False)
        old = CellRules(na_values=("-999", "n.d."), na_rule="0.1.0")
        assert read_one(cells.numbers, value, type_, old)[1] is (value == "-999")

    def test_a_number_that_means_missing_is_no_boolean(self) -> None:
        assert read_one(cells.booleans, False, pa.bool_(), CellRules(na_values=("0",))) == (0.0, False, False)

    def test_decimal_comma(self) -> None:
        assert read_one(cells.numbers, "-1,5", rules=CellRules(decimal=",")) == (-1.5, False, False)

    @pytest.mark.parametrize(
        ("value", "type_", "number"),
        [
            (True, pa.bool_(), 1.0),
            (Decimal("1.25"), pa.decimal128(5, 2), 1.25),
            (2**63, pa.uint64(), 2.0**63),
            (np.float16(0.5), pa.float16(), 0.5),
            (timedelta(milliseconds=1500), pa.duration("ms"), 1.5),
            (time(1, 0, 1), pa.time32("s"), 3601.0),
            (time(0, 0, 1, 500_000), pa.time64("us"), 1.5),
            ("7", pa.large_string(), 7.0),
            ("7", pa.dictionary(pa.int8(), pa.string()), 7.0),
        ],
    )
    def test_types(self, value: Any, type_: pa.DataType, number: float) -> None:
        assert read_one(cells.numbers, value, type_) == (number, False, False)

    @pytest.mark.parametrize("type_", [pa.int64(), pa.float64(), pa.null(), pa.time64("ns"), pa.string()])
    def test_null_is_missing(self, type_: pa.DataType) -> None:
        assert read_one(cells.numbers, None, type_)[1:] == (True, False)

    def test_dates_are_no_numbers(self) -> None:
        assert read_one(cells.numbers, date(2024, 1, 1))[1:] == (False, True)

    @given(st.lists(st.none() | st.text(max_size=12)))
    def test_every_text_is_a_number_or_missing_or_bad(self, texts: list[str | None]) -> None:
        read = cells.numbers(pa.array(texts, pa.string()), PLAIN)
        assert np.array_equal(np.isnan(read.values), read.missing | read.bad)
        assert not (read.missing & read.bad).any()

    @given(
        st.sampled_from(["1", "NAN", "nan", "-INF", "+inf", "nan(x)", "1.", "NA", "", "1e400", "0x1", " 5 "]),
        st.sampled_from(["1", "x", "", "NAN", "-INF"]),
    )
    def test_a_cell_reads_alike_whatever_stands_beside_it(self, text: str, beside: str) -> None:
        alone = read_one(cells.numbers, text)
        both = cells.numbers(pa.array([text, beside]), PLAIN)
        np.testing.assert_equal((both.values[0], both.missing[0], both.bad[0]), alone)

    @given(st.floats(allow_nan=False))
    def test_text_of_a_float_reads_as_that_float(self, number: float) -> None:
        assert read_one(cells.numbers, repr(number)) == (number, False, False)


class TestBooleans:
    @pytest.mark.parametrize("word", [*cells.TRUE_TOKENS, "TRUE", " Yes "])
    def test_true(self, word: str) -> None:
        assert read_one(cells.booleans, word) == (1.0, False, False)

    @pytest.mark.parametrize("word", [*cells.FALSE_TOKENS, "False", "N"])
    def test_false(self, word: str) -> None:
        assert read_one(cells.booleans, word) == (0.0, False, False)

    @pytest.mark.parametrize(
        ("value", "bad"), [("maybe", True), ("2", True), (2, True), (1, False), ("", False)]
    )
    def test_bad(self, value: Any, bad: bool) -> None:
        assert read_one(cells.booleans, value)[2] is bad


class TestDatetimes:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("1970-01-02", 86400.0),
            ("1970-01-01T00:00:01", 1.0),
            ("1970-01-01 00:00:01.5", 1.5),
            ("1970-01-01T00:00:00.123456789", 0.123456),
            ("1970-01-01T01:00:00+01:00", 0.0),
            ("1970-01-01T00:00:01Z", 1.0),
            ("1969-12-31", -86400.0),
        ],
    )
    def test_text(self, text: str, seconds: float) -> None:
        assert read_one(cells.datetimes, text) == (seconds, False, False)

    @pytest.mark.parametrize("text", ["01/02/2024", "2024-13-01", "2023-02-29", "soon", "20240101", "5"])
    def test_bad(self, text: str) -> None:
        assert read_one(cells.datetimes, text)[1:] == (False, True)

    def test_one_bad_among_many(self) -> None:
        texts = ["2024-01-01"] * 50 + ["2024-02-31"] + ["2024-01-01"] * 50
        assert np.flatnonzero(cells.datetimes(pa.array(texts), PLAIN).bad).tolist() == [50]

    @pytest.mark.parametrize(
        "type_", [pa.timestamp("s"), pa.timestamp("ns", "Europe/Berlin"), pa.date32(), pa.date64()]
    )
    def test_types(self, type_: pa.DataType) -> None:
        value = datetime(1970, 1, 3) if pa.types.is_timestamp(type_) else date(1970, 1, 3)
        array = pa.array([value, None]).cast(pa.timestamp("us")).cast(
            pa.timestamp("us") if pa.types.is_timestamp(type_) else pa.date32()
        )  # fmt: skip
        read = cells.datetimes(array.cast(type_), PLAIN)
        np.testing.assert_equal(read.values, [2 * 86400.0, NAN])
        assert read.missing.tolist() == [False, True]

    def test_numbers_are_no_dates(self) -> None:
        assert read_one(cells.datetimes, 5)[2] is True


class TestCategories:
    @pytest.mark.parametrize("array", [pa.array([1, 2]), pa.array([1.0, 2.0]), pa.array(["1", " 2 "])])
    def test_whole_numbers_read_alike(self, array: pa.Array) -> None:
        assert cells.categories(array, PLAIN).to_pylist() == ["1", "2"]

    def test_integers_beyond_2_to_53_keep_all_digits(self) -> None:
        array = pa.array([2**53 + 1, None])
        assert cells.categories(array, PLAIN).to_pylist() == [str(2**53 + 1), None]

    @pytest.mark.parametrize("text", [*cells.NA_TEXTS, " ", "?"])
    def test_missing(self, text: str) -> None:
        names = cells.categories(pa.array([text, "x"]), CellRules(na_values=("?",)))
        assert names.to_pylist() == [None, "x"]

    @pytest.mark.parametrize("text", ["NAN", "none", "NIL", "na"])
    def test_what_pandas_takes_for_a_name_is_one(self, text: str) -> None:
        assert cells.categories(pa.array([text]), PLAIN).to_pylist() == [text]

    def test_na_is_a_name_for_models_of_0_1_0(self) -> None:
        names = cells.categories(
            pa.array(["NA", "", None, "?"]), CellRules(na_values=("?",), na_rule="0.1.0")
        )
        assert names.to_pylist() == ["NA", None, None, None]

    @pytest.mark.parametrize("array", [pa.array([-9, 1]), pa.array([-9.0, 1.0]), pa.array(["-9", "1"])])
    def test_na_values_mean_missing_however_stored(self, array: pa.Array) -> None:
        assert cells.categories(array, CellRules(na_values=("-9",))).to_pylist() == [None, "1"]

    def test_codes_keep_their_zeros(self) -> None:
        assert cells.categories(pa.array(["01", "A1"]), PLAIN).to_pylist() == ["01", "A1"]

    def test_floats(self) -> None:
        assert cells.categories(pa.array([0.5, NAN, None]), PLAIN).to_pylist() == ["0.5", None, None]

    @pytest.mark.parametrize(
        "value", [True, date(2024, 1, 1), time(1), timedelta(1), Decimal("1.5"), datetime(2024, 1, 1)]
    )
    def test_every_readable_type_has_names(self, value: Any) -> None:
        assert cells.categories(pa.array([value, None]), PLAIN).null_count == 1


@pytest.mark.parametrize(
    ("type_", "readable"),
    [
        (pa.int8(), True), (pa.string_view(), True), (pa.dictionary(pa.int8(), pa.string()), True),
        (pa.null(), True), (pa.bool_(), True), (pa.duration("s"), True), (pa.binary(), False),
        (pa.list_(pa.int8()), False), (pa.struct([]), False), (pa.binary(4), False),
        (pa.month_day_nano_interval(), False), (pa.dictionary(pa.int8(), pa.binary()), False),
    ],
)  # fmt: skip
def test_readable_types(type_: pa.DataType, readable: bool) -> None:
    assert cells.is_readable(type_) is readable


@pytest.mark.parametrize(
    ("texts", "share"), [(["1,5", "2.5"], 0.5), (["1,5", "", "NA"], 1.0), ([], 0.0), (["a,b"], 0)]
)
def test_decimal_comma_share(texts: list[str], share: float) -> None:
    assert cells.decimal_comma_share(pa.array(texts, pa.string())) == share


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["-999", "-999.0", " -999.00 ", "-9.99e2", "5"]),
        pa.array([-999.0, -999.0, -999.0, -999.0, 5.0]),
        pa.array([-999, -999, -999, -999, 5]),
        pa.array(["-999", "-999.0", "-999.00", "-9.99e2", "5"]).dictionary_encode(),
    ],
)
def test_numbers_that_mean_missing_do_so_however_they_are_spelled(array: pa.Array) -> None:
    rules = CellRules(na_values=("-999",))
    missing = [True, True, True, True, False]
    assert cells.numbers(array, rules).missing.tolist() == missing
    assert cells.booleans(array, rules).missing.tolist() == missing
    assert cells.empty(array, rules).tolist() == missing
    assert cells.categories(array, rules).is_null().to_pylist() == missing
    if cells.is_text(cells.plain(array).type):
        assert cells.datetimes(array, rules).missing.tolist() == missing
    older = CellRules(na_values=("-999",), na_rule="0.1.0")
    assert cells.categories(array, older).to_pylist()[-1] == "5"


def test_texts_that_mean_missing_are_no_numbers() -> None:
    rules = CellRules(na_values=("n.d.",))
    assert cells.categories(pa.array(["n.d.", "0", "-1"]), rules).to_pylist() == [None, "0", "-1"]


def test_numbers_that_mean_missing_have_the_decimal_mark_of_the_others() -> None:
    rules = CellRules(decimal=",", na_values=("-99,9",))
    assert cells.empty(pa.array(["-99,90", "-99,9", "1,5"]), rules).tolist() == [True, True, False]
