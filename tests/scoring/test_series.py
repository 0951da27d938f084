"""Rows of series are judged together, and cuts do not matter where what went before is known."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sensors import DAY, broken, readings

from aedetect import Detector, load
from aedetect.config import Config
from aedetect.errors import DataError, UsageError
from aedetect.io.inputs import as_inputs
from aedetect.scoring.series import SeriesScorer

WINDOW = 24
VERDICT = ["anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_status"]


@cache
def detector(
    causal: bool = False, smoothing: int = 0, machines: int = 1, architecture: str = "auto"
) -> Detector:
    return Detector(
        {
            "series.time": "time",
            "series.entity": ["machine"],
            "series.window": WINDOW,
            "series.causal": causal,
            "series.smoothing": smoothing,
            "model.architecture": architecture,
            "training.epochs": 1,
            "training.device": "cpu",
        }
    ).fit(readings(8, machines))


def verdicts(frame: pd.DataFrame, model: Detector, **options: object) -> pd.DataFrame:
    return model.score(frame, **options)[VERDICT].reset_index(drop=True)  # type: ignore[arg-type]


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    # Where no row is null, pandas makes truth values of what are objects elsewhere.
    plain = [frame.reset_index(drop=True).astype({"is_anomaly": object}) for frame in (found, expected)]
    pd.testing.assert_frame_equal(*plain, check_exact=False, rtol=1e-9)


ADAPTED = {"anomaly_p_value": 0.0, "is_anomaly": False}
NEW = broken(readings(3, seed=5, start="2026-02-01"), 200, 260)


def test_an_anomaly_is_an_event_and_the_rest_is_normal() -> None:
    scored = detector().score(NEW)
    flagged = scored["is_anomaly"].fillna(False).astype(bool)
    assert flagged[200:260].all()
    assert flagged.sum() <= 64
    assert scored["anomaly_event"][200:260].unique().tolist() == [1]
    assert scored["anomaly_features"][230].startswith('{"temp": ')


@pytest.mark.parametrize("causal", [False, True])
def test_a_short_anomaly_is_blamed_on_its_channel_beside_one_of_noise(causal: bool) -> None:
    rng = np.random.default_rng(4)

    def rows(start: str, count: int) -> pd.DataFrame:
        times = pd.date_range(start, periods=count, freq="15min")
        warm = 55 + 5 * np.sin((times.hour + times.minute / 60) / 24 * 2 * np.pi) + rng.normal(0, 0.3, count)
        back = warm - 12 + rng.normal(0, 0.3, count)
        return pd.DataFrame(
            {"time": times, "warm": warm, "noise": rng.normal(1.8, 0.02, count), "back": back}
        )

    model = Detector({"series.time": "time", "series.causal": causal, "training.device": "cpu"}).fit(
        rows("2026-01-01", 96 * 35)
    )
    dump = rows("2026-02-05", 96 * 6)
    dump.loc[310:325, "back"] += 9
    scored = model.score(dump)
    blamed = scored.loc[310:325].loc[lambda frame: frame["is_anomaly"].fillna(False).astype(bool)]
    assert len(blamed) >= 8
    first = [next(iter(json.loads(text))) for text in blamed["anomaly_features"]]
    # Now and then noise is by itself as rare as the anomaly.
    assert first.count("back") >= 0.8 * len(first)


@pytest.mark.parametrize("day", [5, 10, 14, 22, 35])
def test_one_odd_day_flags_no_days_up_to_the_end_of_the_file(day: int) -> None:
    dump = daily("2025-03-16", 45, seed=7)
    dump.loc[day, ["orders", "revenue", "returns"]] = [3, 120.0, 0]
    scored = daily_model().score(dump)
    assert np.flatnonzero(scored["is_anomaly"].fillna(False).astype(bool)).tolist() == [day]


@cache
def daily_model() -> Detector:
    return Detector({"series.time": "day", "training.device": "cpu"}).fit(daily("2024-03-01", 380, seed=6))


def daily(start: str, count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.date_range(start, periods=count)
    year = 1 + 0.15 * np.sin((days.day_of_year - 100) / 365 * 2 * np.pi)
    orders = rng.poisson(400 * np.array([0.8, 0.85, 0.9, 1, 1.3, 1.6, 1.1])[days.day_of_week] * year)
    return pd.DataFrame(
        {
            "day": days,
            "orders": orders,
            "revenue": orders * rng.normal(41, 1.5, count),
            "returns": rng.binomial(orders, 0.04),
        }
    )


def test_the_first_rows_are_judged_by_what_comes_after_them() -> None:
    assert (detector().score(NEW)["anomaly_status"] == "ok").all()
    odd = NEW.copy()
    odd.loc[:20, "temp"] += 40
    assert detector().score(odd)["is_anomaly"][:20].all()


def test_causal_first_rows_are_warmup_and_never_normal() -> None:
    scored = detector(causal=True).score(NEW)
    first = scored[: WINDOW - 1]
    assert (first["anomaly_status"] == "warmup").all()
    assert first[["anomaly_score", "anomaly_p_value", "is_anomaly"]].isna().all(axis=None)
    assert (scored["anomaly_status"][WINDOW - 1 :] == "ok").all()


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(cut=st.integers(1, len(NEW) - 1), smoothing=st.sampled_from([0, 5]))
def test_with_what_went_before_a_cut_does_not_matter(cut: int, smoothing: int) -> None:
    model = detector(smoothing=smoothing)
    whole = verdicts(NEW, model)
    same(verdicts(NEW[cut:], model, history=NEW[:cut]), whole[cut:])
    # The last rows before a cut are in windows that reach beyond it.
    settled = max(cut - WINDOW + 1 - smoothing, 0)
    same(verdicts(NEW[:cut], model)[:settled], whole[:settled])


@settings(deadline=None, max_examples=15)
@given(cut=st.integers(1, len(NEW) - 1))
def test_a_tail_of_what_went_before_is_enough(cut: int) -> None:
    model = detector()
    tail = NEW[max(cut - 2 * WINDOW, 0) : cut]
    found, whole = verdicts(NEW[cut:], model, history=tail), verdicts(NEW, model)[cut:]
    # What alarms have adapted to hangs on all that went before; scores do not.
    same(found.assign(**ADAPTED), whole.assign(**ADAPTED))


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(cut=st.integers(1, len(NEW) - 1))
def test_causal_verdicts_are_final_at_once(cut: int) -> None:
    model = detector(causal=True, smoothing=3)
    whole = verdicts(NEW, model)
    same(verdicts(NEW[:cut], model), whole[:cut])
    same(verdicts(NEW[cut:], model, history=NEW[:cut]), whole[cut:])


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(cut=st.integers(1, len(NEW) - 1))
def test_so_are_those_on_a_machine_never_learned(cut: int) -> None:
    model = detector(causal=True, machines=3)
    new = NEW.assign(machine="m9", temp=NEW["temp"] * 2 + 400)
    whole = verdicts(new, model)
    same(verdicts(new[:cut], model), whole[:cut])
    same(verdicts(new[cut:], model, history=new[:cut]), whole[cut:])


def test_a_machine_never_learned_is_warmup_until_its_scale_is_known() -> None:
    model = detector(machines=3)
    assert model.fitted.series is not None
    beginning = model.fitted.series.state.beginning
    assert beginning > WINDOW
    status = verdicts(NEW.assign(machine="m9"), model)["anomaly_status"]
    assert (status[: beginning - 1] == "warmup").all()
    assert (status[beginning - 1 :] == "ok").all()


def test_causal_rows_use_no_later_ones() -> None:
    model = detector(causal=True)
    scored = model.score(NEW)
    flagged = np.flatnonzero(scored["is_anomaly"].fillna(False))
    assert flagged.min() >= 200


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    model = detector(machines=2)
    frame = readings(2, 2, seed=3)
    mixed = frame.sample(frac=1, random_state=seed)
    found = verdicts(mixed, model).set_axis(mixed.index).sort_index()
    same(found, verdicts(frame, model))


def test_files_of_one_run_are_one_series(tmp_path: Path) -> None:
    model = detector()
    paths = []
    for number, part in enumerate((NEW[:100], NEW[100:150], NEW[150:])):
        paths.append(tmp_path / f"{number}.parquet")
        part.to_parquet(paths[-1], index=False)
    same(model.score(paths)[VERDICT], verdicts(NEW, model))


def test_windows_never_span_a_gap() -> None:
    model = detector()
    gap = NEW.copy()
    gap.loc[100:, "time"] += pd.Timedelta(days=2)
    apart = verdicts(NEW[100:], model)
    # Beyond the gap another stretch begins: its first rows are known by the windows after them.
    same(verdicts(gap, model)[100 + WINDOW :], apart[WINDOW:])
    assert (verdicts(gap, model)["anomaly_status"][100 : 100 + WINDOW] == "ok").all()


def test_a_stretch_shorter_than_a_window_is_warmup() -> None:
    assert (verdicts(NEW[: WINDOW - 1], detector())["anomaly_status"] == "warmup").all()


def test_one_row_and_none() -> None:
    assert verdicts(NEW[:1], detector())["anomaly_status"].tolist() == ["warmup"]
    assert len(verdicts(NEW[:0], detector())) == 0


def test_each_machine_is_judged_by_its_own_scale() -> None:
    model = detector(machines=3)
    assert model.fitted.series is not None
    assert model.fitted.series.state.names == (("m0",), ("m1",), ("m2",))
    scored = model.score(readings(3, 3, seed=9))
    assert scored["is_anomaly"].fillna(False).mean() < 0.1


def test_a_new_machine_is_scaled_by_its_beginning() -> None:
    model = detector(machines=3)
    new = readings(3, 1, seed=9)
    new["machine"], new["temp"] = "m9", new["temp"] * 2 + 400
    scored = model.score(new)
    assert scored["is_anomaly"].fillna(False).mean() < 0.1
    stuck = broken(new, 300, 360)
    assert model.score(stuck)["is_anomaly"][310:350].all()


def test_a_model_file_says_the_same(tmp_path: Path) -> None:
    model = detector(machines=3)
    model.save(tmp_path / "m.aed")
    frame = readings(2, 3, seed=4)
    same(verdicts(frame, load(tmp_path / "m.aed", device="cpu")), verdicts(frame, model))


def test_missing_and_unreadable_cells() -> None:
    frame = NEW.astype({"temp": object, "time": str})
    frame.loc[50, "temp"] = None
    frame.loc[60, "temp"] = "broken"
    frame.loc[70, "time"] = "yesterday"
    frame.loc[71, "time"] = None
    frame["temp"] = frame["temp"].astype(str).where(frame["temp"].notna())
    scored = detector().score(frame)
    assert scored["anomaly_status"][[50, 60, 70, 71]].tolist() == ["ok", *["unscorable"] * 3]
    assert scored["is_anomaly"][[60, 70, 71]].isna().all()
    assert (scored["anomaly_status"][[51, 61, 72]] == "ok").all()


def test_an_infinite_reading_is_strange_at_once() -> None:
    frame = NEW[:180].copy()
    frame.loc[100, "load"] = np.inf
    scored = detector().score(frame)
    assert scored["is_anomaly"][100]


def test_no_readable_timestamp_is_a_changed_type() -> None:
    with pytest.raises(DataError, match="column 'time': no cell can be read as a timestamp$"):
        detector().score(NEW.assign(time="yesterday"))


@pytest.mark.slow
def test_what_is_flagged_follows_false_events_a_day() -> None:
    settings = {"series.time": "time", "series.window": WINDOW, "data.exclude": ["machine"]}
    few, many = (
        Detector({**settings, "threshold.alarms_per_day": alarms}).fit(readings(20)).threshold
        for alarms in (0.05, 2.0)
    )
    assert few > many


def test_a_rate_asked_for_overrules_events_a_day() -> None:
    settings = {"series.time": "time", "series.window": WINDOW, "data.exclude": ["machine"]}
    model = Detector({**settings, "threshold.alarms_per_day": 0.05}).fit(readings(20))
    asked = model.adjusted(Config.build(overrides={"threshold.alert_rate": 0.2}))
    assert asked.threshold == model.fitted.calibration.threshold(0.2)
    assert asked.threshold < model.threshold


def test_events_a_day_are_for_series() -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({"x": random.normal(size=50), "y": random.normal(size=50)})
    model = Detector({"threshold.alarms_per_day": 1.0, "training.epochs": 1, "training.folds": 2})
    with pytest.raises(UsageError, match="^1 alarms per day: this is no model of time series"):
        model.fit(table).threshold  # noqa: B018


@pytest.mark.parametrize("architecture", ["patches", "convolutional"])
def test_every_architecture_finds_the_obvious(architecture: str) -> None:
    frame = NEW.copy()
    frame.loc[200:259, "temp"] += np.where(np.arange(60) % 2, 30, -30)
    scored = detector(architecture=architecture).score(frame)
    assert scored["is_anomaly"][205:255].all()


def test_events_tell_when_where_and_why() -> None:

    model = detector(machines=2)
    frame = pd.concat([NEW.assign(machine="m0"), NEW.assign(machine="m1", temp=NEW["temp"] + 10)])
    session = SeriesScorer(model.fitted).open(as_inputs(frame, model.config.data))
    table = session.events().to_pandas()
    table = table[table["anomaly_event"] == 1]
    assert table["machine"].tolist() == ["m0", "m1"]
    begin = pd.Timestamp(NEW["time"][200])
    assert ((table["start"] - begin).abs() <= pd.Timedelta("30min")).all()
    assert (table["end"] >= pd.Timestamp(NEW["time"][258])).all()
    assert (table["p_value"] < 0.01).all()
    assert table["features"].str.startswith('{"temp"').all()


def test_events_that_began_in_the_history_go_on() -> None:
    scored = detector().score(NEW[230:], history=NEW[:230])
    assert scored["anomaly_event"][:30].unique().tolist() == [1]


def test_too_few_rows_to_train_on() -> None:
    with pytest.raises(DataError, match=r"the longest segment without a gap has 20 steps, and a window 24"):
        Detector({"series.time": "time", "series.window": WINDOW}).fit(readings(1)[:20])


def test_rows_labelled_as_anomalies_are_not_learned() -> None:
    frame = broken(readings(8), 500, 560).assign(fault=lambda rows: (rows.index >= 500) & (rows.index < 560))
    model = Detector({"series.time": "time", "series.window": WINDOW, "data.label": "fault"}).fit(frame)
    assert model.fitted.training.rows == 8 * DAY - 60
    assert model.score(frame)["is_anomaly"][510:550].all()
