from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.profiles import profile, schema_of

from aedetect.config import Config
from aedetect.data.cells import CellRules
from aedetect.data.date_columns import bad_date, clocks_given, in_words, learned_in_words, notice_of
from aedetect.data.date_evidence import SettledDate
from aedetect.data.schema import Schema
from aedetect.data.series.timestamps import Clock
from aedetect.errors import DataError, UsageError

DAYS = range(1, 29)


def schema(columns: dict[str, Sequence[Any]], is_text: bool = True, **settings: Any) -> Schema:
    profiles = {}
    for name, values in columns.items():
        profiles[name] = profile(values, is_text=is_text, batches=2, name=name)
    return schema_of({**profiles, "other": profile([1.5, 2.5, 4.5] * 9, is_text=False)}, **settings)


def taken(values: Sequence[Any], name: str = "x", is_text: bool = True, **settings: Any) -> tuple[str, str]:
    column = schema({name: values}, is_text, **settings).columns[0]
    return column.role, column.reason


@pytest.mark.parametrize(
    ("values", "example"),
    [
        ([f"{day:02d}.01.2026" for day in DAYS], "'02.01.2026' is read as 2 January 2026 (day first)"),
        ([f"01/{day:02d}/2026" for day in DAYS], "'01/02/2026' is read as 2 January 2026 (month first)"),
        ([f"{day}-Jan-26" for day in DAYS], "'1-Jan-26' is read as 1 January 2026"),
        ([f"202601{day:02d}" for day in DAYS], "'20260101' is read as 1 January 2026"),
    ],
)
def test_dates_in_other_spellings(values: list[str], example: str) -> None:
    assert taken(values) == ("datetime", f"dates; their weekday is learned; {example}")


def test_plain_dates_are_read_as_ever() -> None:
    made = schema({"x": [f"2026-01-{day:02d}" for day in DAYS]})
    assert (made.columns[0].reason, made.dates) == ("dates; their weekday is learned", {})
    assert "dates" not in made.model_dump()


def test_how_dates_are_written_is_stored() -> None:
    made = schema({"x": [f"{day:02d}.01.2026 14:30" for day in DAYS]})
    assert made.dates == {"x": Clock(columns=("x",), kind="text", order="dmy", format="%d.%m.%Y %H:%M")}
    assert Schema.model_validate(made.model_dump()) == made


@pytest.mark.parametrize(
    ("values", "role"),
    [
        # Growing by a day a row they are times; by one, or in no order, they are not without a name for it.
        ([1_767_225_600 + 86_400 * row for row in range(30)], "datetime"),
        ([1_767_225_600 + 2 * row for row in range(30)], "numeric"),
        ([1_767_225_600 + 86_400 * (7 * row % 30) for row in range(30)], "numeric"),
        ([20_000_000 + 7 * row for row in range(30)], "numeric"),
        ([2000 + row % 20 for row in range(30)], "numeric"),
        ([202601, 202602] * 15, "numeric"),
        ([10_000 + 7 * row for row in range(30)], "numeric"),
    ],
)
def test_numbers_that_nothing_calls_a_date(values: list[int], role: str) -> None:
    assert taken(values)[0] == role
    assert taken(values, is_text=False)[0] == role


def test_a_name_is_a_hint() -> None:
    shuffled = [1_767_225_600 + 86_400 * (7 * row % 30) for row in range(30)]
    assert taken(shuffled, "created_at") == (
        "datetime",
        "dates; their weekday is learned; '1767225600' is read as 1 January 2026 00:00 UTC "
        "(seconds since 1970)",
    )
    assert taken([3 * row for row in range(30)], "time")[0] == "numeric"


@pytest.mark.parametrize(
    "values", [["1.2.10", "1.3.11", "2.0.12"] * 9, ["3:2", "1:0"] * 9, ["10.0.0.1", "10.0.0.2"] * 9]
)
def test_what_only_looks_like_dates(values: list[str]) -> None:
    assert taken(values)[0] == "categorical"


def test_another_column_settles_which_is_the_month() -> None:
    open_question = [f"{1 + row % 9:02d}/{1 + row % 7:02d}/2026" for row in range(60)]
    settled = [f"{1 + row % 28:02d}/01/2026" for row in range(60)]
    assert schema({"x": open_question}).columns[0].role == "ignored"
    assert schema({"x": open_question, "y": settled}).dates["x"].order == "dmy"


