"""Which name was meant; which columns a list or a pattern names."""

from __future__ import annotations

import pytest

from aedetect.config.names import closest, matching, no_column, rejoined, split_names, unmatched

COLUMNS = ["temp_in", "temp_out", "Load", "Amount, EUR", "b", "x*", "a", "a,b"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Temp_In", "temp_in"),
        ("temp in", "temp_in"),
        ("TEMP-OUT", "temp_out"),
        ("tmp_in", "temp_in"),
        ("laod", "Load"),
        ("amount, eur", "Amount, EUR"),
        ("Amount EUR", "Amount, EUR"),
        ("\ufeffLoad", "Load"),
        ("pressure", None),
        ("", None),
    ],
)
def test_the_name_that_was_probably_meant(typed: str, meant: str | None) -> None:
    assert closest(typed, COLUMNS) == meant


def test_short_words_that_merely_rhyme_are_not_meant() -> None:
    assert closest("gpu", ["auto", "cpu", "cuda"]) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a, b,", ["a", "b"]),
        ('"Amount, EUR",b', ["Amount, EUR", "b"]),
        ('b, "Amount, EUR"', ["b", "Amount, EUR"]),
        ('5" pipe,b', ['5" pipe', "b"]),
        ("", []),
        (" , ", []),
    ],
)
def test_lists_are_split_at_commas_outside_quotes(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("b", ["b"]),
        ("b,Load", ["b", "Load"]),
        ("Amount, EUR", ["Amount, EUR"]),
        ("Amount, EUR,b", ["Amount, EUR", "b"]),
        ("b,Amount, EUR", ["b", "Amount, EUR"]),
        ('"Amount, EUR",b', ["Amount, EUR", "b"]),
        ("a,b", ["a,b"]),
        ("a,b,Load", ["a", "b", "Load"]),
        ("temp*", ["temp_in", "temp_out"]),
        ("temp*,b", ["temp_in", "temp_out", "b"]),
        ("*,b", COLUMNS),
        ("x*", ["x*"]),
        ("temp_??", ["temp_in"]),
        ("TEMP*", None),
        ("load", None),
        ("b,nope", None),
        ("", None),
    ],
)
def test_columns_that_a_word_names(text: str, names: list[str] | None) -> None:
    assert matching(text, COLUMNS) == names


def test_the_part_to_blame() -> None:
    assert unmatched("b,nope,Load", COLUMNS) == "nope"
    assert unmatched("nope", COLUMNS) == "nope"


def test_a_name_that_was_split_is_joined_again() -> None:
    assert rejoined(["b", "Amount", "EUR", "temp*"], COLUMNS) == ["b", "Amount, EUR", "temp*"]
    assert rejoined(["Amount", "nope"], COLUMNS) == ["Amount", "nope"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("load", "no column named 'load' in the data; did you mean 'Load'? There are: "),
        ("pressure", "no column named 'pressure' in the data; there are: "),
        ("TEMP*", "no column in the data matches 'TEMP*'; did you mean 'temp_in'? There are: "),
        ("Laod*", "no column in the data matches 'Laod*'; did you mean 'Load'? There are: "),
        ("pressure*", "no column in the data matches 'pressure*'; there are: "),
    ],
)
def test_what_is_said_of_a_column_that_is_not_there(name: str, said: str) -> None:
    there = 'temp_in, temp_out, Load, "Amount, EUR", b, x*, a, "a,b"'
    assert no_column("--id", name, COLUMNS) == f"--id: {said}{there}"


def test_of_many_columns_some_are_listed() -> None:
    columns = [f"c{number:02}" for number in range(30)]
    assert no_column("--id", "x", columns).endswith(", c18, c19, …")
