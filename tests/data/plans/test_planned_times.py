"""Which rows are within an entry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.plans.entries import Entry, Moment
from aedetect.data.plans.planned_times import Columns, PlannedTimes, fits, read_plans
from aedetect.data.plans.table import TablePlan
from aedetect.errors import DataError

YEAR = 365.2425 * 86_400


def times(*ends: tuple[float, float]) -> PlannedTimes:
    entries = [
        Entry(Moment(start, False), Moment(end, False), f"e{place}", "here")
        for place, (start, end) in enumerate(ends)
    ]
    return PlannedTimes([TablePlan("p.csv", entries, (), True)], Columns(), "UTC")


INSTANTS = st.floats(-2 * YEAR, 4 * YEAR).map(round)


@given(st.lists(st.tuples(INSTANTS, st.integers(1, 10**8)), max_size=5), st.lists(INSTANTS, max_size=20))
def test_rows_are_within_from_the_start_on_and_before_the_end(
    entries: list[tuple[int, int]], seconds: list[int]
) -> None:
    ends = [(start, start + length) for start, length in entries]
    planned = times(*ends)
    spans, places = planned.of_rows(np.array([*seconds, np.nan]), lambda _: np.empty(0))
    assert places[-1] == -1
    for second, place in zip(seconds, places.tolist(), strict=False):
        inside = [start for start, end in ends if start <= second < end]
        assert (place >= 0) == bool(inside)
        if place >= 0:
            # Of several, the one that begins first.
            assert spans[place].start == min(inside)


@given(st.lists(INSTANTS, min_size=1, max_size=20), st.integers(1, 19))
def test_where_rows_are_cut_changes_nothing(seconds: list[int], cut: int) -> None:
    planned = times((0, YEAR / 2), (YEAR, 3 * YEAR))
    values = np.array(seconds, dtype=np.float64)

    def names(part: np.ndarray) -> list[str]:
        spans, places = planned.of_rows(part, lambda _: np.empty(0))
        return [spans[place].name if place >= 0 else "" for place in places.tolist()]

    assert names(values[:cut]) + names(values[cut:]) == names(values)


def test_patterns() -> None:
    values = np.array(["web-1", "Web-1", "db", ""], dtype=object)
    assert fits(values, "web-*").tolist() == [True, False, False, False]
    assert fits(values, "").tolist() == [False, False, False, True]
    assert fits(np.array(["a[1]"], dtype=object), "a[1]").tolist() == [True]
    assert fits(values[:0], "x").tolist() == []


PLAN = "start,end,name,{column}\n2026-01-01,2026-01-02,x,{text}\n"


def read(folder: Path, column: str, text: str, columns: Columns) -> PlannedTimes:
    path = folder / "plan.csv"
    path.write_text(PLAN.format(column=column, text=text))
    return PlannedTimes(read_plans([path]), columns, "UTC")


def test_several_columns_name_an_entity(tmp_path: Path) -> None:
    both = Columns(["site", "machine"])
    (span,) = read(tmp_path, "entity", "north/m1", both).of_year(2026)
    assert span.where == (("site", "north"), ("machine", "m1"))
    (span,) = read(tmp_path, "machine", "m*", both).of_year(2026)
    assert span.where == (("machine", "m*"),)
    with pytest.raises(DataError) as error:
        read(tmp_path, "entity", "m1", both)
    assert str(error.value) == (
        f"{tmp_path / 'plan.csv'}: row 1 (line 2): 'm1' is no entity; here one is written as site/machine"
    )


def test_a_column_that_rows_do_not_have(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, "hots", "a", Columns(all=["temp", "host"]))
    assert str(error.value) == (
        f"{tmp_path / 'plan.csv'}: column 'hots' is none of start, end, name, entity, and none "
        f"that rows are told "
        "apart by; did you mean 'host'? There are: temp, host"
    )
    with pytest.raises(
        DataError, match="column 'host' is none of start, end, name, entity, and none that rows"
    ):
        read(tmp_path, "host", "a", Columns())
