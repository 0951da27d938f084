"""Where pieces of a run are handed to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aedetect.engine.places import check_place, opened_workers
from aedetect.errors import UsageError


def test_without_a_place_all_is_done_here() -> None:
    built: list[int] = []

    def build(threads: int) -> Callable[[int], int]:
        built.append(threads)
        return lambda item: item + 1

    with opened_workers(None) as workers:
        assert list(workers.map(build, [1, 2, 3])) == [2, 3, 4]
    assert len(built) == 1


@pytest.mark.parametrize("place", ["spark", "ray:", "ray://", "ray:/x", "", "10.0.0.1:6379"])
def test_another_place_is_refused(place: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_place(place)
    assert str(raised.value) == (
        f"--on {place}: no such place; give 'ray', or the address of a cluster as ray://HOST:PORT"
    )


def test_ray_is_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as raised, opened_workers("ray"):
        pass
    assert str(raised.value) == "--on ray needs Ray, which is not installed: pip install 'aedetect[ray]'"
