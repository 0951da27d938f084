"""Times without a row, within the rows of a run and before them."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.scoring.silences import SilenceFinder

NAN = float("nan")
A, B = ("a",), ("b",)


def silences(
    *series: tuple[tuple[str, ...], list[float], list[bool] | None],
    limit: float | None = 5.0,
    known: dict[tuple[str, ...], float] | None = None,
) -> list[tuple[str, float, float | None]]:
    finder = SilenceFinder(limit, known or {})
    for name, seconds, new in series:
        finder.see(
            name,
            np.array(seconds, dtype=float),
            np.array([True] * len(seconds) if new is None else new, dtype=bool),
        )
    return [("/".join(one.name), one.start, one.end) for one in finder.silences()]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([0, 1, 2, 3], []),
        ([0, 1, 6, 7], []),
        ([0, 1, 6.5, 7], [("a", 1, 6.5)]),
        # In any order; rows without a time are nowhere.
        ([20, NAN, 0, 1, 10], [("a", 1, 10), ("a", 10, 20)]),
        ([NAN], []),
    ],
)
def test_gaps(seconds: list[float], expected: list[tuple[str, float, float]]) -> None:
    assert silences((A, seconds, None)) == expected
    assert silences((A, seconds, None), limit=None) == []


def test_one_that_stops_while_others_go_on() -> None:
    assert silences((A, [0, 1, 2], None), (B, [0, 4, 8], None)) == [("a", 2, None)]
    assert silences((A, [0, 1, 3], None), (B, [0, 4, 8], None)) == []


def test_one_that_is_known_from_before_and_has_no_row_now() -> None:
    assert silences((B, [10, 14, 18], None), known={A: 9.0, B: 9.0}) == [("a", 9, None)]


def test_the_gap_before_the_first_row_of_now() -> None:
    before_and_now = (A, [8.0, 9.0, 20.0, 21.0], [False, False, True, True])
    assert silences(before_and_now, known={A: 9.0}) == [("a", 9, 20)]
    # The rows before are history that no ledger knows, or are not at hand any more.
    assert silences(before_and_now) == [("a", 9, 20)]
    assert silences((A, [20.0, 21.0], None), known={A: 9.0}) == [("a", 9, 20)]


def test_gaps_among_rows_that_went_before_are_of_earlier_runs() -> None:
    assert silences((A, [0.0, 20.0, 21.0], [False, False, True])) == []


def test_what_comes_late_is_not_held_against_rows_that_are_not_kept() -> None:
    """Of rows that went before only the first and the last are kept, and these lie between."""
    assert silences((A, [0.0, 50.0, 51.0, 100.0], [False, True, True, False]), known={A: 100.0}) == []
    assert silences((A, [0.0, 50.0, 60.0, 100.0], [False, True, True, False])) == [("a", 50, 60)]


def test_a_late_file_makes_no_other_series_silent() -> None:
    assert silences((B, [10.0, 14.0], None), known={A: 9.0, B: 100.0}) == []


def test_one_that_is_silent_for_a_month_has_ended() -> None:
    finder = SilenceFinder(3600.0, {A: 0.0})
    finder.see(B, np.array([31 * 86_400.0]), np.array([True]))
    assert finder.silences() == []
    assert finder.ended() == [A]
