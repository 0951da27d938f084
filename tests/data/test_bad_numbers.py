from __future__ import annotations

import shlex

import pytest

from aedetect.data.bad_numbers import bad_numbers

LISTED = ", ".join(f"{text!r} (1 cell)" for text in "abcdefgh")
CODES = "if the column holds codes"


@pytest.mark.parametrize(
    ("column", "texts", "said"),
    [
        ("x", {"n/a?": 2},
         "'n/a?' is not a number; repair it, give --na-values 'n/a?' if it means 'missing', "
         f"or --role x=categorical {CODES}"),
        ("my x", {"\\N": 2},
         "'\\N' is not a number; repair it, give --na-values '\\N' if it means 'missing', "
         f"or --role 'my x=categorical' {CODES}"),
        ("x", {"n/a?": 2, "it's": 1, "--": 1200},
         "the first of 1,203 cells that are not numbers: '--' (1,200 cells), 'n/a?' (2 cells), "
         "\"it's\" (1 cell); repair them, give --na-values '--,n/a?,it'\"'\"'s' if they mean 'missing', "
         f"or --role x=categorical {CODES}"),
        ("x", {"a,b": 1}, f"'a,b' is not a number; repair it, or give --role x=categorical {CODES}"),
        ("x", {"k" * 60: 1},
         f"'{'k' * 25}…{'k' * 14}' is not a number; repair it, or give --role x=categorical {CODES}"),
        ("x", dict.fromkeys("abcdefghij", 1),
         f"the first of 10 cells that are not numbers: {LISTED} and 2 more; "
         f"repair them, or give --role x=categorical {CODES}"),
    ],
)  # fmt: skip
def test_what_is_said(column: str, texts: dict[str, int], said: str) -> None:
    first = next(iter(texts))
    assert bad_numbers(column, "f: row 2", first, texts) == f"f: row 2, column {column!r}: {said}"


@pytest.mark.parametrize("text", ["--", "?", "\\N", "it's", '"', "$HOME", "*", "a b", "`x`"])
def test_the_hint_can_be_pasted_into_a_shell(text: str) -> None:
    said = bad_numbers("x", "f: row 2", text, {text: 1})
    words = shlex.split(said[said.index("--na-values") : said.index(" if it means")])
    assert words == ["--na-values", text]


def test_a_row_that_repeats_the_header_is_called_so() -> None:
    assert bad_numbers("qty", "f: row 2", " qty", {"qty": 3}) == (
        "f: row 2, column 'qty': the row repeats the header, as in files put together; remove it"
    )
