"""Which events are new, last or are over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.engine.sent_messages import NEW, OVER, REMINDER, KnownEvent, Message, SentMessages
from aedetect.tasks.notify.due import Pace, SeenEvent, Settled, due, settle
from aedetect.tasks.notify.request import NotifyRequest
from aedetect.tasks.notify.targets import Target

PACE = Pace(gap=5.0, reach=50.0)
SERIES = ("m0",)
TARGET = Target(None, "digest", "json://h")


def event(begin: float, until: float, number: int = 1, **more: object) -> KnownEvent:
    return replace(
        KnownEvent(SERIES, begin, until, "model", number, True, False, {"start": f"{begin:g}"}), **more
    )


def seen(*events: KnownEvent) -> list[SeenEvent]:
    return [SeenEvent(one, place, 1.0) for place, one in enumerate(events)]


def settled(found: list[SeenEvent], known: list[KnownEvent], end: float) -> list[Settled]:
    return settle(found, known, {SERIES: end}, PACE)


def test_an_event_that_goes_on_under_its_number_is_the_same() -> None:
    (one,) = settled(seen(event(40, 50)), [event(10, 20)], 52)
    assert (one.event.begin, one.event.until, one.event.lasts) == (10, 50, True)
    assert one.event.facts["start"] == "10"
    assert one.before == event(10, 20)


@pytest.mark.parametrize("other", [{"number": 7}, {"model": "another"}])
def test_an_event_at_the_same_time_is_the_same_whatever_its_number(other: dict[str, object]) -> None:
    (one,) = settled(seen(event(15, 30, **other)), [event(10, 20)], 32)
    assert one.event.begin == 10


@pytest.mark.parametrize("other", [{"number": 7}, {"model": "another"}])
def test_a_later_event_is_another(other: dict[str, object]) -> None:
    new, old = settled(seen(event(40, 50, **other)), [event(10, 20)], 52)[::-1]
    assert (new.event.begin, new.before, old.event.lasts) == (40, None, False)


def test_a_number_that_is_given_again_is_another_event() -> None:
    """The last rows of a dump are judged anew, and what was an event there may be none any more."""
    new, old = settled(seen(event(40, 50, goes_on=False)), [event(10, 20)], 52)[::-1]
    assert (new.event.begin, new.before, old.event.lasts) == (40, None, False)
    (same,) = settled(seen(event(24, 30, goes_on=False)), [event(10, 20)], 32)
    assert same.event.begin == 10


def test_a_number_counts_only_onwards_in_time() -> None:
    events = settled(seen(event(1, 2)), [event(10, 20, lasts=False)], 52)
    assert [one.event.begin for one in events] == [1]


def test_an_event_is_over_once_rows_behind_it_are_not_flagged() -> None:
    known = [event(10, 20)]
    assert [one.event.lasts for one in settled([], known, 25)] == [True]
    assert [one.event.lasts for one in settled([], known, 25.1)] == [False]
    # One that alarms adapted to is flagged now and then alone.
    assert [one.event.lasts for one in settled([], [event(10, 20, adopted=True)], 60)] == [True]


def test_of_series_that_were_not_read_nothing_is_said() -> None:
    assert settle([], [event(10, 20)], {("m1",): 100.0}, PACE) == []


def kinds(store: SentMessages, one: Settled, now: float, deliver: bool = True) -> list[str]:
    """What is due, once it is entered and delivered."""
    found = due([one], NotifyRequest([TARGET], remind=100.0), store, now)
    messages = [Message("digest", each.settled.event.subject, each.kind, {}, "", "") for each in found]
    store.enter([one.event], messages, now)
    if deliver:
        store.deliver(messages, now)
    return [each.kind for each in found]


def test_new_once_reminded_in_time_and_over_once() -> None:
    lasts, over = event(0, 10), event(0, 10, lasts=False)
    (look,) = seen(lasts)
    with SentMessages(None, "job") as store:
        assert kinds(store, Settled(lasts, None, look), 0) == [NEW]
        assert kinds(store, Settled(lasts, lasts, look), 99) == []
        assert kinds(store, Settled(lasts, lasts, look), 100) == [REMINDER]
        assert kinds(store, Settled(lasts, lasts, look), 199) == []
        assert kinds(store, Settled(lasts, lasts, None), 300) == []
        assert kinds(store, Settled(over, lasts, None), 301) == [OVER]
        assert kinds(store, Settled(over, over, None), 302) == []


def test_what_ended_within_its_first_run_is_told_of_once() -> None:
    over = event(0, 10, lasts=False)
    with SentMessages(None, "job") as store:
        assert kinds(store, Settled(over, None, seen(over)[0]), 0) == [NEW]
        assert kinds(store, Settled(over, over, seen(over)[0]), 1) == []


def test_what_was_not_delivered_is_due_again() -> None:
    lasts, over = event(0, 10), event(0, 10, lasts=False)
    with SentMessages(None, "job") as store:
        assert kinds(store, Settled(lasts, None, seen(lasts)[0]), 0, deliver=False) == [NEW]
        assert kinds(store, Settled(lasts, lasts, seen(lasts)[0]), 1, deliver=False) == [NEW]
        assert kinds(store, Settled(over, lasts, None), 2) == [OVER]


def test_of_an_event_that_a_target_was_never_told_of_its_end_is_not_news() -> None:
    with SentMessages(None, "job") as store:
        assert kinds(store, Settled(event(0, 10, lasts=False), event(0, 10), None), 0) == []


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=12))
def test_however_dumps_are_cut_each_event_is_new_once_and_over_at_most_once(
    dumps: list[tuple[int, bool]],
) -> None:
    """Dumps of so many rows, a second each, flagged as a whole or not; numbered as sessions number them."""
    clock, number, last_flagged, known = 0.0, 0, -1e9, list[KnownEvent]()
    said: list[tuple[str, str]] = []
    with SentMessages(None, "job") as store:
        for rows, flagged in dumps:
            found = []
            if flagged:
                number += clock - last_flagged > PACE.gap
                found = seen(event(clock, clock + rows - 1, number))
                last_flagged = clock + rows - 1
            clock += rows
            each = settle(found, store.events(), {SERIES: clock - 1}, PACE)
            messages = [
                Message("digest", one.settled.event.subject, one.kind, {}, "", "")
                for one in due(each, NotifyRequest([TARGET], remind=1e9), store, clock)
            ]
            store.enter([one.event for one in each], messages, clock)
            store.deliver(messages, clock)
            said += [(one.kind, one.subject) for one in messages]
            known = store.events()
    assert len(known) == number
    assert sorted(subject for kind, subject in said if kind == NEW) == sorted(one.subject for one in known)
    assert len({subject for kind, subject in said if kind == OVER}) == sum(kind == OVER for kind, _ in said)
    assert REMINDER not in dict(said)


def test_an_event_that_is_muted_for_a_while_is_neither_over_nor_new_again() -> None:
    known, muted = [event(10, 20)], event(30, 60)
    (while_muted,) = settle([], known, {SERIES: 60.0}, PACE, [muted])
    assert (while_muted.event.begin, while_muted.event.until, while_muted.event.lasts) == (10, 60, True)
    assert (while_muted.seen, while_muted.event.facts["start"]) == (None, "10")
    (after,) = settled(seen(event(61, 80)), [while_muted.event], 80)
    assert (after.event.begin, after.before) == (10, while_muted.event)
    (over,) = settled([], [while_muted.event], 66)
    assert not over.event.lasts


def test_a_muted_event_that_nobody_was_told_of_is_no_news() -> None:
    assert settle([], [], {SERIES: 60.0}, PACE, [event(30, 60)]) == []
    (old,) = settle([], [event(10, 12)], {SERIES: 60.0}, PACE, [event(30, 60, number=2)])
    assert (old.event.until, old.event.lasts) == (12, False)
    assert settle([], [event(10, 20, lasts=False)], {SERIES: 60.0}, PACE, [event(22, 60)]) == []
