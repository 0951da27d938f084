"""Workers on a Ray cluster: actors of one core, each made anew where its process or its machine is lost."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import signal
import socket
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aedetect._version import __version__
from aedetect.engine.cluster import MOST_DEATHS, Lost
from aedetect.errors import AedetectError, OutputError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")
# Handed to a worker beyond what it is at, so that it need not wait for the next.
_AHEAD = 1
# Of a Ray that is started for one run: beyond this, Ray keeps on disk what workers give back.
_STORE_BYTES = 256 << 20
# After so many seconds without a worker, it is said that there is none.
_SILENT_FOR = 10.0
_LOOKED_UP_AFTER = 0.5


def check_ray() -> None:
    """Raises UsageError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError("--on ray needs Ray, which is not installed: pip install 'aedetect[ray]'")


@contextlib.contextmanager
def ray_workers(
    address: str | None, jobs: int | None = None, notice: Callable[[str], None] = lambda _: None
) -> Iterator[RayWorkers]:
    """Workers of the cluster at `address`; None for that of RAY_ADDRESS, or of one started for the block.

    As many as the cluster has cores, `jobs` at most. A connection that the program has already is used, and
    left open. `notice` is told where no core is free for long. Raises UsageError where Ray is not installed,
    OutputError where no cluster answers.
    """
    check_ray()
    if address is not None:
        _use_token()
    with _quiet():
        import ray

        connected = ray.is_initialized()
        if not connected:
            _connect(address)
        try:
            cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield RayWorkers(min(cores, jobs) if jobs else cores, notice)
        finally:
            if not connected:
                ray.shutdown()


def _connect(address: str | None) -> None:
    import ray

    asked = address or os.environ.get("RAY_ADDRESS")
    # Whatever else runs on this machine is somebody else's, unless it is named.
    local = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    try:
        with _handlers_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(
                asked or "local",
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **({} if asked else local),
            )
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        # What a server says ends in its reason, below a traceback of its own.
        reason = lines[-1] if lines else type(error).__name__
        known = address is None or os.environ.get("RAY_AUTH_MODE") == "token"
        hint = "" if known else "; if it asks for a token, set RAY_AUTH_TOKEN"
        raise OutputError(f"--on {address or 'ray'}: no cluster answers there ({reason}){hint}") from None


def _use_token() -> None:
    """Show the token that there is: Ray's client, unlike the rest of it, does not unless it is told to."""
    path = os.environ.get("RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token")
    if os.environ.get("RAY_AUTH_TOKEN") or os.path.exists(os.path.expanduser(path)):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    """What ends this process still does so as before: Ray sets a handler of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# What Ray says on stderr of its own accord, before anybody has asked it not to.
_SILENCE = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A block in which Ray says nothing of its own: what there is to say of workers is said by us."""
    for name, value in _SILENCE.items():
        os.environ.setdefault(name, value)
    from ray._private import worker

    logger = logging.getLogger("ray")
    level, printed = logger.level, worker.print_worker_logs
    logger.setLevel(logging.CRITICAL)
    # It prints what it says of dead workers to stdout, whatever it was told of logs.
    worker.print_worker_logs = lambda *_: None
    try:
        yield
    finally:
        worker.print_worker_logs = printed
        logger.setLevel(level)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """A block in which what a signal raises comes through as it is: Ray's compiled part wraps it."""
    try:
        yield
    except SystemError as error:
        if error.__cause__ is None:
            raise
        raise error.__cause__ from None


class RayWorkers:
    """So many actors, made for each `map` and gone with it; see `cluster.Workers`."""

    def __init__(self, number: int, notice: Callable[[str], None] = lambda _: None):
        self.number = number
        self.taken_part = 0
        self._notice = notice

    def map(
        self,
        build: Callable[[int], Callable[[Item], Result]],
        items: Sequence[Item],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Result | Lost]:
        import ray

        if not items:
            return
        waiting = _helpings(len(items), helpings)
        hands = _Hands(ray.put(build), min(self.number, len(waiting)), items, self._notice)
        try:
            deaths = Counter[int]()
            settled: dict[int, Any] = {}
            for place in range(len(items)):
                while place not in settled:
                    hands.hand_out(waiting, len(items) if ahead is None else place + max(1, ahead))
                    for places, results in hands.returned():
                        if not isinstance(results, _Died):
                            settled.update(zip(places, results, strict=False))
                            continue
                        deaths.update(places if results.counts and len(places) == 1 else ())
                        for back in reversed(places):
                            if deaths[back] < MOST_DEATHS:
                                # Each by itself: what one dies of is no fault of the others.
                                waiting.appendleft([back])
                            else:
                                settled[back] = Lost(deaths[back])
                    self.taken_part = max(self.taken_part, hands.taken_part)
                result = settled.pop(place)
                if isinstance(result, _Failed):
                    raise result.error
                yield result
        finally:
            hands.let_go()


def _helpings(items: int, sizes: Sequence[int] | None) -> deque[list[int]]:
    """The places of the items, by what is handed out at once."""
    helpings, first = deque[list[int]](), 0
    for size in sizes or [1] * items:
        helpings.append(list(range(first, first + size)))
        first += size
    return helpings


