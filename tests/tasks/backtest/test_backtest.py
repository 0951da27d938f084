"""What would have fired: the same as scoring with each alert rate gives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from support.sensors import DAY, broken, readings
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.errors import DataError, UsageError
from aedetect.tasks.backtest import Backtest, Budget
from aedetect.tasks.backtest.budget import RATES_TRIED

QUICK = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "model.width": 16}
SERIES = {
    "series.time": ["time"],
    "series.window": 24,
    "training.epochs": 2,
    "training.device": "cpu",
    "model.width": 16,
}
SOME = RATES_TRIED[::10]


@pytest.fixture(scope="module")
def of_rows() -> Detector:
    return Detector(QUICK).fit(tiny_frame(400))


@pytest.fixture(scope="module")
def of_machines() -> Detector:
    return Detector({**SERIES, "series.entity": ["machine"]}).fit(readings(8, 2))


def rows(count: int = 300, seed: int = 5) -> pd.DataFrame:
    """Rows over ten days, of which every tenth has a load that is anything, and one none at all."""
    frame = tiny_frame(count, seed)
    odd = np.arange(count) % 10 == 3
    frame.loc[odd, "load"] = np.linspace(-100, 200, odd.sum()).round(2)
    frame["when"] = pd.date_range("2026-03-01", periods=count, freq="48min").strftime("%Y-%m-%d %H:%M")
    return frame


def machines() -> pd.DataFrame:
    """Two machines for four days: faults, rows that are odd at some rates alone, one without a time."""
    frame = broken(readings(4, 2, seed=5, start="2026-02-01"), 200, 230)
    random = np.random.default_rng(0)
    for place in random.choice(len(frame), 40, replace=False):
        frame.loc[place, "temp"] += random.uniform(0.7, 3)
    # A fault near midnight begins on one day and ends on the next.
    frame = broken(frame, 6 * DAY - 6, 6 * DAY + 12)
    frame["time"] = frame["time"].astype(object)
    frame.loc[50, "time"] = None
    return frame


def flagged(scored: pd.DataFrame) -> pd.Series:
    return scored["is_anomaly"].fillna(False).astype(bool)


def test_rows_of_a_table_fire_as_they_do_when_they_are_scored(of_rows: Detector) -> None:
    frame = rows()
    frame.loc[7, "temp"] = np.inf
    frame["open"] = frame["open"].where(frame.index != 9, "neither")
    found = of_rows.backtest(frame, rates=SOME, time_of="when")
    assert list(found.whole.fired) == list(SOME)
    assert found.whole.unscorable == 1
    counts = []
    for rate in SOME:
        scored = of_rows.score(frame, alert_rate=rate)
        by_day = flagged(scored).groupby(scored["when"].str[:10]).sum()
        assert {day.name: day.fired[rate].flagged for day in found.days or ()} == by_day.to_dict()
        assert found.whole.fired[rate].flagged == flagged(scored).sum()
        counts.append(int(by_day.sum()))
    assert counts[0] < counts[len(counts) // 2] < counts[-1]


def test_rows_of_groups_fire_by_their_own_thresholds() -> None:
    frame = rows(400)
    detector = Detector({**QUICK, "data.group": ["site"]}).fit(frame.drop(columns="when"))
    backtest = detector.backtest(rows(), rates=[0.01, 0.05, 0.2], time_of="when")
    for rate, fired in backtest.whole.fired.items():
        assert fired.flagged == flagged(detector.score(rows(), alert_rate=rate)).sum()


def test_events_of_series_fire_as_they_do_when_they_are_scored(of_machines: Detector) -> None:
    frame = machines()
    found = of_machines.backtest(frame, rates=SOME)
    day_of = pd.to_datetime(frame["time"]).dt.strftime("%Y-%m-%d")
    seen = []
    for rate in SOME:
        scored = of_machines.score(frame, alert_rate=rate)
        by_day = flagged(scored).groupby(day_of).sum()
        begun = scored[scored["anomaly_event"].notna()].groupby(["machine", "anomaly_event"]).head(1)
        events = day_of[begun.index].value_counts().reindex(by_day.index, fill_value=0)
        assert {day.name: day.fired[rate].flagged for day in found.days or ()} == by_day.to_dict()
        assert {day.name: day.fired[rate].events for day in found.days or ()} == events.to_dict()
        assert found.whole.unscorable == scored["is_anomaly"].isna().sum()
        seen.append(int(events.sum()))
    assert seen[0] < seen[-1]
    # Rows in memory bear no name by which they could be known as those learned from.
    assert [text for text in found.warnings if "trained" in text] == []
    assert found.untimed is not None
    assert (found.untimed.rows, found.untimed.unscorable) == (1, 1)


def test_readings_of_a_long_table_fire_as_they_do_when_they_are_scored() -> None:
    settings = {**SERIES, "series.series_name": "sensor", "series.value": "reading"}

    def long(days: int, seed: int, start: str) -> pd.DataFrame:
        wide = readings(days, 1, seed, start)
        melted = wide.melt(["time"], ["temp", "load"], "sensor", "reading")
        return melted.sort_values("time", kind="stable", ignore_index=True)

    detector, frame = Detector(settings).fit(long(8, 0, "2026-01-01")), long(3, 5, "2026-02-01")
    odd = (frame["sensor"] == "temp") & frame.index.isin(range(300, 360))
    frame.loc[odd, "reading"] += 9
    found = detector.backtest(frame, rates=SOME)
    for rate in SOME:
        scored = detector.score(frame, alert_rate=rate)
        assert found.whole.fired[rate].flagged == flagged(scored).sum()
        assert found.whole.fired[rate].events == scored["anomaly_event"].nunique()
    assert found.whole.fired[SOME[-1]].flagged


def test_every_row_is_of_one_dump_and_of_one_state(of_machines: Detector) -> None:
    frame = machines()
    found = of_machines.backtest([frame[:300], frame[300:900], frame[900:]], rates=[0.01])
    assert [dump.rows for dump in found.dumps] == [300, 600, len(frame) - 900]
    for entry in found.as_dict()["dumps"]:
        (at,) = entry["rates"]
        assert at["normal"] + at["flagged"] + entry["unscorable"] == entry["rows"]
    whole = found.whole.fired[0.01]
    assert sum(dump.fired[0.01].flagged for dump in found.dumps) == whole.flagged
    assert sum(dump.fired[0.01].events or 0 for dump in found.dumps) == whole.events


def budgeted(detector: Detector, frame: pd.DataFrame, budget: str, **more: str) -> Backtest:
    return detector.backtest(frame, budget=budget, **more)  # type: ignore[arg-type]


def test_the_rate_of_a_budget_is_what_scoring_with_it_gives(of_rows: Detector, of_machines: Detector) -> None:
    outcome = budgeted(of_rows, rows(), "3/day", time_of="when").budget
    assert outcome is not None
    assert outcome.chosen is not None
    assert outcome.looser is not None
    assert (outcome.unit, outcome.periods) == ("rows", 10)
    count = flagged(of_rows.score(rows(), alert_rate=outcome.chosen.rate)).sum()
    assert outcome.chosen.mean == count / 10 <= 3
    assert (
        flagged(of_rows.score(rows(), alert_rate=outcome.looser.rate)).sum() / 10 == outcome.looser.mean > 3
    )
    outcome = budgeted(of_machines, machines(), "1/day").budget
    assert outcome is not None
    assert outcome.chosen is not None
    scored = of_machines.score(machines(), alert_rate=outcome.chosen.rate)
    events = scored.groupby("machine")["anomaly_event"].nunique().sum()
    assert outcome.chosen.mean == events / 4 <= 1
    assert (outcome.unit, outcome.periods) == ("events", 4)


def test_where_all_rates_keep_a_budget_the_loosest_is_named(of_rows: Detector) -> None:
    loosest = budgeted(of_rows, rows(), "300/dump").budget
    assert loosest is not None
    assert loosest.chosen is not None
    assert (loosest.chosen.rate, loosest.looser) == (max(RATES_TRIED), None)


def test_a_rate_finer_than_the_calibration_rows_show_is_said(of_rows: Detector) -> None:
    found = of_rows.backtest(rows(), rates=[1e-5, 0.05], budget="0/dump")
    said = [text for text in found.warnings if text.startswith("an alert rate of ")]
    assert said[0] == (
        "an alert rate of 1e-05 is finer than 400 calibration rows can show (at best 0.0025); the threshold "
        "follows a fitted tail beyond them"
    )
    assert found.budget is not None
    assert found.budget.chosen is not None
    assert (list(found.budget.warnings) == said[1:]) == (found.budget.chosen.rate < 0.0025)


def test_days_are_those_of_the_zone(of_rows: Detector) -> None:
    frame = rows(4).assign(when=["2026-03-01T22:59:00Z", "2026-03-01T23:01:00Z"] * 2)
    by_zone = {
        zone: [(day.name, day.rows) for day in found.days or ()]
        for zone in (None, "Europe/Berlin")
        if (found := of_rows.backtest(frame, time_of="when", time_zone=zone))
    }
    assert by_zone == {
        None: [("2026-03-01", 4)],
        "Europe/Berlin": [("2026-03-01", 2), ("2026-03-02", 2)],
    }


def said(detector: Detector, frame: pd.DataFrame, error: type[Exception], **more: object) -> str:
    with pytest.raises(error) as raised:
        detector.backtest(frame, **more)  # type: ignore[arg-type]
    return str(raised.value)


def test_what_cannot_be_is_refused(of_rows: Detector, of_machines: Detector) -> None:
    frame = rows()
    assert said(of_rows, frame, UsageError, budget="5/day") == (
        "budget 5/day: nothing says on which day rows are; name their time column (time_of COLUMN), or give "
        "the budget for each input, as in 5/dump"
    )
    assert said(of_rows, frame, UsageError, rates=[]) == "rates: name at least one alert rate"
    assert said(of_rows, frame, UsageError, rates=[2.0]) == "alert rate 2.0: must lie between 0 and 1"
    assert said(of_rows, frame, UsageError, time_of="wen").startswith("time_of: no column named 'wen' in ")
    assert said(of_machines, machines(), UsageError, time_of="time") == (
        "time_of: a model of time series has its time column, 'time'; leave out time_of"
    )
    unread = frame.assign(when=["2026-03-01 00:00", *["soon"] * 299])
    assert "'soon' is no timestamp" in said(of_rows, unread, DataError, time_of="when")
    empty = frame.assign(when=None)
    assert said(of_rows, empty, DataError, time_of="when").endswith(
        "column 'when' is empty in all rows; time_of needs one with times"
    )


def test_steps_are_on_no_day() -> None:
    frame = readings(8).drop(columns="machine").assign(time=np.arange(8 * DAY))
    detector = Detector({**SERIES, "series.time_format": "steps"}).fit(frame)
    found = detector.backtest(frame[: 2 * DAY], budget="1/dump")
    assert (found.days, found.days_by, found.period) == (None, None, "dump")
    assert said(detector, frame[:DAY], UsageError, budget="1/day") == (
        "budget 1/day: column 'time' counts steps, which are on no day; give the budget for each input, as "
        "in 1/dump"
    )


def numbers(value: object) -> Iterator[object]:
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers(part) if isinstance(part, dict | list) else [part]


def test_what_is_printed_as_json_is_made_of_plain_numbers(of_machines: Detector) -> None:
    found = of_machines.backtest(machines(), budget="2/week").as_dict()
    assert {type(part) for part in numbers(found)} <= {int, float, str, bool, type(None)}


def test_budgets_read_back() -> None:
    assert str(Budget.parse("2.50/Days")) == "2.5/day"
