"""Deliveries held against those before them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from aedetect.engine.deliveries import Delivery, stream_of
from aedetect.tasks.health import timing
from aedetect.tasks.health.contents import of_contents
from aedetect.tasks.health.finding import Health
from aedetect.tasks.health.limits import LEAST, LOOKED_AT, Peers
from aedetect.tasks.health.rhythm import Rhythm

# So many of one day of the week, or hour of the day, are compared with alone.
_SAME = 4
_SAME_LOOKED_AT = 8
_SHOWN = 3


@dataclass(frozen=True)
class Judged:
    """An input of a run: its path in the ledger, its time of change, its name, whether it was scored.

    `modified` is in nanoseconds since 1970.
    """

    path: str
    modified: int
    name: str
    scored: bool = True


@dataclass(frozen=True)
class Circumstances:
    """Under which model rows were flagged, how many rows are flagged or not together, and what time it is.

    `window`: the steps that the rows of a series are judged in; 1 for tables. `now`: seconds since 1970.
    """

    model: str
    window: int
    now: float


def judge(history: Iterable[Delivery], inputs: Sequence[Judged], around: Circumstances) -> Health:
    """What is to be said of the inputs that were scored, and of streams that lack a delivery by now.

    `history`: all deliveries known of the streams to be judged, those just scored among them.
    """
    streams: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in history:
        streams[delivery.stream].append(delivery)
    named: dict[str, list[Judged]] = defaultdict(list)
    for one in inputs:
        named[stream_of(one.path, one.modified)[0]].append(one)
    health, too_few = Health(), list[tuple[str, int]]()
    for stream, deliveries in sorted(streams.items()):
        once = _once(deliveries, around.model)
        here = named[stream]
        shown = stream_of(here[0].name, here[0].modified)[0] if here else stream
        scored = {(one.path, one.modified): one.name for one in here if one.scored}
        for place, delivery in enumerate(once):
            name = scored.get((delivery.path, delivery.modified))
            if name is not None:
                health.add(_of_delivery(delivery, once[:place][::-1], Named(name, shown), around))
        health.add(timing.overdue(once, [(one.path, one.modified) for one in here], shown, around.now))
        if scored and len(once) <= LEAST:
            too_few.append((shown, len(once)))
    health.unjudged += _of_few(too_few)
    return health


@dataclass(frozen=True)
class Named:
    """How a delivery and its stream are called."""

    file: str
    stream: str


def _of_delivery(
    delivery: Delivery, before: Sequence[Delivery], named: Named, around: Circumstances
) -> Health:
    """`before`: the deliveries before it, the newest first."""
    if len(before) < LEAST:
        return Health()
    rhythm = Rhythm.of(before)
    health = of_contents(delivery, peers_of(delivery, before, rhythm), named.file, around.window)
    health.add(timing.lacking(delivery, before, rhythm, named.file, named.stream))
    return health


def peers_of(delivery: Delivery, before: Sequence[Delivery], rhythm: Rhythm | None) -> Peers:
    """Which of the deliveries before one it is compared with."""
    newest = before[:LOOKED_AT]
    of_all = Peers(newest, f"the {len(newest)} files before it", [newest])
    if rhythm is None:
        return of_all
    slot, alike = rhythm.slot(delivery.due), list[Delivery]()
    for cycle in rhythm.cycles:
        groups: dict[int, list[Delivery]] = defaultdict(list)
        for one in before:
            group = groups[rhythm.slot(one.due) % cycle]
            if len(group) < _SAME_LOOKED_AT:
                group.append(one)
        same = groups[slot % cycle]
        if len(same) >= _SAME:
            words = f"the {len(same)} {rhythm.place_words(slot, cycle)} before it"
            return Peers(same, words, [each for each in groups.values() if len(each) >= _SAME], alike, _SAME)
        alike = alike or same
    return replace(of_all, alike=alike)


def _once(deliveries: Iterable[Delivery], model: str) -> list[Delivery]:
    """Each delivery once, though several models scored it, or it was put right; by the time they stand for.

    As this model scored it, where it did. What came again with the same content, and another time of change,
    is the first of both; what came again under the same date takes the place of the earlier.
    """
    contents: dict[tuple[str, object], list[Delivery]] = defaultdict(list)
    for one in deliveries:
        contents[one.path, one.sha256 or one.modified].append(one)
    by_due: dict[tuple[str, float], Delivery] = {}
    for same in contents.values():
        first = min(same, key=attrgetter("modified"))
        chosen = max(same, key=lambda one: (one.model == model, one.scored))
        chosen = chosen if chosen.dated else replace(chosen, due=first.due)
        key = chosen.path, chosen.due
        if key not in by_due or by_due[key].modified <= chosen.modified:
            by_due[key] = chosen
    return sorted(by_due.values(), key=lambda one: (one.due, one.modified, one.path))


def _of_few(too_few: Sequence[tuple[str, int]]) -> list[str]:
    """What is said of streams of which too few deliveries are known."""
    if not too_few:
        return []
    names = ", ".join(name for name, _ in too_few[:_SHOWN])
    more = f" and {len(too_few) - _SHOWN:,} others" if len(too_few) > _SHOWN else ""
    known = max(files - 1 for _, files in too_few)
    before = f"{known or 'no'} file{'s' * (known != 1)} came before"
    before = before if len(too_few) == 1 else "too few came before"
    return [f"nothing is said of {names}{more}: {before}, and at least {LEAST} are needed"]
