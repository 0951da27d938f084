"""What alarms of series adapt to, from the shell: a level shift that stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt

_SINCE = "lasted and counts as normal since"


def level(steps: int, start: str, shift: int | None = None, seed: int = 0) -> pd.DataFrame:
    """A daily wave with noise, every 15 minutes; 6 more from step `shift` on."""
    random = np.random.default_rng(seed)
    values = 20 + 3 * np.sin(np.arange(steps) * 2 * np.pi / 96) + random.normal(0, 0.3, steps)
    odd = np.zeros(steps, dtype=int)
    if shift is not None:
        values[shift:] += 6
        odd[shift:] = 1
    times = pd.date_range(start, periods=steps, freq="15min").strftime("%Y-%m-%d %H:%M")
    return pd.DataFrame({"time": times, "value": values.round(3), "odd": odd})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """normal.csv, m.aed of it, shift.csv with a level that stays, and calm.csv."""
    path = tmp_path_factory.mktemp("adoptions")
    level(2400, "2025-12-01").to_csv(path / "normal.csv", index=False)
    level(1200, "2026-01-05", 600, 1).to_csv(path / "shift.csv", index=False)
    level(600, "2026-01-05", seed=2).to_csv(path / "calm.csv", index=False)
    flags = ("--time", "time", "--label", "odd", "--window", "1d", "--every", "15min", "--adapt", "16h")
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path


@pytest.fixture(autouse=True)
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(folder)
    return Prompt(folder)


def adopted(run: Prompt, *flags: str) -> list[str]:
    return [
        text for text in run.json("score", "shift.csv", "-m", "m.aed", *flags)["warnings"] if _SINCE in text
    ]


def test_a_level_that_stays_is_adopted_and_named(run: Prompt) -> None:
    (text,) = adopted(run, "--events", "events.csv")
    events = pd.read_csv("events.csv", parse_dates=["start", "end"])
    since = [event.start + pd.Timedelta(seconds=event.adopted_after_seconds) for event in events.itertuples()]
    assert since == [end + pd.Timedelta(minutes=15) for end in events["end"]]
    numbers = "event 1" if len(events) == 1 else f"events 1 to {len(events)}"
    assert text == (
        f"shift.csv: what began at {events['start'][0]:%Y-%m-%d %H:%M} {_SINCE} {since[-1]:%Y-%m-%d %H:%M} "
        f"({numbers}); --adapt off keeps flagging it"
    )
    assert events["start"][0] == pd.Timestamp("2026-01-11 06:00")


def test_off_keeps_flagging(run: Prompt) -> None:
    assert adopted(run, "--adapt", "off") == []
    flagged = run.json("score", "shift.csv", "-m", "m.aed", "--adapt", "off")["anomalies"]
    assert flagged > 500 > run.json("score", "shift.csv", "-m", "m.aed")["anomalies"]


def test_explain_says_so(run: Prompt) -> None:
    (text,) = adopted(run)
    since = text.partition(f"{_SINCE} ")[2][:16]
    assert f"  {_SINCE} {since}\n" in run("explain", "shift.csv", "-m", "m.aed").stdout
    explained = run.json("explain", "shift.csv", "-m", "m.aed")["explained"]
    assert since in [one["adopted_since"] for one in explained]


@pytest.mark.parametrize("flags", [("--adapt", "soon"), ("--adapt", "0")])
def test_a_wrong_time_to_adapt_is_refused(run: Prompt, flags: tuple[str, ...]) -> None:
    assert run("score", "calm.csv", "-m", "m.aed", *flags).usage().startswith(f"--adapt = '{flags[1]}'")


def test_adapt_is_for_series_without_a_threshold_by_hand(
    run: Prompt, tiny_model: Path, tiny_csv: Path
) -> None:
    assert run("score", tiny_csv, "-m", tiny_model, "--adapt", "off").usage() == (
        f"{tiny_model}: no model of time series, which --adapt is for"
    )
    assert run("score", "calm.csv", "-m", "m.aed", "--adapt", "6h", "--threshold", "3").usage() == (
        "--adapt: a threshold set by hand adapts to nothing; leave out one of them"
    )


def test_evaluate_counts_the_flags_themselves(run: Prompt) -> None:
    assert run("score", "shift.csv", "-m", "m.aed", "-o", "scored.csv").exit_code == 0
    scored = pd.read_csv("scored.csv").dropna(subset=["anomaly_score"])
    flagged, odd = scored["is_anomaly"].astype(bool), scored["odd"] == 1
    at = run.json("evaluate", "shift.csv", "-m", "m.aed", "--label", "odd")["at_threshold"]
    assert (at["flagged"], at["caught"], at["threshold"]) == (flagged.sum(), (flagged & odd).sum(), None)
    assert at["false_alarms"] == (flagged & ~odd).sum()
    assert "its alert rate" in run("evaluate", "shift.csv", "-m", "m.aed", "--label", "odd").stdout


def test_inspect_names_the_p_value(run: Prompt) -> None:
    assert "rows with a p-value of at most 0.01 (alert rate 0.01)" in run("inspect", "m.aed").stdout


HELD = ("--adopt-after", "3d")


def days() -> list[Path]:
    """shift.csv, whose level shifts on 2026-01-11 06:00, as a file for each of its days."""
    Path("days").mkdir(exist_ok=True)
    frame = pd.read_csv("shift.csv")
    paths = []
    for day, part in frame.groupby(frame["time"].str[:10]):
        paths.append(Path("days", f"{day}.csv"))
        part.to_csv(paths[-1], index=False)
    return paths


def test_a_level_that_stays_is_one_event_until_it_is_normal(run: Prompt) -> None:
    told = run.json(
        "score", "shift.csv", "-m", "m.aed", *HELD, "-o", "held.csv", "--events", "held-events.csv"
    )
    began, since = "2026-01-11 06:00", "2026-01-14 06:00"
    assert told["adopted"] == [
        {
            "entity": {},
            "anomaly_event": 1,
            "began": began,
            "adopted_since": since,
            "adopted_after_seconds": 3 * 86_400,
        }
    ]
    assert told["warnings"] == [
        f"shift.csv: what began at {began} {_SINCE} {since} (event 1), as --adopt-after says"
    ]
    scored = pd.read_csv("held.csv")
    during = scored["time"].between(began, since, inclusive="left")
    assert scored[during]["is_anomaly"].all()
    assert set(scored[during]["anomaly_event"]) == {1}
    assert (scored[during]["anomaly_p_value"] <= 0.01).all()
    assert scored[scored["time"] >= since]["is_anomaly"].sum() <= 5
    events = pd.read_csv("held-events.csv")
    assert events["adopted_after_seconds"][0] == 3 * 86_400
    before = run.json("score", "shift.csv", "-m", "m.aed", "-o", "adapted.csv")
    assert len(before["adopted"]) > 0
    adapted = pd.read_csv("adapted.csv")
    np.testing.assert_array_equal(scored["anomaly_score"], adapted["anomaly_score"])


def test_dumps_of_a_day_tell_the_same_as_one_of_all(run: Prompt) -> None:
    Path("ledger.db").unlink(missing_ok=True)
    run.json("score", "shift.csv", "-m", "m.aed", *HELD, "-o", "held.csv")
    whole = pd.read_csv("held.csv")
    adopted, parts = [], []
    for path in days():
        words = ("-o", "days-scored/", "--new-only", "--state", "ledger.db")
        adopted += run.json("score", path, "-m", "m.aed", *HELD, *words)["adopted"]
        parts.append(pd.read_csv(Path("days-scored", path.name)))
    assert [(one["anomaly_event"], one["began"], one["adopted_since"]) for one in adopted] == [
        (1, "2026-01-11 06:00", "2026-01-14 06:00")
    ]
    daily = pd.concat(parts, ignore_index=True)
    # Rows near a cut are judged by what is known so far.
    settled = daily["time"].between("2026-01-11 12:00", "2026-01-14 04:00")
    for name in ("is_anomaly", "anomaly_event"):
        assert daily[settled][name].tolist() == whole[settled][name].tolist()
    assert daily[daily["time"] >= "2026-01-14 06:00"]["is_anomaly"].sum() <= 5


@pytest.mark.parametrize("order", [1, -1])
def test_neither_the_order_of_files_nor_jobs_change_it(run: Prompt, order: int) -> None:
    run.json("score", "shift.csv", "-m", "m.aed", *HELD, "-o", "held.csv")
    told = run.json(
        "score", *days()[::order], "-m", "m.aed", *HELD, "-o", "all.csv", "--jobs", str(1 + (order > 0))
    )
    assert [one["adopted_since"] for one in told["adopted"]] == ["2026-01-14 06:00"]
    scored = pd.read_csv("all.csv").sort_values("time", ignore_index=True)
    for name in ("is_anomaly", "anomaly_event", "anomaly_p_value"):
        pd.testing.assert_series_equal(scored[name], pd.read_csv("held.csv")[name])


def test_an_event_soon_after_another_was_adopted_is_a_new_one_in_the_next_dump_too(run: Prompt) -> None:
    frame = level(1200, "2026-01-05", 600, 1)
    # Three days later the level is normal, and shifts once more half an hour before a cut.
    frame.loc[600 + 3 * 96 + 3 :, "value"] += 9
    numbers: list[int] = []
    Path("soon.db").unlink(missing_ok=True)
    for name, part in (("first", frame[:889]), ("second", frame[889:1000]), ("third", frame[1000:])):
        part.to_csv(f"{name}.csv", index=False)
        words = ("-o", "soon/", "--new-only", "--state", "soon.db")
        run.json("score", f"{name}.csv", "-m", "m.aed", *HELD, *words)
        numbers += pd.read_csv(f"soon/{name}.csv")["anomaly_event"].dropna().astype(int).unique().tolist()
    assert numbers == [1, 2, 2]


def test_explain_says_it_of_what_was_held(run: Prompt) -> None:
    explain = run.setting(series_adopt_after="3d").command("explain", "shift.csv", "-m", "m.aed")
    assert f"  {_SINCE} 2026-01-14 06:00\n" in explain().stdout
    (one,) = [one for one in explain.json()["explained"] if one["adopted_since"]]
    assert (one["adopted_since"], one["adopted_after_seconds"]) == ("2026-01-14 06:00", 3 * 86_400)


def test_it_may_be_trained_in(run: Prompt) -> None:
    flags = ("--time", "time", "--label", "odd", "--window", "1d", "--every", "15min", *HELD)
    run.json("train", "normal.csv", "-o", "held.aed", *flags)
    assert len(run.json("score", "shift.csv", "-m", "held.aed")["adopted"]) == 1


@pytest.mark.parametrize("value", ["soon", "0", "off", "0.5s"])
def test_a_wrong_time_to_adopt_after_is_refused(run: Prompt, value: str) -> None:
    assert run("score", "calm.csv", "-m", "m.aed", "--adopt-after", value).usage() == (
        f"--adopt-after = '{value}': not a number of steps, nor a duration; write it like 672 or 7d"
    )


def test_adopt_after_is_for_series_without_a_threshold_by_hand(
    run: Prompt, tiny_model: Path, tiny_csv: Path
) -> None:
    assert run("score", tiny_csv, "-m", tiny_model, *HELD).usage() == (
        f"{tiny_model}: no model of time series, which --adopt-after is for"
    )
    assert run("score", "calm.csv", "-m", "m.aed", *HELD, "--threshold", "3").usage() == (
        "--adopt-after: a threshold set by hand adapts to nothing; leave out one of them"
    )


def test_a_model_of_series_is_refreshed(run: Prompt) -> None:
    Path("now.aed").write_bytes(Path("m.aed").read_bytes())
    level(1500, "2026-02-05", 700, 3).drop(columns="odd").to_csv("recent.csv", index=False)
    told = run.json("refresh", "recent.csv", "-m", "now.aed", "--gate", "calm.csv")
    assert told["swapped"]
    assert told["rows_left_out"]["flagged by the model before"] > 64
    inspected = run.json("inspect", "now.aed")
    assert inspected["config"]["series"]["window"] == "1d"
    assert inspected["config"]["data"]["label"] == "odd"
