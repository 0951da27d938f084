"""Silences as messages know them."""

from __future__ import annotations

from dataclasses import replace

from aedetect.engine.sent_messages import KnownEvent
from aedetect.tasks.notify.silences import settle_silences

SERIES = ("m1",)
LASTS = KnownEvent(SERIES, 10.0, 50.0, "model", 0, True, False, {"start": "10", "text": "no row since 10"})


def test_a_silence_lasts_until_it_has_an_end() -> None:
    (new,) = settle_silences([LASTS], [], {})
    assert (new.event, new.before) == (LASTS, None)
    ended = replace(LASTS, until=60.0, lasts=False)
    (over,) = settle_silences([ended], [LASTS], {SERIES: 70.0})
    assert (over.event, over.before) == (ended, LASTS)


def test_a_silence_that_late_rows_fill_is_over() -> None:
    assert settle_silences([], [LASTS], {}) == []
    assert settle_silences([], [LASTS], {SERIES: 10.0}) == []
    (over,) = settle_silences([], [LASTS], {SERIES: 11.0})
    assert (over.event.lasts, over.before, over.seen) == (False, LASTS, None)
    assert over.event.facts["text"] == "10 was the last row, and more came late; it is silent no more."
    assert settle_silences([], [replace(LASTS, lasts=False)], {SERIES: 11.0}) == []
