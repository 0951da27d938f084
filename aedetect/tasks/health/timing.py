"""Deliveries that were expected and did not come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from aedetect.data.series.timestamps import span
from aedetect.engine.deliveries import Delivery
from aedetect.tasks.health.finding import Finding, Health
from aedetect.tasks.health.limits import LEAST, LOOKED_AT, TO_DEVIATION
from aedetect.tasks.health.rhythm import ENDED, Rhythm

# Where there is no rhythm, the next may take three times as long as usual.
_OF_GAPS = math.log(3)
_SHOWN = 3


def lacking(
    delivery: Delivery, before: Sequence[Delivery], rhythm: Rhythm | None, name: str, stream: str
) -> Health:
    """Deliveries that were expected between one, called `name`, and the last `before` it (newest first)."""
    if rhythm is None:
        return Health()
    slots = rhythm.lacking(rhythm.slots[-1], rhythm.slot(delivery.due))
    if not slots:
        return Health()
    text = (
        f"{stream}: no file for {_listed(rhythm, slots)} came before {name}; "
        f"{_expected(rhythm, len(before))} (limit: none missing)"
    )
    return Health([Finding("missing", text, len(slots), None, 0.0, stream)])


def overdue(
    deliveries: Sequence[Delivery], inputs: Sequence[tuple[str, int]], stream: str, now: float
) -> Health:
    """What should have come by `now`. `deliveries`: of the stream, each once, in the order of time.

    `inputs`: paths and times of change of files that are there, though they may not be scored.
    """
    known = {(one.path, one.modified) for one in deliveries}
    there = [Delivery.of(*each) for each in inputs if each not in known]
    arrived = sorted([*deliveries, *there], key=lambda one: one.due)
    if len(arrived) < LEAST:
        return Health()
    rhythm = Rhythm.of(arrived[::-1])
    if rhythm is None:
        return _without_rhythm(arrived, stream, now)
    slots = rhythm.overdue(now)
    if len(slots) > ENDED:
        return Health(
            unjudged=[
                f"{stream} is taken to have ended: its last file is of {rhythm.shown(rhythm.slots[-1])}"
            ]
        )
    if not slots:
        return Health()
    last = arrived[-1].arrived
    deadline = rhythm.deadline(slots[0])
    which = "the first of these" if len(slots) > 1 else "this one"
    text = (
        f"{stream}: no file for {_listed(rhythm, slots)} has come; {_expected(rhythm, len(arrived))}, "
        f"and {which} was due by {_stamp(deadline)} (the last came {_stamp(last)})"
    )
    return Health([Finding("late", text, now - last, None, max(deadline - last, 0.0), stream)])


def _without_rhythm(arrived: Sequence[Delivery], stream: str, now: float) -> Health:
    """The same of a stream whose deliveries come at no regular time: by how long it took until the next."""
    times = sorted({one.arrived for one in arrived})[-LOOKED_AT:]
    gaps = [math.log(later - earlier) for earlier, later in pairwise(times)]
    if len(gaps) < LEAST or median(gaps) < 0:
        return Health(unjudged=[f"{stream}: their times of change do not tell when its files are due"])
    width = max(_OF_GAPS, 3 * TO_DEVIATION * median(abs(gap - median(gaps)) for gap in gaps))
    high = math.exp(median(gaps) + width)
    waited = now - times[-1]
    if waited <= high or waited > ENDED * high:
        return Health()
    text = (
        f"{stream}: no file for {span(waited)}; of the {len(gaps)} before, each came within "
        f"{span(math.exp(min(gaps)))} to {span(math.exp(max(gaps)))} of the last (limit {span(high)})"
    )
    return Health([Finding("late", text, waited, None, high, stream)])


def _expected(rhythm: Rhythm, files: int) -> str:
    source = "the dates in the names" if rhythm.dated else "the times of change"
    return f"by {source} of {files:,} files, one comes {rhythm.words}"


def _listed(rhythm: Rhythm, slots: Sequence[int]) -> str:
    names = [rhythm.shown(slot) for slot in slots[:_SHOWN]]
    if len(slots) > _SHOWN:
        return f"{', '.join(names)} and {len(slots) - _SHOWN:,} more times"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _stamp(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
