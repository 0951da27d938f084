from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.profiles import profile, schema_of

from aedetect.data.roles import uncounted
from aedetect.errors import DataError, UsageError

LEARNED = profile([str(number % 7) + ".5" for number in range(100)])


def role(values: Any, name: str = "x", is_text: bool = True, settings: dict[str, Any] | None = None) -> str:
    found = profile(values, is_text=is_text, counting=True)
    schema = schema_of({name: found, "other": LEARNED}, **settings or {})
    return schema.columns[0].role


def fault(values: Any, kind: type[Exception] = DataError, is_text: bool = True, **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        schema_of({"x": profile(values, is_text=is_text)}, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.5", "2", "", "3"] * 5, "numeric"),
        (["0", "1", "1"] * 5, "boolean"),
        (["yes", "no", ""] * 5, "boolean"),
        (["true", "1", "0"] * 5, "boolean"),
        (["a", "b", "c"] * 5, "categorical"),
        (["01", "02", "11"] * 5, "categorical"),
        (["A1", "01", "7"] * 5, "categorical"),
        ([f"2024-01-{day:02d}" for day in range(1, 29)], "datetime"),
        (["2024-01-01"] * 9, "ignored"),
        (["", "NA", None], "ignored"),
        (["inf", "1e300"], "ignored"),
        (["5"] * 9, "constant"),
        (["5", "5", ""] * 3, "numeric"),
        (["a"] * 9, "constant"),
        (["yes"] * 9, "constant"),
        ([f"word {number}" for number in range(200)], "text"),
        ([f"word {number}" for number in range(30)], "id"),
        ([str(number) for number in range(30)], "id"),
        ([str(number) for number in range(19)], "numeric"),
    ],
)
def test_text_columns(values: list[Any], expected: str) -> None:
    assert role(values) == expected


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            [f"${1000 * number:,}.50" for number in range(1, 200)],
            "; '$1,000.50' would be a number without its marks",
        ),
        ([f"{number} %" for number in range(30)], "; '0 %' would be a number without its marks"),
        ([f"({number}'000)" for number in range(30)], '; "(0\'000)" would be a number without its marks'),
        ([f"user {number}" for number in range(30)], ""),
        ([f"10.0.0.{number}" for number in range(30)], ""),
    ],
)
def test_text_that_would_be_numbers_is_told(values: list[str], told: str) -> None:
    schema = schema_of({"x": profile(values, is_text=True, counting=True), "other": LEARNED})
    reason = schema.columns[0].reason
    assert (
        reason.removeprefix("left out, 100% distinct text").removeprefix(
            "left out, a different text in every row"
        )
        == told
    )


@pytest.mark.parametrize(
    ("values", "decided"),
    [
        (["call back", None] * 20, ("categorical", "1 value, else missing")),
        ([f"S-{number:04d}" for number in range(240)], ("id", "left out, a different text in every row")),
        ([f"{7 * n:x} and" for n in range(200)] + [None], ("text", "left out, 100% distinct text")),
        (["a b", "a b", *(f"b {n}" for n in range(5000))], ("text", "left out, 99.9% distinct text")),
        ([f"${n:,}.50" for n in range(1, 9)] * 9, ("categorical", "8 distinct values")),
        ([0.5, 12345678.25] * 20, ("numeric", "numbers from 0.5 to 12,345,678.25")),
        ([397, 900_000_000] * 20, ("numeric", "whole numbers from 397 to 900,000,000")),
    ],
)
def test_reasons_are_right_as_they_read(values: list[Any], decided: tuple[str, str]) -> None:
    column = profile(values, is_text=isinstance(values[0], str), counting=True)
    one = schema_of({"x": column, "other": LEARNED}).columns[0]
    assert (one.role, one.reason.partition(";")[0]) == decided


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, 2.5, None] * 5, "numeric"),
        ([0, 1, 1] * 5, "boolean"),
        ([True, False, None] * 5, "boolean"),
        ([True] * 5, "constant"),
        (["1", "2", "3"] * 5, "categorical"),
        ([date(2024, 1, 1) + timedelta(days=day) for day in range(19)], "datetime"),
        ([f"2024-01-{day:02d}T00:00:00Z" for day in range(1, 29)], "datetime"),
        ([[1], [2]], "ignored"),
        ([None, None], "ignored"),
        ([timedelta(seconds=second) for second in (1, 5, 7)], "numeric"),
        (pa.array(["a", "b"] * 5).dictionary_encode(), "categorical"),
        (pa.array([True, False] * 5).dictionary_encode(), "boolean"),
    ],
)
def test_typed_columns(values: Any, expected: str) -> None:
    assert role(values, is_text=False) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", "id"), ("customer_id", "id"), ("orderId", "id"), ("Key", "id"), ("invoice no", "id"),
        ("amount", "numeric"), ("humid", "numeric"), ("grid", "numeric"), ("HUMID", "numeric"),
    ],
)  # fmt: skip
def test_distinct_whole_numbers_are_ids_by_name(name: str, expected: str) -> None:
    shuffled = np.random.default_rng(0).permutation(1000)[:50]
    assert role([str(number) for number in shuffled], name) == expected


