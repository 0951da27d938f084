"""Rhythms longer than a window: a day of the week that is like another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt

ODD_DAY = "2026-02-25"


def _load(start: str, days: int, seed: int, sunday: str = "") -> pd.DataFrame:
    """Load and temperature every 15 minutes; at weekends, and on `sunday`, a third of the load."""
    times = pd.date_range(start, periods=days * 96, freq="15min")
    rng = np.random.default_rng(seed)
    hours = times.hour.to_numpy() + times.minute.to_numpy() / 60
    quiet = (times.day_of_week.to_numpy() >= 5) | (times.strftime("%Y-%m-%d") == sunday)
    load = 100 + 60 * np.where(quiet, 0.35, 1.0) * (1 + np.sin((hours - 9) / 12 * np.pi))
    temp = 20 + 5 * np.sin((hours - 3) / 12 * np.pi) + rng.normal(0, 0.5, len(times))
    load = load + rng.normal(0, 3, len(times))
    return pd.DataFrame(
        {"time": times.strftime("%Y-%m-%d %H:%M"), "load": load.round(2), "temp": temp.round(2)}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("calendar")
    _load("2026-01-05", 42, 0).to_csv(path / "train.csv", index=False)
    _load("2026-02-16", 14, 100).to_csv(path / "normal.csv", index=False)
    _load("2026-02-16", 14, 100, ODD_DAY).to_csv(path / "odd.csv", index=False)
    return path


@pytest.fixture(autouse=True)
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(folder)
    return Prompt(folder)


def _train(run: Prompt, *more: str) -> str:
    Path("model.aed").unlink(missing_ok=True)
    result = run("train", "train.csv", "-o", "model.aed", "--time", "time", *more)
    assert result.exit_code == 0, result.stderr
    return str(result.stderr + result.stdout)


def _flagged(run: Prompt, name: str) -> np.ndarray:
    for old in ("scored.csv", "events.csv"):
        Path(old).unlink(missing_ok=True)
    result = run("score", name, "-m", "model.aed", "-o", "scored.csv", "--events", "events.csv")
    assert result.exit_code == 0, result.stderr
    return pd.read_csv("scored.csv", dtype={"is_anomaly": object})["is_anomaly"].eq("true").to_numpy()


@pytest.mark.parametrize("flags", [(), ("--time-zone", "Europe/Berlin")])
def test_a_wednesday_like_a_sunday_is_one_event_of_a_day(run: Prompt, flags: tuple[str, ...]) -> None:
    said = _train(run, *flags)
    assert "rows are also compared with the usual for their time of the week (learned from 6 weeks)" in said
    assert _flagged(run, "normal.csv").mean() <= 0.02
    _flagged(run, "odd.csv")
    events = pd.read_csv("events.csv")
    starts, ends = (pd.to_datetime(events[name], utc=True) for name in ("start", "end"))
    longest = (ends - starts).argmax()
    hours = (ends - starts)[longest] / pd.Timedelta("1h")
    assert 0.8 * 24 <= hours <= 1.2 * 24
    middle = starts[longest] + (ends - starts)[longest] / 2
    assert abs(middle - pd.Timestamp(f"{ODD_DAY} 12:00", tz="UTC")) < pd.Timedelta("4h")


def test_a_wednesday_like_a_sunday_is_seen_while_it_lasts(run: Prompt) -> None:
    # How long the event goes on is another matter: long windows that end later still contain the day.
    _train(run, "--causal")
    assert _flagged(run, "normal.csv").mean() <= 0.02
    flagged = _flagged(run, "odd.csv")
    odd = pd.read_csv("odd.csv")["time"].str.startswith(ODD_DAY).to_numpy()
    assert flagged[odd].mean() >= 0.7
    assert flagged[: int(odd.argmax())].mean() <= 0.02


def test_other_normal_weeks_calibrate_a_calendar(run: Prompt) -> None:
    _train(run)
    Path("again.aed").unlink(missing_ok=True)
    result = run("calibrate", "normal.csv", "-m", "model.aed", "-o", "again.aed")
    assert result.exit_code == 0, result.stderr
    Path("again.aed").replace("model.aed")
    flagged = _flagged(run, "odd.csv")
    odd = pd.read_csv("odd.csv")["time"].str.startswith(ODD_DAY).to_numpy()
    assert flagged[odd].mean() >= 0.7
    assert flagged[~odd].mean() <= 0.03


def test_ten_days_teach_no_week(run: Prompt) -> None:
    Path("short.csv").write_text("".join(Path("train.csv").read_text().splitlines(keepends=True)[: 1 + 960]))
    result = run("train", "short.csv", "-o", "short.aed", "--time", "time")
    assert result.exit_code == 0, result.stderr
    assert "time of the week" not in result.stderr + result.stdout