@dataclass(frozen=True)
class _Failed:
    """An error that is meant for the user, as a result: Ray would wrap it in its own."""

    error: AedetectError


@dataclass(frozen=True)
class _Died:
    """Items whose worker died; `counts` where they were being worked on, not only handed over."""

    counts: bool


class _Worker:
    """What lives in a process of the cluster."""

    def __init__(self, build: Callable[[int], Callable[[Any], Any]], version: str):
        self._build = build
        self._version = version
        self._work: Callable[[Any], Any] | None = None

    def there(self) -> tuple[str, int]:
        """Answers once the process has begun: its machine and number."""
        return socket.gethostname(), os.getpid()

    def work(self, *items: Any) -> list[Any]:
        """The results up to the first that failed."""
        results: list[Any] = []
        try:
            if self._work is None:
                self._work = self._begun()
            for item in items:
                results.append(self._work(item))
        except AedetectError as error:
            results.append(_Failed(error))
        return results

    def _begun(self) -> Callable[[Any], Any]:
        if __version__ != self._version:
            raise UsageError(
                f"--on: the cluster has aedetect {__version__}, this machine {self._version}; "
                "install the same"
            )
        return self._build(1)


class _Hands:
    """The actors of one `map`: those yet to come, and the others with what each is at, oldest first.

    Only who is there is handed anything: on a cluster that has become smaller, some may never come.
    """

    def __init__(self, build: Any, number: int, items: Sequence[Any], notice: Callable[[str], None]):
        import ray

        self._ray = ray
        self._actor = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(_Worker)
        self._build = build
        self._number = number
        self._items = items
        self._notice: Callable[[str], None] | None = notice
        self._coming: dict[Any, Any] = {}
        self._at: dict[Any, deque[tuple[Any, list[int]]]] = {}
        self._processes: list[tuple[str, int]] = []
        self._productive: set[Any] = set()
        self._stillborn = 0

    @property
    def taken_part(self) -> int:
        """How many have given results; one that took the place of a dead one is counted with it."""
        return min(self._number, len(self._productive))

    def hand_out(self, waiting: deque[list[int]], end: int) -> None:
        """Hand items up to place `end` out to whoever has least to do, until all have enough."""
        if waiting:
            for _ in range(self._number - len(self._at) - len(self._coming)):
                actor = self._actor.remote(self._build, __version__)
                self._coming[actor.there.remote()] = actor
        for depth in range(1 + _AHEAD):
            for actor in [actor for actor, at in self._at.items() if len(at) == depth]:
                if waiting and waiting[0][0] < end:
                    self._give(actor, waiting)

    def returned(self) -> Iterator[tuple[list[int], Any]]:
        """What has come back, by the places of the items; waits until something has happened."""
        owners = {at[0][0]: actor for actor, at in self._at.items() if at}
        for reference in self._wait([*owners, *self._coming]):
            if reference in self._coming:
                self._welcome(reference)
                continue
            actor = owners[reference]
            try:
                with _signals():
                    results = self._ray.get(reference)
            except self._deaths():
                self._ray.kill(actor)
                for number, (_, places) in reversed(list(enumerate(self._at.pop(actor)))):
                    yield places, _Died(number == 0)
                continue
            _, places = self._at[actor].popleft()
            self._productive.add(actor)
            yield places, results

    def let_go(self) -> None:
        """End the actors, also those still at work; those of this machine are gone when this returns."""
        for actor in [*self._at, *self._coming.values()]:
            self._ray.kill(actor)
        self._at.clear()
        self._coming.clear()
        deadline = time.monotonic() + _SILENT_FOR
        here = [number for machine, number in self._processes if machine == socket.gethostname()]
        while any(map(_is_alive, here)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _welcome(self, reference: Any) -> None:
        """Take in who has come. Raises OutputError where none ever does, but ends when it is to begin."""
        actor = self._coming.pop(reference)
        try:
            with _signals():
                self._processes.append(self._ray.get(reference))
        except self._deaths() as error:
            self._stillborn += 1
            if self._stillborn > MOST_DEATHS * self._number:
                reason = str(error).strip().splitlines()[-1]
                raise OutputError(f"--on: workers end as soon as they begin: {reason}") from None
            return
        self._at[actor] = deque()

    def _wait(self, references: list[Any]) -> list[Any]:
        began = time.monotonic()
        while True:
            with _signals():
                # Ray looks for signals only now and then while it waits.
                ready, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
                if not ready:
                    ready, _ = self._ray.wait(references, num_returns=1, timeout=_LOOKED_UP_AFTER)
            if ready:
                return list(ready)
            if self._notice is not None and not self._processes and time.monotonic() - began > _SILENT_FOR:
                self._notice("--on: no core of the cluster is free; waiting for one")
                self._notice = None

    def _give(self, actor: Any, waiting: deque[list[int]]) -> None:
        places = waiting.popleft()
        self._at[actor].append((actor.work.remote(*(self._items[place] for place in places)), places))

    def _deaths(self) -> tuple[type[Exception], ...]:
        kinds = self._ray.exceptions
        return (
            kinds.RayActorError,
            kinds.WorkerCrashedError,
            kinds.NodeDiedError,
            kinds.OutOfMemoryError,
            kinds.ObjectLostError,
        )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
