"""Workers on a Ray cluster: actors of one core, each made anew where its process or its machine is lost."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aedetect._version import __version__
from aedetect.engine.cluster import MOST_DEATHS, Lost
from aedetect.errors import AedetectError, OutputError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")
# Handed to a worker beyond the one it is at, so that it need not wait for the next.
_AHEAD = 1


@contextlib.contextmanager
def ray_workers(address: str | None, jobs: int | None = None) -> Iterator[RayWorkers]:
    """Workers of the cluster at `address`; None for the one of RAY_ADDRESS, or of this machine.

    As many as the cluster has cores, `jobs` at most. A connection that the program has already is used, and
    left open. Raises UsageError where Ray is not installed, OutputError where no cluster answers.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError("--on ray needs Ray, which is not installed: pip install 'aedetect[ray]'")
    import ray

    connected = ray.is_initialized()
    if not connected:
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            raise OutputError(
                f"--on {address or 'ray'}: no cluster answers there ({str(error).splitlines()[0]})"
            ) from None
    try:
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield RayWorkers(min(cores, jobs) if jobs else cores)
    finally:
        if not connected:
            ray.shutdown()


class RayWorkers:
    """So many actors, made for each `map` and gone with it; see `cluster.Workers`."""

    def __init__(self, number: int):
        self.number = number

    def map(
        self, build: Callable[[int], Callable[[Item], Result]], items: Sequence[Item]
    ) -> Iterator[Result | Lost]:
        import ray

        if not items:
            return
        hands = _Hands(ray.put(build), min(self.number, len(items)))
        try:
            waiting, deaths = deque(enumerate(items)), Counter[int]()
            settled: dict[int, Any] = {}
            for place in range(len(items)):
                while place not in settled:
                    hands.hand_out(waiting)
                    for back, result in hands.returned():
                        if not isinstance(result, _Died):
                            settled[back] = result
                            continue
                        deaths[back] += result.counts
                        if deaths[back] < MOST_DEATHS:
                            waiting.appendleft((back, items[back]))
                        else:
                            settled[back] = Lost(deaths[back])
                result = settled.pop(place)
                if isinstance(result, _Failed):
                    raise result.error
                yield result
        finally:
            hands.let_go()


@dataclass(frozen=True)
class _Failed:
    """An error that is meant for the user, as a result: Ray would wrap it in its own."""

    error: AedetectError


@dataclass(frozen=True)
class _Died:
    """An item whose worker died; `counts` where it was being worked on, not only handed over."""

    counts: bool


class _Worker:
    """What lives in a process of the cluster."""

    def __init__(self, build: Callable[[int], Callable[[Any], Any]], version: str):
        self._build = build
        self._version = version
        self._work: Callable[[Any], Any] | None = None

    def work(self, item: Any) -> Any:
        try:
            if self._work is None:
                self._work = self._begun()
            return self._work(item)
        except AedetectError as error:
            return _Failed(error)

    def _begun(self) -> Callable[[Any], Any]:
        if __version__ != self._version:
            raise UsageError(
                f"--on: the cluster has aedetect {__version__}, this machine {self._version}; "
                "install the same"
            )
        return self._build(1)


class _Hands:
    """The actors of one `map`, and what each of them is at, oldest first."""

    def __init__(self, build: Any, number: int):
        import ray

        self._ray = ray
        self._actor = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(_Worker)
        self._build = build
        self._number = number
        self._at: dict[Any, deque[tuple[Any, int]]] = {}

    def hand_out(self, waiting: deque[tuple[int, Any]]) -> None:
        """Hand items out to whoever has least to do, until all have enough."""
        for depth in range(1 + _AHEAD):
            while waiting and depth == 0 and len(self._at) < self._number:
                self._at[self._actor.remote(self._build, __version__)] = deque()
                self._give(next(reversed(self._at)), waiting)
            for actor in [actor for actor, at in self._at.items() if len(at) == depth]:
                if waiting:
                    self._give(actor, waiting)

    def returned(self) -> Iterator[tuple[int, Any]]:
        """What has come back; waits for at least one."""
        owners = {at[0][0]: actor for actor, at in self._at.items() if at}
        ready, _ = self._ray.wait(list(owners), num_returns=1)
        for reference in ready:
            actor = owners[reference]
            try:
                result = self._ray.get(reference)
            except self._deaths():
                for number, (_, place) in enumerate(self._at.pop(actor)):
                    yield place, _Died(number == 0)
                continue
            _, place = self._at[actor].popleft()
            yield place, result

    def let_go(self) -> None:
        """End the actors, also those still at work."""
        for actor in self._at:
            self._ray.kill(actor)
        self._at.clear()

    def _give(self, actor: Any, waiting: deque[tuple[int, Any]]) -> None:
        place, item = waiting.popleft()
        self._at[actor].append((actor.work.remote(item), place))

    def _deaths(self) -> tuple[type[Exception], ...]:
        kinds = self._ray.exceptions
        return (
            kinds.RayActorError,
            kinds.WorkerCrashedError,
            kinds.NodeDiedError,
            kinds.OutOfMemoryError,
            kinds.ObjectLostError,
        )