def test_the_order_of_the_rows_settles_which_is_the_month() -> None:
    assert (
        schema({"x": [f"{1 + row % 9:02d}/{1 + row // 9:02d}/2026" for row in range(60)]}).dates["x"].order
        == "dmy"
    )


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (
            ["01/02/2026", "03/04/2026", "02/01/2026"] * 9, {"roles": {"x": "datetime"}},
            "f: column 'x': '01/02/2026' may be 1 February 2026 (day first) or 2 January 2026 (month first), "
            "and no cell settles it; say which with --role x=datetime --time-format '%d/%m/%Y'",
        ),
        (
            [str(row) for row in range(30)], {"roles": {"x": "datetime"}},
            "f: column 'x': numbers from 0 to 29 cannot be read as dates; say how they are written, e.g. "
            "--time-format '%Y%m%d', epoch or excel, or leave out --role for it",
        ),
        (
            ["31.01.2026", "soon"] * 9, {"roles": {"x": "datetime"}},
            "f: row 2, column 'x': 'soon' is no date; repair it, give --na-values 'soon' if it means "
            "'missing', --time-format if dates are written so, or --role x=categorical",
        ),
    ],
)  # fmt: skip
def test_no_dates(values: list[str], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        taken(values, **settings)
    assert str(caught.value) == message


def given(time_format: str | None, role: str = "datetime") -> dict[str, Clock]:
    config = Config.build(overrides={"data.roles": {"x": role}, "series.time_format": time_format})
    return clocks_given(config.data, config.series)


def test_formats_of_the_user() -> None:
    assert given("%d.%m.%Y") == {"x": Clock(columns=("x",), kind="format", format="%d.%m.%Y")}
    assert given("excel")["x"].kind == "excel"
    assert given("epoch") == given(None) == given("%d.%m.%Y", "numeric") == {}
    with pytest.raises(UsageError) as caught:
        given("steps")
    assert str(caught.value) == "--time-format steps: steps are no dates; it goes with --time COLUMN"


def test_a_cell_that_is_not_as_the_format_says() -> None:
    rules = CellRules(dates=given("%d.%m.%Y"))
    profiles = {"x": profile(["31.01.2026"] * 20 + ["2026-01-31"], rules=rules)}
    with pytest.raises(DataError) as caught:
        schema_of(profiles, roles={"x": "datetime"})
    assert str(caught.value) == (
        "f: row 21, column 'x': '2026-01-31' is not written as --time-format '%d.%m.%Y' says; repair it, or "
        "correct the format"
    )


def test_words() -> None:
    assert learned_in_words(("day", "week", "year")) == "hour, weekday and season"
    assert learned_in_words(("week",)) == "weekday"
    clock = Clock(columns=("x",), kind="text")
    assert in_words(1_767_225_600.0 + 3661, clock) == "1 January 2026 01:01:01"
    assert (
        in_words(1_767_225_600.0, clock.model_copy(update={"order": "yq"}))
        == "the three months from January 2026"
    )
    assert in_words(1_767_225_600.0, clock.model_copy(update={"kind": "excel"})) == (
        "1 January 2026 (a day number of spreadsheets)"
    )


def test_times_of_a_zone_are_shown_in_it() -> None:
    values = [f"14/Sep/2025:06:{minute:02d}:04 +0200" for minute in range(60)]
    role, reason = taken(values, name="at")
    assert role == "ignored"
    assert reason.startswith("2025-09-14 06:00 to 2025-09-14 06:59, too short")
    assert reason.endswith("'14/Sep/2025:06:00:04 +0200' is read as 14 September 2025 06:00:04 +0200")


def test_what_is_to_be_pasted_is_one_word_for_a_shell() -> None:
    date = SettledDate(
        Clock(columns=("Posting Date",), kind="text", order="dmy"),
        "'14-09-2026' is read as 14 September 2026",
    )
    said = notice_of("Posting Date", "datetime", "dates; their weekday is learned", date)
    assert said is not None
    assert "--role 'Posting Date=categorical' if" in said
    assert "--role 'Posting Date=categorical'" in bad_date("Posting Date", "row 2 (line 3)", "x")
