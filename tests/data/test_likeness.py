"""Unseen names: how many, and what they may be meant as."""

from __future__ import annotations

from collections import Counter

import pytest

from aedetect.data.likeness import KnownNames, NameCounts, listed

KNOWN = KnownNames(("Paris", "São Paulo", "paris-orly", "New York", "straße", "01234"))


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("PARIS", "'Paris' in another case"),
        ("STRASSE", "'straße' in another case"),
        ("Sao Paulo", "'São Paulo' in another spelling"),
        ("new-york", "'New York' in another spelling"),
        ("1234", "'01234' in another spelling"),
        ("Lyon", None),
        ("Paris", None),
        ("--", None),
    ],
)
def test_what_a_name_may_be_meant_as(name: str, like: str | None) -> None:
    assert KNOWN.alike(name) == like


def test_names_in_words_begin_with_those_that_are_like_known_ones() -> None:
    counts = NameCounts()
    counts.add(Counter({"Lyon": 1200, "PARIS": 34, "x" * 60: 1, "Nice": 1, "Lille": 2}))
    assert counts.rows == 1238
    assert listed(counts.ranked(KNOWN)) == (
        "'PARIS' in 34 rows ('Paris' in another case?), 'Lyon' in 1,200 rows, 'Lille' in 2 rows and 2 more"
    )
    long = NameCounts()
    long.add(Counter({"x" * 30 + "y" * 30: 1}))
    assert listed(long.ranked(KNOWN)) == f"{'x' * 20 + '…' + 'y' * 20!r} in 1 row"


def test_of_very_many_names_the_frequent_ones_are_remembered_and_all_rows_counted() -> None:
    counts = NameCounts()
    for start in range(0, 50_000, 1000):
        counts.add(Counter({"often": 10, **{str(number): 1 for number in range(start, start + 1000)}}))
    assert counts.rows == 50_500
    assert len(counts.counts) <= 4000
    assert counts.counts["often"] == 500
    other = NameCounts()
    other.merge(counts)
    other.merge(counts)
    assert (other.rows, other.counts["often"]) == (101_000, 1000)