def test_one_word_in_a_later_batch_makes_no_boolean() -> None:
    texts = [str(number % 9) for number in range(50)] + ["yes"]
    with pytest.raises(DataError, match="f: row 51, column 'x': 'yes' is not a number"):
        schema_of({"x": profile(texts, batches=51)})


def test_words_in_a_later_batch_are_counted_anew() -> None:
    found = profile(["1", ""] * 100 + [f"c{number}" for number in range(60)] * 3, batches=2)
    schema = schema_of({"x": found, "other": LEARNED})
    assert schema.columns[0].role == "categorical"
    assert uncounted({"x": found, "other": LEARNED}, schema) == {"x"}


@pytest.mark.parametrize(
    ("values", "constant", "reason"),
    [
        (["5"] * 3, "5.0", "always 5"),
        (["0.25"] * 3, "0.25", "always 0.25"),
        (["01"] * 3, "01", "always 01"),
        (["on"] * 3, "on", "always on"),
    ],
)
def test_constants(values: list[str], constant: str, reason: str) -> None:
    column = schema_of({"x": profile(values, counting=False), "other": LEARNED}).columns[0]
    assert (column.role, column.constant, column.reason) == ("constant", constant, reason)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (
            ["1"] * 30 + ["--"], {},
            "f: row 31, column 'x': '--' is not a number; repair it, give --na-values '--' if it means "
            "'missing', or --role x=categorical if the column holds codes",
        ),
        (
            ["1,5", "2,5"], {},
            "f: row 1, column 'x': '1,5' seems to have a decimal comma; give --decimal , to read it so, "
            "or --role x=categorical if it is no number",
        ),
        (
            ["2024-01-01"] * 30 + ["soon"], {},
            "f: row 31, column 'x': 'soon' is no date; repair it, give --na-values 'soon' if it means "
            "'missing', --time-format if dates are written so, or --role x=categorical",
        ),
        (["", ""], {}, "f: no column can be learned from (x: every value is missing)"),
        (["a", "b"], {"exclude": "x"}, "f: no column can be learned from (x: excluded)"),
        (
            ["a", "b"], {"roles": {"x": "datetime"}},
            "f: row 1, column 'x': 'a' is no date; repair it, give --na-values 'a' if it means 'missing', "
            "--time-format if dates are written so, or --role x=categorical",
        ),
        (["a", "b"], {"roles": {"x": "boolean"}}, "f: column 'x' cannot be read as boolean"),
        (
            ["1", "b"], {"roles": {"x": "numeric"}},
            "f: row 2, column 'x': 'b' is not a number; repair it, give --na-values 'b' if it means "
            "'missing', or --role x=categorical if the column holds codes",
        ),
    ],
)  # fmt: skip
def test_faults(values: list[str], settings: dict[str, Any], message: str) -> None:
    assert fault(values, **settings) == message


def test_column_asked_for_that_cannot_be_used() -> None:
    assert fault([[1], [2]], is_text=False, columns="x") == (
        "f: column 'x' holds list<item: int64> values, which cannot be learned"
    )


