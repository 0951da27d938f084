from __future__ import annotations

import numpy as np
import pytest

from aedetect.scoring.base import Scores
from aedetect.tasks.blame_warning import BlameWarning


def scores(flagged: list[bool], leading: list[int]) -> Scores:
    shares = np.eye(3, dtype=np.float32)[np.array(leading, dtype=np.int64)]
    unknown = np.full(len(flagged), np.nan)
    none = np.zeros(len(flagged), dtype=np.bool_)
    return Scores(unknown, unknown, np.array(flagged, dtype=np.bool_), none, shares, None, none)  # type: ignore[arg-type]


def said(flagged: list[bool], leading: list[int]) -> list[str]:
    warning = BlameWarning(["a", "batch no", "c"], 0.01)
    half = len(flagged) // 2
    warning.see(scores(flagged[:half], leading[:half]))
    warning.see(scores(flagged[half:], leading[half:]))
    return warning.conclude("next.csv", len(flagged))


def test_a_column_that_flags_most_of_a_file_is_named_with_the_remedy() -> None:
    assert said([True] * 90 + [False] * 10, [1] * 80 + [2] * 20) == [
        "next.csv: 90 of 100 rows are flagged, 80 of them first of all for 'batch no'; if its values are new "
        "in each file by nature, as running numbers and dates are, train without it: --exclude 'batch no'"
    ]


@pytest.mark.parametrize(
    ("flagged", "leading"),
    [
        ([True] * 9 + [False] * 91, [1] * 100),
        ([True] * 19 + [False] * 1, [1] * 20),
        ([True] * 90 + [False] * 10, [0, 1] * 50),
        ([False] * 100, [0] * 100),
        ([], []),
    ],
)
def test_nothing_is_said_of_few_rows_or_where_no_column_leads(
    flagged: list[bool], leading: list[int]
) -> None:
    assert said(flagged, leading) == []


def test_a_column_of_known_values_in_another_spelling_is_not_to_be_left_out() -> None:
    warning = BlameWarning(["a", "city", "c"], 0.01)
    warning.see(scores([True] * 90 + [False] * 10, [1] * 100))
    assert warning.conclude("next.csv", 100, {"city"}) == [
        "next.csv: 90 of 100 rows are flagged, 90 of them first of all for 'city'; if its values are those "
        "of training, write them as they were written there"
    ]
