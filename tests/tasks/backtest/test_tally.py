"""Counts by day and rate."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aedetect.tasks.backtest.tally import Tally

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 4)), max_size=40)


@given(ROWS, st.integers(0, 40))
def test_rows_flagged_from_a_rate_on_are_flagged_at_all_looser_ones(
    flagged: list[tuple[int, int]], cut: int
) -> None:
    """However the rows come in batches."""
    tally, one_by_one = Tally(5), Tally(5)
    for part in (flagged[:cut], flagged[cut:]):
        keys = np.array([key for key, _ in part], dtype=np.int64)
        tally.add_flagged_from(keys, np.array([finest for _, finest in part], dtype=np.int64))
    for key, finest in flagged:
        for rate in range(finest, 5):
            one_by_one.add_flagged(np.array([key]), rate)
    assert {key: counted.flagged.tolist() for key, counted in tally.counted.items()} == {
        key: counted.flagged.tolist() for key, counted in one_by_one.counted.items()
    }


def test_counts_of_one_key_are_its_own() -> None:
    tally = Tally(2)
    tally.add_rows(np.array([7, 7, 8]))
    tally.add_unscorable(np.array([8]))
    tally.add_events(np.array([7]), 1)
    assert (tally.counted[7].rows, tally.counted[8].rows, tally.counted[8].unscorable) == (2, 1, 1)
    assert tally.counted[7].events.tolist() == [0, 1]
    assert tally.counted[7].flagged.tolist() == tally.counted[8].events.tolist() == [0, 0]
