"""Segments that stand out are named, each once; where nothing does, nothing is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support.segments import coded_table

from aedetect.tasks.explain.segments.search import CHANCE, Chosen, SegmentSearch


def orders(rows: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Orders of forty stores, ten a region; `amount` is of no one's making."""
    random = np.random.default_rng(seed)
    store = random.integers(1, 41, rows)
    return pd.DataFrame(
        {
            "store": store.astype(str),
            "manager": [f"M{number}" for number in store],
            "region": np.array(["north", "east", "south", "west"])[store % 4],
            "method": random.choice(["card", "cash", "app"], rows, p=[0.6, 0.3, 0.1]),
            "amount": random.gamma(3, 20, rows).round(2),
        }
    )


def at_random(frame: pd.DataFrame, share: float = 0.01) -> np.ndarray:
    return np.random.default_rng(7).random(len(frame)) < share


def texts(chosen: list[Chosen]) -> list[str]:
    return [" and ".join(condition.text for condition in one.conditions) for one in chosen]


def found(frame: pd.DataFrame, flagged: np.ndarray, **about: object) -> list[Chosen]:
    return SegmentSearch(coded_table(frame, flagged, **about)).segments()  # type: ignore[arg-type]


def test_a_store_is_named_once_and_who_is_the_same() -> None:
    frame = orders()
    chosen = found(frame, at_random(frame) | ((frame.store == "17") & (frame.index % 2 == 0)))
    assert texts(chosen) == ["store = 17"]
    assert [condition.text for condition in chosen[0].alike] == ["manager = M17"]
    assert chosen[0].rows.tolist() == (frame.store == "17").tolist()
    assert chosen[0].chance < 1e-20


def test_the_next_segment_explains_other_rows() -> None:
    frame = orders()
    flagged = at_random(frame) | (frame.store == "17") | ((frame.amount > 150) & (frame.index % 3 > 0))
    chosen = found(frame, flagged)
    store, amount = chosen
    assert sorted(text.split()[0] for text in texts(chosen)) == ["amount", "store"]
    assert not (store.new & amount.new).any()
    assert (flagged & ~at_random(frame) & (store.new | amount.new)).sum() > 0.9 * 142


def test_a_pair_is_named_where_it_says_clearly_more_than_either() -> None:
    frame = orders(8000)
    both = (frame.region == "west") & (frame.method == "app")
    chosen = found(frame, at_random(frame) | (both & (frame.index % 2 == 0)))
    assert texts(chosen) == ["region = west and method = app"]
    assert chosen[0].rows.tolist() == both.tolist()


def test_a_pair_is_not_named_where_one_condition_says_as_much() -> None:
    frame = orders(8000)
    flagged = at_random(frame) | ((frame.method == "app") & (frame.index % 2 == 0))
    assert texts(found(frame, flagged)) == ["method = app"]


def test_what_is_odd_is_no_explanation_of_itself() -> None:
    frame = orders()
    frame.loc[frame.store == "17", "amount"] += 500
    flagged = at_random(frame) | (frame.amount > 180)
    assert texts(found(frame, flagged, learned=["amount"], blamed=0))[0] == "store = 17"
    assert texts(found(frame, flagged))[0].startswith("amount ≥")


def test_a_number_that_many_flagged_rows_have_is_told_even_if_it_is_what_is_odd() -> None:
    frame = orders()
    frame.loc[::40, "amount"] = -1.0
    chosen = found(frame, frame.amount == -1, learned=["amount"], blamed=0)
    assert texts(chosen) == ["amount = -1"]


@pytest.mark.parametrize("share", [0.005, 0.05, 0.4, 1.0])
def test_rows_flagged_at_random_make_no_segment(share: float) -> None:
    for seed in range(5):
        frame = orders(2000, seed)
        assert found(frame, at_random(frame, share)) == []


def test_no_row_no_column_and_no_flag_make_no_segment() -> None:
    frame = orders(100)
    assert found(frame, np.zeros(100)) == []
    assert found(frame[:0], np.zeros(0)) == []
    assert found(frame[[]], np.ones(100)) == []


def test_the_rows_of_one_event_count_as_one() -> None:
    frame = orders()
    flagged = frame.store == "17"
    assert texts(found(frame, flagged)) == ["store = 17"]
    assert found(frame, flagged, units=1 / flagged.sum()) == []


def test_chance_is_corrected_for_what_was_looked_at() -> None:
    frame = orders(2000)
    frame["code"] = [f"c{row // 6}" for row in range(len(frame))]
    flagged = at_random(frame, 0.05) | (frame.code == "c100")
    search = SegmentSearch(coded_table(frame, flagged))
    assert search.conditions > len(frame) // 6
    assert all(one.chance <= CHANCE for one in search.segments())
    # Of six rows all flagged in so many codes, five in a hundred elsewhere, chance has its share.
    assert 6 * search.conditions * 0.05**6 < CHANCE
    assert "code = c100" in texts(search.segments())
