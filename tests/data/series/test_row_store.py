"""Rows come back by series as they were added, whether they are in memory or in a file."""

from __future__ import annotations

import errno
import tempfile
from typing import Any

import numpy as np
import pytest

from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.row_store import RowStore
from aedetect.errors import OutputError

WIDTH = 3
COLUMNS = ("seconds", "series", "values", "unscorable", "infinite", "readings")
# Rows of the batches of each input.
INPUTS = [[7, 0, 40], [0], [3, 1], [60, 60, 2]]


def batch(rows: int, seed: int, counters: bool = False, kind: type = np.float64) -> Rows:
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, WIDTH)).astype(kind)
    values[random.random(values.shape) < 0.2] = np.nan
    return Rows(
        random.integers(0, 50, rows).astype(np.float64),
        random.integers(0, 5, rows),
        values,
        random.random(rows) < 0.1,
        random.random(rows) < 0.1,
        random.random((rows, 2)) if counters else None,
    )


def store_of(inputs: list[list[Rows]], limit: int | None) -> RowStore:
    store = RowStore(WIDTH, limit)
    for parts in inputs:
        for rows in parts:
            store.add(rows)
        store.settle()
    return store


def same(some: Rows, others: Rows) -> None:
    for name in COLUMNS:
        one, other = getattr(some, name), getattr(others, name)
        if one is None:
            assert other is None
            continue
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def check(store: RowStore, everything: Rows, first: int) -> None:
    """What the store gives from a row on, beside the rows of each series picked one by one."""
    numbers = np.unique(everything.series[first:]).tolist()
    each = list(store.by_series(first))
    assert [number for number, _, _ in each] == numbers
    for number, places, rows in each:
        expected = np.flatnonzero(everything.series == number)
        expected = expected[expected >= first]
        np.testing.assert_array_equal(places, expected)
        same(rows, everything.part(expected))


@pytest.mark.parametrize("limit", [None, 1, 2500, 10**6])
@pytest.mark.parametrize("counters", [False, True])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_each_series_comes_back_as_it_was_added(limit: int | None, counters: bool, kind: type) -> None:
    inputs = [[batch(rows, seed, counters, kind) for seed, rows in enumerate(sizes)] for sizes in INPUTS]
    everything = together([rows for parts in inputs for rows in parts], WIDTH)
    with store_of(inputs, limit) as store:
        assert len(store) == len(everything)
        ends = np.cumsum([0, *(sum(sizes) for sizes in INPUTS)]).tolist()
        for first in ends[:-1]:
            check(store, everything, first)


@pytest.mark.parametrize("limit", [None, 1, 2500])
def test_an_input_that_is_given_up_leaves_nothing(limit: int | None) -> None:
    before, after = [batch(30, 0), batch(5, 1)], [batch(20, 2)]
    with store_of([before], limit) as store:
        for seed in range(3, 6):
            store.add(batch(50, seed))
        store.give_up()
        assert len(store) == 35
        for rows in after:
            store.add(rows)
        store.settle()
        check(store, together([*before, *after], WIDTH), 0)


@pytest.mark.parametrize("limit", [None, 1])
def test_without_rows_there_are_no_series(limit: int | None) -> None:
    with store_of([[batch(0, 0)]], limit) as store:
        assert (len(store), list(store.by_series())) == (0, [])


def test_the_file_is_gone_once_the_store_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[Any] = []
    temporary = tempfile.TemporaryFile

    def opened(*arguments: Any, **options: Any) -> Any:
        files.append(temporary(*arguments, **options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", opened)
    with store_of([[batch(30, 0)]], 1):
        assert [file.closed for file in files] == [False]
    assert files[0].closed
    with pytest.raises(ZeroDivisionError), store_of([[batch(30, 0)]], 1):
        raise ZeroDivisionError
    assert [file.closed for file in files] == [True, True]
    with store_of([[batch(30, 0)]], 10**6):
        assert len(files) == 2


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="no space left on the device"):
        store_of([[batch(30, 0)]], 1)
