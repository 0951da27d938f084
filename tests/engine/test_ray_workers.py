"""Workers on a real Ray of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from aedetect.engine.cluster import MOST_DEATHS, Here, Lost, Workers
from aedetect.engine.places import opened_workers
from aedetect.errors import DataError
from tests.support.local_ray import local_ray
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with local_ray(), opened_workers("ray") as opened:
        yield opened


def squares(threads: int) -> Callable[[int], int]:
    assert threads >= 1
    return lambda item: item * item


def deadly(threads: int, folder: Path, deaths: int) -> Callable[[int], tuple[int, int]]:
    """The item 3 kills whoever works on it, so many times."""

    def work(item: int) -> tuple[int, int]:
        if item == 3 and len(list(folder.iterdir())) < deaths:
            (folder / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item, os.getpid()

    return work


def together(threads: int, folder: Path) -> Callable[[int], int]:
    """Nobody gives anything back before two are there."""

    def work(item: int) -> int:
        (folder / str(os.getpid())).touch()
        until(lambda: len(list(folder.iterdir())) == 2, 120)
        return os.getpid()

    return work


def bad_data(threads: int) -> Callable[[int], int]:
    def work(item: int) -> int:
        raise DataError(f"file-{item}.csv: holds no rows")

    return work


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    assert list(workers.map(squares, range(50))) == list(Here().map(squares, range(50)))


def test_two_processes_take_part(workers: Workers, tmp_path: Path) -> None:
    processes = set(workers.map(partial(together, folder=tmp_path), range(20)))
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_what_a_dead_worker_was_at_is_done_again(workers: Workers, tmp_path: Path) -> None:
    results = list(workers.map(partial(deadly, folder=tmp_path, deaths=2), range(20)))
    assert [result[0] for result in results if not isinstance(result, Lost)] == list(range(20))
    assert len(list(tmp_path.iterdir())) == 2


def test_an_item_that_kills_three_workers_is_given_up_and_no_other(workers: Workers, tmp_path: Path) -> None:
    results = list(workers.map(partial(deadly, folder=tmp_path, deaths=9), range(20)))
    assert [place for place, result in enumerate(results) if isinstance(result, Lost)] == [3]
    assert results[3] == Lost(MOST_DEATHS)


def test_errors_meant_for_the_user_arrive_as_such(workers: Workers) -> None:
    with pytest.raises(DataError, match=r"^file-0\.csv: holds no rows$"):
        list(workers.map(bad_data, range(3)))


def test_no_items_need_no_worker(workers: Workers) -> None:
    assert list(workers.map(squares, [])) == []
