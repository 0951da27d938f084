"""Long tables from the shell: sensors of two rates in one file, a channel each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt, Result
from support.sensors import DAY, readings

LONG = ("--time", "at", "--series-name", "sensor", "--value", "reading")
FAST = ("--window", "24", "--seed", "0")
RESULTS = ["anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status"]
VERDICT = [*RESULTS, "anomaly_event"]
# Minutes, of which the fault is in these.
FIRST, LAST = 300, 350


def long_rows(days: float, machines: int = 1, seed: int = 0, start: str = "2026-02-01") -> pd.DataFrame:
    """Columns at, machine, sensor, reading: temp each minute, load every five; sorted by time.

    Each has a rhythm of its own: where two move together, a fault of one shows in the other as well.
    """
    frame = readings(days, machines, seed)
    minutes = frame.groupby("machine").cumcount()
    frame["at"] = pd.Timestamp(start) + pd.to_timedelta(minutes, unit="min")
    other_rhythm = 20 * (np.sin(2 * np.pi * minutes / 90) - np.sin(2 * np.pi * minutes / DAY + 1))
    frame["load"] = (frame["load"] + other_rhythm).where(minutes % 5 == 0)
    rows = frame.melt(["at", "machine"], ["temp", "load"], "sensor", "reading").dropna()
    return rows.sort_values(["at", "machine"], kind="stable", ignore_index=True)


def faulty(rows: pd.DataFrame, sensor: str, by: float) -> pd.DataFrame:
    minute = (rows["at"] - rows["at"].min()) / pd.Timedelta("1min")
    return rows.assign(reading=rows["reading"] + by * (odd(rows, minute) & (rows["sensor"] == sensor)))


def odd(rows: pd.DataFrame, minute: pd.Series | None = None) -> pd.Series:
    if minute is None:
        minute = (rows["at"] - rows["at"].min()) / pd.Timedelta("1min")
    return minute.between(FIRST, LAST)


def one(days: float, seed: int = 0, start: str = "2026-02-01") -> pd.DataFrame:
    return long_rows(days, 1, seed, start).drop(columns="machine")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    one(8, start="2026-01-01").to_csv(path / "normal.csv", index=False)
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *LONG, *FAST).exit_code == 0
    return path / "m.aed"


@pytest.fixture
def shell(prompt: Prompt, model: Path) -> Prompt:
    os.symlink(model, "m.aed")
    return prompt


def scored(shell: Prompt, rows: pd.DataFrame, *flags: object) -> pd.DataFrame:
    rows.to_csv("new.csv", index=False)
    result = shell("score", "new.csv", "-m", "m.aed", "-o", "out.csv", *flags)
    assert result.exit_code == 0, result.stderr
    return table("out.csv")


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(name, parse_dates=["at"], dtype={"is_anomaly": "boolean", "anomaly_features": str})


def fault(result: Result, code: int) -> str:
    assert result.exit_code == code, result.output
    return result.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize(("sensor", "other", "by"), [("temp", "load", 12.0), ("load", "temp", 120.0)])
def test_a_fault_of_one_sensor_is_flagged_on_its_rows(
    shell: Prompt, sensor: str, other: str, by: float
) -> None:
    rows = faulty(one(3, seed=1), sensor, by)
    out = scored(shell, rows, "--events", "events.csv")
    pd.testing.assert_frame_equal(out[["at", "sensor", "reading"]], rows, check_dtype=False)
    assert list(out.columns[3:]) == VERDICT
    flagged = out["is_anomaly"].fillna(False).to_numpy(bool)
    of_fault = (odd(rows) & (rows["sensor"] == sensor)).to_numpy()
    assert flagged[of_fault].mean() > 0.9
    assert not flagged[(odd(rows) & (rows["sensor"] == other)).to_numpy()].any()
    # An event is of flagged rows, and its rows alone are numbered.
    assert (out["anomaly_event"].notna().to_numpy() == flagged).all()
    assert pd.read_csv("events.csv")["rows"].sum() == flagged.sum()
    assert {next(iter(json.loads(text))) for text in out[of_fault & flagged]["anomaly_features"]} == {sensor}


def test_rows_of_one_instant_have_one_score(shell: Prompt) -> None:
    out = scored(shell, faulty(one(3, seed=1), "temp", 12.0))
    assert out.groupby("at")["anomaly_score"].nunique().max() == 1
    assert (out["anomaly_status"] == "ok").all()


def test_the_order_of_columns_and_rows_changes_nothing(shell: Prompt, model: Path) -> None:
    rows = faulty(one(3, seed=1), "temp", 12.0)
    expected = scored(shell, rows)
    mixed = rows.sample(frac=1, random_state=0)
    found = scored(shell, mixed[["reading", "sensor", "at"]])
    assert list(found.columns) == ["reading", "sensor", "at", *VERDICT]
    found = found.set_index(mixed.index).sort_index()[expected.columns]
    pd.testing.assert_frame_equal(found, expected)
    learned = pd.read_csv(model.with_name("normal.csv")).sample(frac=1, random_state=1)
    learned[["sensor", "reading", "at"]].to_csv("mixed.csv", index=False)
    mixed_model = shell.json("train", "mixed.csv", "-o", "other.aed", *LONG, *FAST)
    assert mixed_model["threshold"] == pytest.approx(shell.json("inspect", "m.aed")["threshold"], rel=1e-6)


def test_a_file_for_each_sensor_is_the_same_as_one_for_all(shell: Prompt) -> None:
    rows = faulty(one(3, seed=1), "temp", 12.0)
    expected = scored(shell, rows)
    for sensor, part in rows.groupby("sensor"):
        part.to_csv(f"{sensor}.csv", index=False)
    assert shell("score", "load.csv", "temp.csv", "-m", "m.aed", "-o", "out/").exit_code == 0
    for sensor in ("load", "temp"):
        found = table(f"out/{sensor}.csv")
        of_sensor = expected[expected["sensor"] == sensor].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, of_sensor, check_dtype=False)


def test_names_that_are_new_or_absent_are_named(shell: Prompt) -> None:
    rows = one(1, seed=1)
    rows.loc[rows["sensor"] == "load", "sensor"] = "laod"
    rows.to_csv("new.csv", index=False)
    result = shell("score", "new.csv", "-m", "m.aed", "-o", "out.csv")
    assert result.exit_code == 0
    assert (
        "warning: new.csv: column 'sensor': 29 rows of 'laod', which the model did not learn; these rows are "
        "unscorable\nwarning: new.csv: column 'sensor': no row of 'load'; what is not there is not judged\n"
    ) in result.stderr
    status = table("out.csv").groupby("sensor")["anomaly_status"].agg(set)
    assert status["laod"] == {"unscorable"}
    assert "ok" in status["temp"]
    (row,) = rows.index[rows["sensor"] == "laod"][:1]
    (told,) = shell.json("explain", "new.csv", "-m", "m.aed", "--row", row + 1)["explained"]
    assert told["sentence"] == "the row has no timestamp, or no reading of a channel that the model knows"


def test_a_channel_that_is_left_out_is_not_judged(shell: Prompt) -> None:
    one(3).to_csv("normal.csv", index=False)
    trained = shell.json("train", "normal.csv", "-o", "n.aed", *LONG, *FAST, "--columns", "temp")
    assert trained["rows"] == len(one(3))
    assert {column["name"]: column["role"] for column in trained["columns"]}["load"] == "ignored"
    assert shell("score", "normal.csv", "-m", "n.aed", "-o", "out.csv").exit_code == 0
    assert set(table("out.csv").groupby("sensor")["anomaly_status"].get_group("load")) == {"unscorable"}
    assert "'reading', of the channel that 'sensor' names" in shell("inspect", "n.aed").stdout


def test_a_reading_that_is_no_number_is_named(shell: Prompt) -> None:
    rows = one(1, seed=1).astype({"reading": object})
    rows.loc[7, "reading"] = "high"
    rows.to_csv("new.csv", index=False)
    text = "new.csv: row 8 (line 9), column 'reading': 'high' is no number; repair it, or train with"
    assert text in fault(shell("score", "new.csv", "-m", "m.aed", "-o", "out.csv"), 3)
    assert text in fault(shell("train", "new.csv", "-o", "n.aed", *LONG), 3)


def test_columns_without_a_part_are_named_and_left_out(shell: Prompt) -> None:
    rows = one(2, seed=1)
    more = rows.assign(unit="V", quality=192)
    more.to_csv("more.csv", index=False)
    trained = shell.json("train", "more.csv", "-o", "n.aed", *LONG, *FAST)
    assert (
        "ignored, as a long table is its times, entities, names and readings alone: 'unit', 'quality'"
        in trained["warnings"]
    )
    assert [column["name"] for column in trained["columns"]] == ["at", "load", "temp"]
    out = scored(shell, more)
    assert list(out.columns[:5]) == ["at", "sensor", "reading", "unit", "quality"]
    quiet = shell.json("train", "more.csv", "-o", "n.aed", *LONG, *FAST, "--exclude", "unit,quality")
    assert not any(text.startswith("ignored") for text in quiet["warnings"])


def test_columns_that_are_lacking_are_named(shell: Prompt) -> None:
    one(1).drop(columns="sensor").to_csv("new.csv", index=False)
    said = fault(shell("score", "new.csv", "-m", "m.aed", "-o", "out.csv"), 4)
    assert "new.csv: column 'sensor' is missing, which the model was trained on" in said
    said = fault(shell("train", "new.csv", "-o", "n.aed", *LONG), 3)
    assert "new.csv: has no column 'sensor'; there are: at, reading" in said


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("--time", "at", "--series-name", "sensor"), "--series-name and --value go together"),
        (("--series-name", "sensor", "--value", "reading"), "--series-name goes with --time COLUMN"),
        ((*LONG, "--entity", "sensor"), "--series-name sensor: the column is named for something else"),
        ((*LONG, "--role", "temp=categorical"), "--role temp=categorical: the channels of a long table are"),
    ],
)
def test_settings_at_odds_are_refused(prompt: Prompt, flags: tuple[str, ...], text: str) -> None:
    one(1).to_csv("normal.csv", index=False)
    assert text in fault(prompt("train", "normal.csv", "-o", "m.aed", *flags), 2)


def test_one_series_for_each_entity(prompt: Prompt) -> None:
    long_rows(6, 2, start="2026-01-01").to_csv("normal.csv", index=False)
    assert prompt("train", "normal.csv", "-o", "m.aed", *LONG, *FAST, "--entity", "machine").exit_code == 0
    rows = long_rows(3, 2, seed=1)
    rows.loc[rows["machine"] == "m1"] = faulty(rows[rows["machine"] == "m1"], "temp", 12.0)
    out = scored(prompt, rows)
    flagged = out["is_anomaly"].fillna(False).to_numpy(bool)
    of_fault = odd(rows) & (rows["machine"] == "m1") & (rows["sensor"] == "temp")
    assert flagged[of_fault.to_numpy()].mean() > 0.9
    assert not flagged[(odd(rows) & ~of_fault).to_numpy()].any()


@pytest.mark.parametrize("apart", [False, True], ids=["all sensors in a dump", "a dump for each sensor"])
def test_dumps_are_judged_as_if_all_before_were_there(shell: Prompt, apart: bool) -> None:
    rows = faulty(one(3, seed=1), "temp", 12.0)
    day = (rows["at"] - rows["at"].min()) // pd.Timedelta("1min") // DAY
    score = shell.command("score", after=("-m", "m.aed", "--new-only", "--state", "ledger.db"))
    columns = ["at", "sensor", "anomaly_score", "is_anomaly", "anomaly_status"]
    for number, part in rows.groupby(day):
        files = part.groupby("sensor") if apart else [("all", part)]
        for sensor, of_sensor in files:
            of_sensor.to_csv(f"{number}-{sensor}.csv", index=False)
        done = score(*(f"{number}-{sensor}.csv" for sensor, _ in files), "-o", f"out{number}/")
        assert done.exit_code == 0, done.stderr
        found = pd.concat([table(str(path)) for path in Path(f"out{number}").glob("*.csv")])
        until = scored(shell, rows[day <= number])
        expected = until[(day[day <= number] == number).to_numpy()]
        pd.testing.assert_frame_equal(
            found[columns].sort_values(["at", "sensor"], ignore_index=True),
            expected[columns].sort_values(["at", "sensor"], ignore_index=True),
        )


def test_rows_that_went_before(shell: Prompt) -> None:
    rows = one(2, seed=1)
    late = rows["at"] >= rows["at"].min() + pd.Timedelta(f"{DAY}min")
    expected = scored(shell, rows)[late.to_numpy()].reset_index(drop=True)
    rows[~late].to_csv("before.csv", index=False)
    found = scored(shell, rows[late], "--history", "before.csv")
    columns = ["anomaly_score", "anomaly_status"]
    pd.testing.assert_frame_equal(found[columns], expected[columns])


@pytest.fixture
def labelled(shell: Prompt) -> str:
    rows = faulty(one(3, seed=1), "temp", 12.0)
    rows["fault"] = (odd(rows) & (rows["sensor"] == "temp")).astype(int)
    rows.to_csv("new.csv", index=False)
    return "new.csv"


def test_other_commands(shell: Prompt, labelled: str) -> None:
    told = shell.json("explain", labelled, "-m", "m.aed", "--top", "1")
    reason: dict[str, Any] = told["explained"][0]["columns"][0]
    assert reason["column"] == "temp"
    assert shell.json("explain", labelled, "-m", "m.aed", "--row", "400")["explained"][0]["row"] == 400
    judged = shell.json("evaluate", labelled, "-m", "m.aed", "--label", "fault")
    assert judged["rows"] == len(pd.read_csv(labelled))
    # One fault is one event, though rows of the other sensor lie between its own.
    assert judged["series"]["events"] == 1
    assert shell("report", labelled, "-m", "m.aed", "-o", "r.html", "--label", "fault").exit_code == 0
    assert "temp" in Path("r.html").read_text(encoding="utf-8")
    one(6, seed=2).to_csv("more.csv", index=False)
    assert shell.json("drift", "more.csv", "-m", "m.aed")["verdict"] == "steady"
    calibrated = shell.json("calibrate", "more.csv", "-m", "m.aed", "-o", "n.aed")
    assert np.isfinite(calibrated["threshold"])
    said = fault(shell("clean", labelled, "-m", "m.aed", "-o", "c.csv"), 4)
    assert "a model of time series has no codes and repairs" in said


def test_labelled_readings_are_left_out_of_training_and_calibration(shell: Prompt, labelled: str) -> None:
    flags = (*LONG, *FAST, "--label", "fault")
    trained = shell.json("train", labelled, "-o", "n.aed", *flags)
    assert trained["rows_left_out"] == {"labelled": LAST - FIRST + 1}
    calibrated = shell.json("calibrate", labelled, "-m", "n.aed", "-o", "c.aed")
    # All times with a reading that is not labelled.
    rows = pd.read_csv(labelled)
    times = rows[rows["fault"] == 0]["at"].nunique()
    assert calibrated["calibration"].startswith(f"split-conformal, on {times:,} rows of")
