"""What is kept of series for their next rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.context import SCALES, AlarmState, CarryOver, LastingState, SeriesContext

NAN = float("nan")


def rows(seconds: list[float], values: list[float], series: list[int] | None = None) -> Rows:
    count = len(seconds)
    return Rows(
        np.array(seconds, dtype=np.float64),
        np.array(series or [0] * count, dtype=np.int64),
        np.array(values, dtype=np.float32).reshape(count, 1),
        np.arange(count) == 1,
        np.arange(count) == 2,
    )


def fresh(length: int, beginning: int = 0, scaled: frozenset[tuple[str, ...]] = frozenset()) -> CarryOver:
    # Rows come every second.
    return CarryOver({}, length - 0.5, 5.0, beginning, scaled)


def calm(series: int, rows: Rows) -> AlarmState:
    """No alarm, whatever is kept."""
    return AlarmState()


def test_alarms_come_back() -> None:
    calm_level = (0.0, False, 0.0, 0.0, 0, 0.0)
    levels = dict.fromkeys(SCALES, calm_level) | {"long": (1.5, True, 0.5, 2.0, 7, 9.25)}
    state = AlarmState(levels, until=17.5, event=3, event_until=12.0, last=(5.0, 1.0, 40.0))
    context = SeriesContext(rows([1, 2], [1, 2]), state)
    assert SeriesContext.from_bytes(context.to_bytes()).alarms == state
    (changed,) = fresh(2).after(rows([1, 2], [1, 2]), [()], lambda series, kept: state).values()
    assert changed.alarms == state


def test_an_event_that_is_held_comes_back() -> None:
    calm_level = (0.0, False, 0.0, 0.0, 0, 0.0)
    lasting = LastingState(12.0, 3.5, {"long": 0.5, "step": 0.0}, {"long": (3.0, 1.25, 0.5)})
    state = AlarmState(dict.fromkeys(SCALES, calm_level), 17.5, 3, 12.0, lasting=lasting)
    plain = replace(state, lasting=None)
    for readings in (None, np.array([[1.5], [2.5]])):
        context = SeriesContext(replace(rows([1, 2], [1, 2]), readings=readings), state)
        back = SeriesContext.from_bytes(context.to_bytes())
        assert back.alarms == state
        assert SeriesContext.from_bytes(replace(context, alarms=plain).to_bytes()).alarms == plain
        if readings is not None:
            np.testing.assert_array_equal(back.rows.readings, readings)
    with pytest.raises(ValueError, match="bytes"):
        SeriesContext.from_bytes(context.to_bytes()[:-9])


def test_what_older_versions_kept_has_no_alarms() -> None:
    data = SeriesContext(rows([1, 2], [1, 2])).to_bytes()
    older = SeriesContext.from_bytes(data[: 16 + 2 * 8 + 2 * 4 + 2])
    assert older.alarms == AlarmState()
    assert older.rows.seconds.tolist() == [1, 2]


def test_there_and_back() -> None:
    tail = SeriesContext(rows([1.5, 2, 3], [1, NAN, 3]))
    back = SeriesContext.from_bytes(tail.to_bytes())
    for name in ("seconds", "series", "values", "unscorable", "infinite"):
        np.testing.assert_array_equal(getattr(back.rows, name), getattr(tail.rows, name))
    assert tail.until.isoformat() == "1970-01-01T00:00:03+00:00"
    assert SeriesContext(rows([1e15], [1])).until.year == 9999
    assert SeriesContext(rows([-1e15], [1])).until.year == 1


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"x"])
def test_other_bytes_are_refused(spoil: object) -> None:
    data = SeriesContext(rows([1, 2], [1, 2])).to_bytes()
    with pytest.raises(ValueError, match=r"bytes"):
        SeriesContext.from_bytes(spoil(data))  # type: ignore[operator]


def test_the_last_rows_of_each_series_in_the_order_of_time() -> None:
    found = fresh(2).after(
        rows([3, 1, 2, 9, NAN], [30, 10, 20, 90, 0], [0, 0, 0, 1, 0]), [("a",), ("b",)], calm
    )
    assert found[("a",)].rows.seconds.tolist() == [2, 3]
    assert found[("a",)].rows.values.ravel().tolist() == [20, 30]
    assert found[("b",)].rows.seconds.tolist() == [9]


def test_the_beginning_is_kept_where_it_gives_the_scale() -> None:
    many = rows(list(range(10)), list(range(10)))
    assert fresh(2, 3).after(many, [()], calm)[()].rows.seconds.tolist() == [0, 1, 2, 8, 9]
    assert fresh(2, 3, frozenset([()])).after(many, [()], calm)[()].rows.seconds.tolist() == [8, 9]
    assert fresh(5, 5).after(many, [()], calm)[()].rows.seconds.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("seconds", "values", "first"),
    [
        ([0, 1, 2, 3], [7, NAN, NAN, 1], 7.0),
        # What lies before a pause is not the last known.
        ([0, 11, 12, 13], [7, NAN, NAN, 1], NAN),
        ([0, 1, 2, 3], [7, NAN, 5, 1], 5.0),
    ],
)
def test_a_missing_cell_keeps_the_last_known(seconds: list[float], values: list[float], first: float) -> None:
    kept = fresh(2).after(rows(seconds, values), [()], calm)[()]
    np.testing.assert_array_equal(kept.rows.values.ravel(), [first, 1.0])


def test_rows_delivered_anew_take_the_place_of_the_old() -> None:
    tails = fresh(4)
    tails.after(rows([1, 2, 3], [1, 2, 3]), [()], calm)
    found = tails.after(rows([3, 4], [33, 44]), [()], calm)[()]
    assert found.rows.seconds.tolist() == [1, 2, 3, 4]
    assert found.rows.values.ravel().tolist() == [1, 2, 33, 44]


def test_what_others_hold_is_not_given_twice() -> None:
    tails = fresh(3)
    tails.after(rows([1, 2, 1], [1, 2, 9], [0, 0, 1]), [("a",), ("b",)], calm)
    given = tails.rows(rows([2, 7], [5, 7], [1, 0]), [("new",), ("a",)])
    # Nor are series that have nothing new.
    assert (given.seconds.tolist(), given.series.tolist()) == ([1], [1])


def test_nothing_kept_and_nothing_come() -> None:
    nothing = together([], 1)
    assert not fresh(3).precede(nothing, [])
    assert len(fresh(3).rows(nothing, [()])) == 0
    assert fresh(3).after(nothing, [()], calm) == {}


def test_whether_all_that_is_kept_comes_before() -> None:
    tails = fresh(3)
    tails.after(rows([1, 2], [1, 2]), [("a",)], calm)
    assert tails.precede(rows([3, 1], [1, 1], [0, 1]), [("a",), ("new",)])
    assert not tails.precede(rows([3, 2], [1, 1]), [("a",)])


def test_readings_of_counters_come_back() -> None:
    counted = replace(
        rows([1, 2, 3], [NAN, NAN, NAN]), readings=np.array([[1e15, 2], [1e15 + 1, 3], [NAN, 4]])
    )
    back = SeriesContext.from_bytes(SeriesContext(counted).to_bytes()).rows
    np.testing.assert_array_equal(back.readings, counted.readings)
    with pytest.raises(ValueError, match=r"bytes"):
        SeriesContext.from_bytes(SeriesContext(counted).to_bytes()[:-8])


def test_readings_are_carried_over_in_the_order_of_time() -> None:
    counted = replace(rows([3, 1, 2], [NAN, NAN, NAN]), readings=np.array([[30.0], [10], [20]]))
    found = fresh(2).after(counted, [()], calm)[()].rows
    assert found.readings is not None
    assert found.readings.ravel().tolist() == [20, 30]
    assert together([found, counted], 1).readings.ravel().tolist() == [20, 30, 30, 10, 20]  # type: ignore[union-attr]


def test_values_of_64_bits_come_back_as_such() -> None:
    wide = replace(rows([1, 2], [0, 0]), values=np.array([[0.1 + 1e-12], [NAN]]))
    back = SeriesContext.from_bytes(SeriesContext(wide).to_bytes()).rows
    assert back.values.dtype == np.float64
    np.testing.assert_array_equal(back.values, wide.values)
