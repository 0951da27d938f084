"""Where a run computes, by the name that `--on` gives it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from aedetect.engine.cluster import Here, Workers
from aedetect.errors import UsageError


@contextlib.contextmanager
def opened_workers(
    place: str | None, jobs: int | None = None, notice: Callable[[str], None] = lambda _: None
) -> Iterator[Workers]:
    """The workers at `place`: 'ray', or 'ray://HOST:PORT'; `jobs` at most.

    Where it is None, so many processes of this machine, or this process by itself.

    `notice` is told why nothing happens where they are long in coming.

    Raises UsageError where there is no such place, or what it needs is not installed.
    """
    if place is None:
        if (jobs or 1) < 2:
            yield Here()
            return
        from aedetect.engine.local_workers import LocalWorkers

        yield LocalWorkers(jobs or 1)
        return
    check_place(place)
    from aedetect.engine.ray_workers import ray_workers

    with ray_workers(None if place == "ray" else place, jobs, notice) as workers:
        yield workers


def check_place(place: str | None) -> None:
    """Raises UsageError for what names no cluster, and where what it needs is not installed.

    None, which is this process, is fine.
    """
    if place is None:
        return
    if place != "ray" and not (place.startswith("ray://") and place.removeprefix("ray://")):
        raise UsageError(
            f"--on {place}: no such place; give 'ray', or the address of a cluster as ray://HOST:PORT"
        )
    from aedetect.engine.ray_workers import check_ray

    check_ray()
