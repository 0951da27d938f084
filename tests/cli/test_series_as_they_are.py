"""Series as they come: gross cells, raw counters, sensors of other units in one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.sensors import DAY, readings

FLAGS = ("--time", "time", "--window", "4h", "--json")
GROSS = [100, 500, 900]


def _threshold(run: Prompt, name: str, *more: str) -> float:
    result = run("train", f"{name}.csv", "-o", f"{name}.aed", *FLAGS, *more)
    assert result.exit_code == 0, result.stderr
    return float(json.loads(result.stdout)["threshold"])


def _scored(run: Prompt, frame: pd.DataFrame, model: str) -> pd.DataFrame:
    frame.to_csv("new.csv", index=False)
    Path("scored.csv").unlink(missing_ok=True)
    result = run("score", "new.csv", "-m", f"{model}.aed", "-o", "scored.csv")
    assert result.exit_code == 0, result.stderr
    scored = pd.read_csv("scored.csv", dtype={"is_anomaly": object})
    scored["flagged"] = scored["is_anomaly"].astype(str).str.lower() == "true"
    return scored


def _one_machine(days: float, seed: int = 0, start: str = "2026-01-01") -> pd.DataFrame:
    return readings(days, 1, seed, start).drop(columns="machine")


def _with_traffic(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """With a counter of bytes, which grows by day and night."""
    steps = np.arange(len(frame))
    growth = 1e6 * (2 + np.sin(steps / DAY * 2 * np.pi))
    growth += np.random.default_rng(seed).normal(0, 5e4, len(frame))
    return frame.assign(bytes_total=1e12 + np.cumsum(growth.round()))


def _sensors(days: int, seed: int, start: str) -> pd.DataFrame:
    """Four sensors of one rhythm and other units, in one long file."""
    frames = []
    units = (("temp", 1, 20), ("press", 1000, 1e5), ("rpm", 50, 1500), ("vibration", 0.01, 0.05))
    for number, (name, unit, level) in enumerate(units):
        table = readings(days, 1, seed + number, start)
        wave = (table["temp"] - 20) / 3
        frames.append(pd.DataFrame({"time": table["time"], "sensor": name, "value": level + unit * wave}))
    return pd.concat(frames, ignore_index=True).sort_values("time", kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("real")
    frame = _one_machine(9)
    frame.to_csv(path / "clean.csv", index=False)
    frame.loc[GROSS, "temp"] = 9000
    frame.loc[700, "load"] = -999
    frame.to_csv(path / "spiky.csv", index=False)
    _with_traffic(_one_machine(9)).to_csv(path / "counted.csv", index=False)
    _sensors(9, 0, "2026-01-01").to_csv(path / "sensors.csv", index=False)
    return path


@pytest.fixture(autouse=True)
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(folder)
    return Prompt(folder)


def test_gross_cells_in_training_are_named_and_change_next_to_nothing(run: Prompt) -> None:
    clean = _threshold(run, "clean")
    result = run("train", "spiky.csv", "-o", "spiky.aed", *FLAGS)
    text = "spiky.csv: 4 cells are far outside the rest of their column and were set aside: "
    assert text + "temp rows 101, 501, 901; load row 701" in result.stdout
    assert json.loads(result.stdout)["threshold"] == pytest.approx(clean, rel=0.03)
    new = _one_machine(3, 5, "2026-02-01")
    new.loc[200:260, "temp"] += 4
    ours, theirs = (_scored(run, new, model) for model in ("spiky", "clean"))
    ratio = (ours["anomaly_score"] / theirs["anomaly_score"]).dropna()
    assert ratio.between(0.9, 1.1).all()
    assert ours.loc[205:255, "flagged"].all()


def test_many_gross_cells_are_not_all_listed(run: Prompt) -> None:
    frame = _one_machine(9)
    frame.loc[np.random.default_rng(1).choice(len(frame), 23, False), "load"] = -999
    frame.to_csv("many.csv", index=False)
    result = run("train", "many.csv", "-o", "many.aed", *FLAGS)
    assert "and 13 more" in result.stdout


def test_a_gross_cell_is_flagged_alone_and_blamed_on_its_column(run: Prompt) -> None:
    _threshold(run, "clean")
    new = _one_machine(4, 5, "2026-02-01")
    intact = _scored(run, new, "clean")
    bad = [3, 250, 400, 401]
    new.loc[bad, "load"] = -999
    scored = _scored(run, new, "clean")
    assert scored.loc[bad, "flagged"].all()
    assert (scored["flagged"] & ~intact["flagged"]).sum() <= len(bad) + 2
    assert json.loads(scored.loc[250, "anomaly_features"]) == {"load": 1.0}
    result = run("explain", "new.csv", "-m", "clean.aed", "--row", 251)
    assert "load is -999" in result.stdout


def test_normal_rows_to_calibrate_with_may_hold_gross_cells(run: Prompt) -> None:
    _threshold(run, "clean")
    new = _one_machine(6, 5, "2026-02-01")
    thresholds = []
    for name in ("plain", "gross"):
        new.to_csv(f"{name}.csv", index=False)
        result = run("calibrate", f"{name}.csv", "-m", "clean.aed", "-o", f"{name}.aed", "--json")
        assert result.exit_code == 0, result.stderr
        thresholds.append(json.loads(result.stdout)["threshold"])
        new.loc[[300, 500], "temp"] = 9000
    assert thresholds[1] == pytest.approx(thresholds[0], rel=0.05)


def test_a_counter_is_learned_by_its_growth(run: Prompt) -> None:
    result = run("train", "counted.csv", "-o", "counted.aed", *FLAGS)
    assert "column 'bytes_total' only grows: its growth per row is learned instead" in result.stdout
    new = _with_traffic(_one_machine(4, 5, "2026-02-01"), 5)
    plain = _scored(run, new, "counted")
    assert plain["flagged"].mean() < 0.1
    reset = new.copy()
    reset.loc[300:, "bytes_total"] -= new.loc[300, "bytes_total"] - 1e5
    again = _scored(run, reset, "counted")
    assert (again["flagged"] & ~plain["flagged"]).sum() <= 2
    stalled = new.copy()
    stalled.loc[320:350, "bytes_total"] = new.loc[320, "bytes_total"]
    assert _scored(run, stalled, "counted").loc[325:345, "flagged"].all()
    explained = run("explain", "new.csv", "-m", "counted.aed", "--row", 336).stdout
    assert "the growth of bytes_total per row is " in explained
    jump = new.copy()
    jump.loc[320:, "bytes_total"] += 1e9
    scored = _scored(run, jump, "counted")
    assert scored.loc[320, "flagged"]
    assert "bytes_total" in json.loads(scored.loc[320, "anomaly_features"])


def test_a_counter_in_dumps_is_judged_as_in_one_file(run: Prompt) -> None:
    assert run("train", "counted.csv", "-o", "counted.aed", *FLAGS, "--causal").exit_code == 0
    new = _with_traffic(_one_machine(4, 5, "2026-02-01"), 5).astype({"bytes_total": object})
    new.loc[300:305, "bytes_total"] = ""
    whole = _scored(run, new, "counted")
    parts = []
    for number, cut in enumerate(np.split(np.arange(len(new)), [200, 310, 450])):
        new.iloc[cut].to_csv(f"part{number}.csv", index=False)
        dump = f"part{number}_scored.csv"
        flags = ("-m", "counted.aed", "-o", dump, "--new-only", "--state", "ledger.db")
        result = run("score", f"part{number}.csv", *flags)
        assert result.exit_code == 0, result.stderr
        parts.append(pd.read_csv(dump))
    scores = pd.concat(parts, ignore_index=True)["anomaly_score"]
    known = scores.notna() & whole["anomaly_score"].notna()
    assert known.mean() > 0.9
    np.testing.assert_allclose(scores[known], whole["anomaly_score"][known], rtol=1e-3)


def test_sensors_of_other_units_are_each_judged_in_their_own(run: Prompt) -> None:
    _threshold(run, "sensors", "--entity", "sensor")
    new = _sensors(4, 50, "2026-02-01")
    normal = _scored(run, new, "sensors")
    for sensor, unit in (("temp", 1), ("rpm", 50), ("press", 1000), ("vibration", 0.01)):
        own = np.flatnonzero(new["sensor"] == sensor)
        assert normal.loc[own, "flagged"].mean() < 0.2
        odd = new.copy()
        odd.loc[own[300:336], "value"] += 3 * unit
        assert _scored(run, odd, "sensors").loc[own[305:331], "flagged"].all()
