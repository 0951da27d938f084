"""Deliveries held against those before them, in figures and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.dumps import DAY, HOUR, START, at, dump

from aedetect.engine.deliveries import Delivery
from aedetect.tasks.health import Circumstances, Finding, Health, Judged, judge

GOOD = [dump(day, 980 + 5 * day) for day in range(14)]


def judged(history: Sequence[Delivery], new: Sequence[Delivery], now: float | None = None) -> Health:
    last = max(one.arrived for one in (*history, *new))
    inputs = [Judged(one.path, one.modified, one.path) for one in new]
    return judge([*history, *new], inputs, Circumstances("", 1, last if now is None else now))


def only(health: Health) -> Finding:
    (finding,) = health.findings
    assert health.unjudged == []
    return finding


def test_a_file_as_those_before_it() -> None:
    assert judged(GOOD, [dump(14, 1010)]) == Health()


def test_a_small_file() -> None:
    finding = only(judged(GOOD, [dump(14, 12, 0)]))
    assert finding == Finding(
        "rows",
        "in/2026-03-16.csv: 12 rows; the 14 files before it had 980 to 1,045 (limits 759 to 1,351)",
        12, 759, 1351, "in/2026-03-16.csv",
    )  # fmt: skip


@pytest.mark.parametrize(("rows", "kinds"), [(0, ["rows"]), (5000, ["rows"]), (1300, []), (800, [])])
def test_sizes(rows: int, kinds: list[str]) -> None:
    assert [one.kind for one in judged(GOOD, [dump(14, rows, rows // 100)]).findings] == kinds


def test_too_few_before_it_is_said() -> None:
    health = judged(GOOD[:3], [dump(3, 12)])
    assert health.findings == []
    assert health.unjudged == [
        "nothing is said of in/<date>.csv: 3 files came before, and at least 7 are needed"
    ]


def sundays(weeks: int) -> list[Delivery]:
    return [dump(day, 100 if day % 7 == 6 else 1000, 1 if day % 7 == 6 else 10) for day in range(7 * weeks)]


@pytest.mark.parametrize("weeks", range(1, 7))
def test_small_sundays_never_alarm(weeks: int) -> None:
    history = sundays(weeks)
    for place in range(len(history)):
        assert judged(history[:place], [history[place]]).findings == [], place


def test_a_sunday_as_large_as_other_days_does_once_sundays_are_known() -> None:
    finding = only(judged(sundays(5)[:-1], [dump(34, 1000)]))
    assert finding.text.startswith("in/2026-04-05.csv: 1,000 rows; the 4 Sundays before it had 100 (limits ")


def test_a_small_weekday_alarms_though_sundays_are_small() -> None:
    assert only(judged(sundays(3), [dump(21, 100, 1)])).kind == "rows"


def test_sick_files_do_not_make_sick_ones_usual() -> None:
    sick = [dump(14 + day, 12, 0) for day in range(5)]
    assert [one.kind for one in judged([*GOOD, *sick[:4]], sick[4:]).findings] == ["rows"]


def test_a_lasting_change_becomes_usual() -> None:
    history = [dump(day, 1000 if day < 30 else 3000, 10) for day in range(56)]
    assert judged(history[:31], history[31:32]).findings != []
    assert judged(history[:-1], history[-1:]).findings == []


def test_a_column_suddenly_empty() -> None:
    history = [dump(day, missing={"temp": 3 + day % 4, "load": 0}) for day in range(10)]
    finding = only(judged(history, [dump(10, missing={"temp": 4, "load": 1000})]))
    assert (finding.kind, finding.column, finding.value, finding.low) == ("empty", "load", 1.0, None)
    assert finding.text == (
        "in/2026-03-12.csv: column 'load' is empty; the 10 files before it lacked 0.0% (limit 6.1%)"
    )


def test_a_column_that_was_always_empty_or_half_empty() -> None:
    history = [dump(day, missing={"a": 1000, "b": 300 + 100 * (day % 5)}) for day in range(14)]
    assert judged(history, [dump(14, missing={"a": 1000, "b": 700})]).findings == []
    # However much it varied, it was never empty.
    assert only(judged(history, [dump(14, missing={"a": 1000, "b": 1000})])).column == "b"


def test_the_share_of_flagged_rows() -> None:
    finding = only(judged(GOOD, [dump(14, 1000, 200)]))
    assert (finding.kind, finding.value) == ("flagged", 0.2)
    assert finding.text.startswith(
        "in/2026-03-16.csv: 20.00% of the rows flagged; the 14 files before it had 0.9"
    )
    assert judged(GOOD, [dump(14, 1000, 15)]).findings == []


def test_shares_of_another_threshold_are_not_compared() -> None:
    assert judged(GOOD, [dump(14, 1000, 200, threshold=2.0)]).findings == []


def test_rows_of_a_window_are_flagged_together() -> None:
    one = dump(14, 1000, 100)
    inputs = [Judged(one.path, one.modified, one.path)]
    assert judge([*GOOD, one], inputs, Circumstances("", 1, one.arrived)).findings != []
    assert judge([*GOOD, one], inputs, Circumstances("", 100, one.arrived)).findings == []


def test_an_entity_that_stopped() -> None:
    history = [dump(day, entities=["m1", "m2", *["m3"] * (day % 2)]) for day in range(10)]
    finding = only(judged(history, [dump(10, entities=["m2"])]))
    assert (finding.kind, finding.entity) == ("entity", ("m1",))
    assert finding.text == (
        "in/2026-03-12.csv: no row of 'm1', which was in all of the 10 files before it (limit: 90%)"
    )


def test_an_entity_that_has_the_sunday_off() -> None:
    history = [dump(day, entities=["m1", *["m2"] * (day % 7 != 6)]) for day in range(34)]
    assert judged(history, [dump(34, entities=["m1"])]).findings == []
    assert only(judged(history[:-1], [dump(33, entities=["m1"])])).entity == ("m2",)


def test_days_without_a_file_are_told_with_the_next() -> None:
    finding = only(judged(GOOD, [dump(16, 1000)]))
    assert (finding.kind, finding.input, finding.value, finding.high) == ("missing", "in/<date>.csv", 2, 0)
    assert finding.text == (
        "in/<date>.csv: no file for 2026-03-16 and 2026-03-17 came before in/2026-03-18.csv; by the dates in "
        "the names of 14 files, one comes every day (limit: none missing)"
    )
    # And not again.
    assert judged([*GOOD, dump(16, 1000)], [dump(17, 1000)]).findings == []


def test_a_late_file() -> None:
    due = START + 15 * DAY + 3 * HOUR
    assert judged(GOOD, [], due + 5 * HOUR).findings == []
    finding = only(judged(GOOD, [], due + 7 * HOUR))
    assert (finding.kind, finding.value, finding.high) == ("late", 31 * HOUR, 30 * HOUR)
    assert finding.text == (
        "in/<date>.csv: no file for 2026-03-16 has come; by the dates in the names of 14 files, one comes "
        "every day, and this one was due by 2026-03-17 09:00 UTC (the last came 2026-03-16 03:00 UTC)"
    )


def test_a_file_that_is_there_is_not_late_though_it_could_not_be_scored() -> None:
    failed = dump(14)
    inputs = [Judged(failed.path, failed.modified, failed.path, scored=False)]
    assert judge(GOOD, inputs, Circumstances("", 1, START + 15 * DAY + 12 * HOUR)) == Health()


def test_a_stream_that_ended_long_ago() -> None:
    health = judged(GOOD, [], START + 200 * DAY)
    assert health.findings == []
    assert health.unjudged == ["in/<date>.csv is taken to have ended: its last file is of 2026-03-15"]


def test_files_at_no_regular_time() -> None:
    days = [0, 3, 8, 11, 17, 20, 24, 29, 33]
    history = [at(dump(0, name=f"in/{place}.csv"), START + day * DAY) for place, day in enumerate(days)]
    assert judged(history, [], START + 40 * DAY).findings == []
    finding = only(judged(history, [], START + 60 * DAY))
    assert finding.text == (
        "in/#.csv: no file for 27 d; of the 8 before, each came within 3 d to 6 d of the last "
        "(limit 12 d 10 h)"
    )


def test_files_copied_all_at_once() -> None:
    history = [at(dump(0, name=f"in/{place}.csv"), START) for place in range(9)]
    health = judged(history, [])
    assert health.unjudged == ["in/#.csv: their times of change do not tell when its files are due"]


def test_streams_are_apart() -> None:
    other = [dump(day, 20, 0, name="in/small-{:%Y%m%d}.csv") for day in range(14)]
    assert (
        judged([*GOOD, *other], [dump(14, 1000), dump(14, 20, 0, name="in/small-{:%Y%m%d}.csv")]) == Health()
    )


def test_what_two_models_scored_counts_once() -> None:
    twice = [replace(one, model=model) for one in GOOD[:5] for model in ("a", "b")]
    assert judged(twice, [dump(5, 12)]).findings == []


def test_a_file_that_is_put_right_is_held_against_those_before_it() -> None:
    first = dump(14, 12, 0)
    again = replace(dump(14, 1000), modified=first.modified + 10**12)
    assert judged([*GOOD, first], [again]) == Health()


def test_order_of_scoring_does_not_matter() -> None:
    history = [*GOOD, dump(14, 12, 0)]
    expected = judged(GOOD, [dump(14, 12, 0)])
    assert judged(history[::-1][1:], history[-1:]) == expected


def test_as_entries_of_a_summary() -> None:
    entry: dict[str, Any] = only(judged(GOOD, [dump(14, 12, 0)])).as_dict()
    assert list(entry) == ["kind", "input", "column", "entity", "value", "low", "high", "text"]
    assert (entry["column"], entry["entity"]) == (None, None)
