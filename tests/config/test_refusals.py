"""Words of refusals. Which setting gets which: see tests/test_config.py."""

from __future__ import annotations

from typing import Any

import pytest

from aedetect.config.refusals import in_range, one_of


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"ge": 1}, "must be at least 1"),
        ({"gt": 0.0}, "must be above 0"),
        ({"gt": 0, "lt": 1}, "must be above 0 and below 1, such as 0.01 or 1%"),
        ({"ge": 1, "le": 16}, "must be at least 1 and at most 16"),
        ({"lt": 5}, "must be below 5"),
    ],
)
def test_bounds(bounds: dict[str, float], said: str) -> None:
    assert in_range(**bounds) == said


@pytest.mark.parametrize(
    ("value", "choices", "said"),
    [
        ("CSV", ["csv", "tsv"], "not one of csv or tsv; did you mean 'csv'?"),
        (3, ["csv", "tsv", "jsonl"], "not one of csv, tsv or jsonl"),
        (";", [".", ","], "not one of '.' or ','"),
    ],
)
def test_choices(value: object, choices: list[Any], said: str) -> None:
    assert one_of(value, choices) == said
