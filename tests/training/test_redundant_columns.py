"""Columns that repeat what others say are named, truly, and only such."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.data.cells import CellRules
from aedetect.engine.callbacks import Callback
from aedetect.io.inputs import as_inputs
from aedetect.training.profiling import profile_inputs
from aedetect.training.redundant_columns import (
    RedundancySearch,
    date_parts,
    find_relations,
    redundancy_notice,
)

ROWS = 400


def said(frame: pd.DataFrame, **settings: Any) -> str | None:
    """What is said of the columns of a table."""
    config = Config.build(overrides=settings)
    inputs = as_inputs(frame, config.data)
    return redundancy_notice(*find_relations(inputs, config, profile_inputs(inputs, config).schema))


@pytest.fixture
def frame() -> pd.DataFrame:
    """Dates, amounts and a category that say nothing of one another."""
    random = np.random.default_rng(0)
    when = pd.date_range("2025-11-01", periods=ROWS, freq="397min")
    return pd.DataFrame(
        {
            "when": when.strftime("%Y-%m-%d %H:%M"),
            "net": random.gamma(2, 50, ROWS).round(2),
            "tax": random.gamma(2, 9, ROWS).round(2),
            "shop": random.choice(["north", "south", "east"], ROWS),
        }
    )


def test_nothing_is_said_of_columns_that_are_not_related(frame: pd.DataFrame) -> None:
    assert said(frame) is None


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda f: f.assign(again=f["shop"]), "'again' is a copy of 'shop'"),
        (lambda f: f.assign(again=f["net"]), "'again' is a copy of 'net'"),
        (lambda f: f.assign(cents=(f["net"] * 100).round()), "'cents' is 100 × 'net'"),
        (lambda f: f.assign(less=-f["net"]), "'less' is -1 × 'net'"),
        (lambda f: f.assign(vat=(f["net"] * 0.19).round(2)), "'vat' is 0.19 × 'net' but for rounding"),
        (lambda f: f.assign(gross=(f["net"] + f["tax"]).round(2)), "'gross' is 'net' + 'tax'"),
        (lambda f: f.assign(rest=(f["net"] - f["tax"]).round(2)), "'rest' is 'net' - 'tax'"),
    ],
)
def test_a_column_that_repeats_others_is_named(frame: pd.DataFrame, make: Any, text: str) -> None:
    more = make(frame)
    column = more.columns[-1]
    assert said(more) == (
        f"a column repeats what others say: {text}; it is learned all the same; "
        f"to leave it out, give --exclude {column}"
    )


def test_parts_of_a_date_are_named_together(frame: pd.DataFrame) -> None:
    when = pd.to_datetime(frame["when"])
    more = frame.assign(minute=when.dt.minute, hour=when.dt.hour, week_day=when.dt.day_of_week + 1)
    assert said(more) == (
        "columns repeat what others say: 'minute', 'hour' and 'week_day' are parts of 'when'; "
        "they are learned all the same; to leave them out, give --exclude minute,hour,week_day"
    )


def test_parts_of_the_time_of_a_series_are_named(frame: pd.DataFrame) -> None:
    more = frame.assign(hour=pd.to_datetime(frame["when"]).dt.hour)
    assert "'hour' is a part of 'when'" in str(said(more, **{"series.time": "when"}))


@pytest.mark.parametrize("column", ["again", "cents", "gross", "hour"])
def test_one_row_that_differs_is_enough(frame: pd.DataFrame, column: str) -> None:
    """Wherever it stands, also in a later batch."""
    more = frame.assign(
        again=frame["net"],
        cents=(frame["net"] * 100).round(),
        gross=frame["net"] + frame["tax"],
        hour=pd.to_datetime(frame["when"]).dt.hour,
    )
    more.loc[ROWS - 3, column] += 1
    text = str(said(more, **{"scoring.batch_rows": 100}))
    assert f"'{column}'" not in text
    assert text.count(";") >= 3


def test_what_is_not_learned_is_not_named(frame: pd.DataFrame) -> None:
    more = frame.assign(again=frame["net"], number=range(ROWS), number_again=range(ROWS))
    assert said(more, **{"data.exclude": "again"}) is None
    assert said(more, **{"data.id": "net"}) is None


def test_names_that_a_shell_would_read_are_quoted(frame: pd.DataFrame) -> None:
    assert str(said(frame.assign(**{"net again": frame["net"]}))).endswith("give --exclude 'net again'")
    assert str(said(frame.assign(**{"net, again": frame["net"]}))).endswith("it is learned all the same")


def test_long_lists_are_cut(frame: pd.DataFrame) -> None:
    more = frame.assign(**{f"copy_number_{index}_of_net": frame["net"] for index in range(20)})
    text = str(said(more))
    assert text.endswith(
        "'copy_number_7_of_net' is a copy of 'net'; and 12 more; they are learned all the same"
    )


def test_gaps_and_infinite_cells_do_no_harm(frame: pd.DataFrame) -> None:
    more = frame.assign(cents=(frame["net"] * 100).round())
    more.loc[[3, 9], ["net", "cents"]] = np.nan
    more.loc[7, ["net", "cents"]] = np.inf
    assert "'cents' is 100 × 'net'" in str(said(more))
    more.loc[20, "cents"] = np.nan
    assert said(more) is None


def test_only_so_many_rows_are_read(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aedetect.training.redundant_columns._MOST_ROWS", 100)
    more = frame.assign(again=frame["net"])
    assert str(said(more, **{"scoring.batch_rows": 100})).startswith(
        "a column repeats what others say in the first 100 rows: "
    )


def test_a_few_rows_say_nothing() -> None:
    search = RedundancySearch(CellRules())
    search.take(pa.RecordBatch.from_pydict({"a": [1.0, 2.0], "b": [1.0, 2.0]}))
    assert not search.is_over


def test_dates_are_taken_apart_as_pandas_does() -> None:
    when = pd.date_range("1969-12-25", periods=3000, freq="19997min")
    parts = date_parts(when.as_unit("s").astype("int64").to_numpy().astype(float))
    expected = {
        "year": when.year, "quarter": when.quarter, "month": when.month, "day": when.day, "hour": when.hour,
        "minute": when.minute, "day of the year": when.day_of_year, "weekday": when.day_of_week,
        "week": when.isocalendar().week.to_numpy(),
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_array_equal(parts[name], values, name)


def test_training_says_it_once(frame: pd.DataFrame) -> None:
    from aedetect.training.fit import fit
    from aedetect.training.request import FitRequest

    class Heard(Callback):
        notices: list[str] = []  # noqa: RUF012

        def notice(self, text: str) -> None:
            self.notices.append(text)

    config = Config.build(overrides={"training.epochs": 1, "model.width": 8, "training.folds": 2})
    inputs = as_inputs(frame.assign(again=frame["net"]), config.data)
    fit(FitRequest(inputs, config, Heard()))
    assert [text for text in Heard.notices if "copy" in text] == [
        "a column repeats what others say: 'again' is a copy of 'net'; it is learned all the same; "
        "to leave it out, give --exclude again"
    ]