@pytest.mark.parametrize(
    ("setting", "value", "option"),
    [
        ("columns", "y", "--columns"), ("exclude", "y", "--exclude"), ("id", ["y"], "--id"),
        ("label", "y", "--label"), ("roles", {"y": "id"}, "--role"),
    ],
)  # fmt: skip
def test_unknown_names(setting: str, value: Any, option: str) -> None:
    message = f"{option}: no column named 'y' in the data; there are: x"
    assert fault(["1", "2"], UsageError, **{setting: value}) == message


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"label": "x"}, "label"),
        ({"id": ["x"]}, "id"),
        ({"exclude": "x"}, "ignored"),
        ({"columns": "other"}, "ignored"),
        ({"columns": "x"}, "numeric"),
        ({"roles": {"x": "categorical"}}, "categorical"),
        ({"roles": {"x": "ignored"}}, "ignored"),
        ({"roles": {"x": "categorical"}, "id": ["x"]}, "id"),
    ],
)
def test_settings_decide(settings: dict[str, Any], expected: str) -> None:
    assert role(["1.5", "2.5", "3"] * 5, settings=settings) == expected


def roles(**columns: list[str]) -> list[str]:
    schema = schema_of({name: profile(values, counting=True) for name, values in columns.items()})
    return [column.role for column in schema.columns]


def test_small_whole_numbers_without_other_numbers_are_codes() -> None:
    word, code, flag = ["a", "b", "c"] * 9, ["1", "2", "4"] * 9, ["0", "1", "1"] * 9
    assert roles(word=word, code=code, flag=flag) == ["categorical"] * 3
    assert roles(code=code, flag=flag) == ["categorical"] * 2
    assert roles(code=code, large=["3", "13", "7"] * 9) == ["numeric"] * 2
    wide = {f"code{number}": code for number in range(101)}
    assert set(roles(**wide)) == {"numeric"}
    assert set(roles(**wide, word=word)) == {"categorical"}
    measured = [f"{number}.5" for number in range(27)]
    assert roles(word=word, code=code, x=measured) == ["categorical", "numeric", "numeric"]
    assert roles(word=word, code=code, large=["3", "13", "7"] * 9) == ["categorical", "numeric", "numeric"]
    days = [f"2024-01-{day:02d}" for day in range(1, 28)]
    assert roles(word=word, code=code, day=days) == ["categorical", "numeric", "datetime"]


def test_a_role_set_by_hand_is_not_overruled_by_the_rest_of_the_table() -> None:
    columns = {"word": ["a", "b", "c"] * 9, "code": ["1", "2", "4"] * 9}
    profiles = {name: profile(values, counting=True) for name, values in columns.items()}
    schema = schema_of(profiles, roles={"code": "numeric"})
    assert [column.role for column in schema.columns] == ["categorical", "numeric"]


@pytest.mark.parametrize("values", [[1.5, 2.5] * 50, list(range(50)) * 2, [0, 1] * 50])
def test_the_index_of_a_pandas_table_is_never_learned(values: list[float]) -> None:
    assert role(values, "__index_level_0__", is_text=False) == "id"
    assert role(values, "x", is_text=False) != "id"


@pytest.mark.parametrize(
    ("values", "role", "reason"),
    [
        ([f"{7 * row:06d}" for row in range(90)], "id", "left out, a different text in every row"),
        ([f"S-{row:04d}" for row in range(90)], "id", "left out, a different text in every row"),
        ([f"order {row} came late" for row in range(90)], "text", "left out, 100% distinct text"),
    ],
)
def test_a_code_of_its_own_in_each_row_is_an_id(values: list[str], role: str, reason: str) -> None:
    schema = schema_of({"part": profile(values, is_text=True, counting=True), "other": LEARNED})
    assert (schema.columns[0].role, schema.columns[0].reason) == (role, reason)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([10000.47, 11975.38, 10500.0], "numbers from 10,000.47 to 11,975.38"),
        ([1 / 3, 2 / 3, 0.5], "numbers from 0.3333333 to 0.6666667"),
        ([-1234567.25, 3e12 + 0.5, 0.25], "numbers from -1,234,567.25 to 3,000,000,000,000"),
    ],
)
def test_extremes_are_those_of_the_data(values: list[float], reason: str) -> None:
    schema = schema_of({"x": profile(values * 9)})
    assert schema.columns[0].reason == reason
