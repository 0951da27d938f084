"""A cluster whose workers are this process: all that goes to them and comes back is pickled on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import pytest

from aedetect.engine import distributed, ray_workers
from aedetect.engine.cluster import MOST_DEATHS, Lost
from aedetect.tasks import spread_series


class PretendCluster:
    """Two workers. `before` and `after` are told of each piece and what came of it; it is lost where
    `before` says so."""

    number = 2
    taken_part = 2

    def __init__(
        self, before: Callable[[Any], bool] = lambda _: False, after: Callable[[Any], None] = lambda _: None
    ):
        self._before, self._after = before, after

    def map(
        self,
        build: Callable[[int], Callable[[Any], Any]],
        items: Sequence[Any],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Any]:
        assert helpings is None or sum(helpings) == len(items)
        work = _sent(build)(1)
        for item in items:
            if self._before(item):
                yield Lost(MOST_DEATHS)
                continue
            done = work(_sent(item))
            self._after(done)
            yield _sent(done)


def _sent(value: Any) -> Any:
    return ForkingPickler.loads(ForkingPickler.dumps(value))


def pretend(monkeypatch: pytest.MonkeyPatch, cluster: PretendCluster | None = None) -> None:
    """Let `--on ray` mean such a cluster, whether Ray is installed or not."""

    @contextlib.contextmanager
    def opened(*_: object) -> Iterator[PretendCluster]:
        yield cluster or PretendCluster()

    monkeypatch.setattr(distributed, "opened_workers", opened)
    monkeypatch.setattr(spread_series, "opened_workers", opened)
    monkeypatch.setattr(ray_workers, "check_ray", lambda: None)


def told_of(result: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a command, but for times, workers and the folders of outputs."""
    told = {key: value for key, value in result.items() if key not in _CHANGING}
    told["model"] = {key: value for key, value in told["model"].items() if key != "age_days"}
    for entry in told.get("files", []):
        if entry.get("output"):
            entry["output"] = entry["output"].rpartition("/")[2]
    return told


_CHANGING = ("started", "finished", "seconds", "workers")
