"""Flagged rows that are odd in the same way are one group, counted in full."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Config, Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.report import Report, ReportRequest, report
from aedetect.tasks.report.groups import SIDES
from aedetect.tasks.report.page import EXAMPLES


@cache
def detector() -> Detector:
    return Detector({"training.epochs": 10, "training.folds": 2, "model.width": 16}).fit(tiny_frame(1500))


def broken() -> pd.DataFrame:
    """900 rows: a failure of 200, another of 30 the other way, a new word, and a missing value."""
    frame = tiny_frame(900, seed=7)
    frame.loc[300:499, "load"] = np.linspace(400, 800, 200).round(1)
    frame.loc[600:629, "temp"] = -60.5
    frame.loc[700, "site"] = "moon"
    return frame


def reported(top: int = 50, batch_rows: int = 1000, frame: pd.DataFrame | None = None) -> Report:
    model = detector().adjusted(Config.build(overrides={"scoring.batch_rows": batch_rows}))
    inputs = as_inputs(broken() if frame is None else frame, model.config.data)
    return report(model.fitted, inputs, ReportRequest(top=top), "plant")


@cache
def made(top: int = 50, batch_rows: int = 1000) -> Report:
    return reported(top, batch_rows)


@pytest.mark.slow
def test_a_failure_of_many_rows_is_one_group() -> None:
    groups = made().findings.groups
    high = next(group for group in groups if (group.column, group.side) == ("load", "high"))
    assert 200 <= high.count <= 205
    low = next(group for group in groups if (group.column, group.side) == ("temp", "low"))
    assert 30 <= low.count <= 35
    assert ("site", "rare or new") in {(group.column, group.side) for group in groups}
    assert sum(row.explanation.duplicates for row in low.rows) >= 1
    shown = sum(len(group.rows) for group in groups)
    assert shown <= 50


@pytest.mark.slow
@pytest.mark.parametrize("top", [1, 3, 50, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("batch_rows", [13, 1000])
def test_groups_hold_every_flagged_row_once(top: int, batch_rows: int) -> None:
    found = made(top, batch_rows).findings
    assert sum(group.count for group in found.groups) == found.counts.anomalies
    assert sum(len(group.rows) for group in found.groups) <= top
    assert all(group.unlisted >= 0 for group in found.groups)
    flagged = detector().score(broken()).is_anomaly
    rows = [row.explanation.row for group in found.groups for row in group.rows]
    assert len(set(rows)) == len(rows)
    assert flagged[[row - 1 for row in rows]].all()
    first = max(
        (row.explanation for group in found.groups for row in group.rows), key=lambda one: one.score or 0
    )
    assert first.score == detector().score(broken()).anomaly_score.max()


@pytest.mark.slow
def test_groups_do_not_depend_on_how_rows_are_read() -> None:
    def told(batch_rows: int) -> list[tuple[object, ...]]:
        return [
            (group.column, group.side, group.outcomes.tolist(), [row.explanation.row for row in group.rows])
            for group in made(20, batch_rows).findings.groups
        ]

    assert told(7) == told(250) == told(10_000)


def test_every_listed_row_is_of_the_column_and_side_of_its_group() -> None:
    middle = tiny_frame(1500)[["temp", "load"]].median()
    frame = broken()
    checked = 0
    for group in made().findings.groups:
        assert group.side in SIDES
        for row in group.rows:
            assert row.explanation.sentence.startswith(group.column)
            if group.column in middle and group.side in ("high", "low"):
                value = frame[group.column][row.explanation.row - 1]
                assert (value > middle[group.column]) == (group.side == "high")
                checked += 1
    assert checked > 30


def test_missing_cells_are_a_side() -> None:
    frame = broken()
    frame.loc[100:110, "temp"] = np.nan
    sides = {(group.column, group.side) for group in reported(frame=frame).findings.groups}
    assert not any(side == "missing" and column == "load" for column, side in sides)


def test_the_page_shows_groups_with_count_place_and_examples() -> None:
    page = unescape(made().html())
    high = made().findings.groups[0]
    assert f"high</span>: <b>{high.count} rows</b>" in page or f" high: <b>{high.count} rows</b>" in page
    group = page.split('<div class="group">')[1].split('<details class="more">')[0]
    assert group.count('<details class="row"') == EXAMPLES
    assert f"{len(high.rows) - EXAMPLES} more of these" in page
    assert f"and {high.unlisted:,} more like these, not listed" in page
    listed = sum(one.duplicates for one in made().findings.strangest)
    assert f"{listed} of {made().findings.counts.anomalies} flagged rows: of each group the strangest" in page


def test_where_the_rows_of_a_group_stand() -> None:
    frame = tiny_frame(900, seed=7)
    frame.loc[300:499, "load"] = np.linspace(4000, 8000, 200).round(1)
    model = detector().adjusted(Config.build(overrides={"threshold.value": 20.0}))
    found = report(model.fitted, as_inputs(frame, model.config.data), ReportRequest(), "plant")
    assert [(group.first, group.last, group.count) for group in found.findings.groups] == [
        ((0, 301), (0, 500), 200)
    ]
    assert '<b>200 rows</b> <span class="note">rows 301 to 500</span>' in found.html()


def test_a_message_names_a_group_once() -> None:
    lines = [line for line in made().markdown().splitlines() if line.startswith("| row ")]
    assert len([line for line in lines if " more like it" in line]) >= 2
    assert len(lines) == 1 + min(10, sum(bool(group.rows) for group in made().findings.groups))


def test_what_no_listed_row_stands_for_is_counted_too() -> None:
    found = made(1).findings
    others = [group for group in found.groups if not group.rows]
    rest = sum(group.count for group in others)
    assert rest
    assert f"Of {rest:,} more flagged rows the largest part of the error is in " in made(1).html()
    assert re.search(r"temp \(low\): \d+", made(1).html())
