"""What messages say."""

from __future__ import annotations

from collections import Counter

import pytest

from aedetect.engine.sent_messages import NEW, REMINDER, KnownEvent
from aedetect.engine.task import FileSummary
from aedetect.tasks.notify import wording

FACTS = {"start": "2026-02-03 04:05 UTC", "end": "2026-02-03 05:10 UTC"}
EVENT = KnownEvent(("m1", "x"), 0.0, 3900.0, "digest", 3, False, False, FACTS)


def test_titles_say_whose_event_and_when() -> None:
    lasts = KnownEvent((), 0.0, 3900.0, "digest", 3, True, False, FACTS)
    assert wording.event_title("job", EVENT, NEW) == (
        "job: event 3 of m1/x, 2026-02-03 04:05 UTC to 2026-02-03 05:10 UTC"
    )
    assert wording.event_title("job", lasts, NEW) == "job: event 3 since 2026-02-03 04:05 UTC"
    assert wording.event_title("job", lasts, REMINDER) == (
        "job: event 3 still lasts, since 2026-02-03 04:05 UTC"
    )


def test_one_line_says_that_it_is_over() -> None:
    assert wording.over_body(EVENT, counted=False) == (
        "Event 3 of m1/x is over: it lasted 1 h 5 min, from 2026-02-03 04:05 UTC to 2026-02-03 05:10 UTC."
    )
    adopted = KnownEvent(
        (), 7.0, 9.0, "digest", 3, False, True, {"start": "7", "end": "9", "adopted_since": "10"}
    )
    assert wording.over_body(adopted, counted=True) == (
        "Event 3 is over: it lasted from 7 to 9, and counts as normal since 10."
    )


def test_an_event_of_one_row_did_not_last() -> None:
    alone = KnownEvent((), 7.0, 7.0, "digest", 3, False, False, {"start": "7", "end": "7"})
    assert wording.over_body(alone, counted=False) == "Event 3 is over: it was at 7 alone."


def test_an_event_without_an_explanation_still_says_when_and_how_odd() -> None:
    peak = {"rows": 1, "peak_score": 12.345, "p_value": 1.25e-7}
    assert wording.event_body(EVENT, None, peak, counted=False) == (
        "From 2026-02-03 04:05 UTC to 2026-02-03 05:10 UTC (1 h 5 min), 1 flagged row. It has ended.\n"
        "Peak score 12.3, p-value 1.2e-07."
    )


def test_of_many_files_the_first_are_named() -> None:
    files = [
        FileSummary(f"{number}.csv", None, "scored", Counter(rows=10, anomalies=number))
        for number in range(8)
    ]
    assert wording.rows_body(files, []).splitlines() == [
        *(f"{number}.csv: {number} of 10 rows flagged" for number in range(1, 6)),
        "and 13 in 2 more files",
        "Why:",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@channel", "@\u200bchannel"),
        ("<!here> <@U12>", "<\u200b!here> <\u200b@\u200bU12>"),
        ("a < b @ 3", "a < b @ 3"),
        ("two\nlines\x1b[0m", "two\\nlines\\x1b[0m"),
    ],
)
def test_text_from_data_is_one_line_that_calls_nobody(text: str, shown: str) -> None:
    assert wording.safe(text) == shown


def test_long_text_is_cut() -> None:
    assert wording.safe("a" * 500) == "a" * 399 + "…"


def test_many_messages_become_a_list_of_titles() -> None:
    assert wording.together([f"t{number}" for number in range(23)]).splitlines()[-2:] == [
        "- t19",
        "and 3 more",
    ]
