from __future__ import annotations

import pytest

from aedetect.data.renamed import renamed, what_to_do


@pytest.mark.parametrize(
    ("lacking", "unknown", "pairs"),
    [
        (["price", "amount"], ["price_eur", "Amount"], {"price": "price_eur", "amount": "Amount"}),
        (["a"], ["zzz"], {"a": "zzz"}),
        (["a"], ["zzz", "yyy"], {}),
        (["temp"], ["temperature", "load"], {"temp": "temperature"}),
        (["order date"], ["orderDate", "OrderDay"], {"order date": "orderDate"}),
        (["qty", "weight"], ["quantity", "wieght"], {"weight": "wieght"}),
        (["x1", "x2"], ["X2", "X1"], {"x1": "X1", "x2": "X2"}),
        ([], ["a"], {}),
    ],
)
def test_which_is_likely_which(lacking: list[str], unknown: list[str], pairs: dict[str, str]) -> None:
    assert renamed(lacking, unknown) == pairs


def test_what_is_said() -> None:
    assert what_to_do(["a"], []) == "score a file with the same columns, or retrain"
    assert what_to_do(["amount", "zip"], list("ABCDEFG")) == (
        "the file has columns 'A', 'B', 'C', 'D', 'E' and 2 more, which the model does not know; "
        "score a file with the same columns, or retrain"
    )
    assert what_to_do(["amount", "zip"], ["Amount"]) == (
        "the file has 'Amount', which the model does not know: is that 'amount'? rename it, or retrain"
    )


def test_of_a_file_without_header() -> None:
    assert what_to_do(["amount", "zip"], ["column_1", "column_2"]) == (
        "the file was read without a header, and the model knows its columns by name: write one above it"
    )
