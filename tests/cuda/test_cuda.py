"""A GPU and a CPU come to the same: training, resuming, scoring, and what happens where memory is short.

What can be told without one is in `test_without_one.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect import Detector, load
from aedetect.models import device as devices
from aedetect.models.device import Room, pick_device
from aedetect.models.ensemble import mean_errors
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.models.registry import ARCHITECTURES, SERIES_ARCHITECTURES
from aedetect.training.feed import to_device

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use"),
]
QUICK = {"training.epochs": 4, "training.folds": 2}
# Largest relative difference of scores, and how near to the threshold a verdict may differ.
CLOSE = 1e-4
# Weights of stored rows turn on small differences of large distances.
LESS_CLOSE = {"memory": 1e-3}


def series(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hours = np.arange(rows) / 12
    load = 20 + 5 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 0.3, rows)
    return pd.DataFrame(
        {
            "time": pd.date_range("2026-01-01", periods=rows, freq="5min"),
            "load": load,
            "heat": 0.5 * load + rng.normal(0, 0.2, rows),
        }
    )


def same_scores(model: Path, rows: pd.DataFrame, close: float = CLOSE) -> None:
    on_cpu, on_gpu = (load(model, device=device).score(rows) for device in ("cpu", "cuda"))
    first, second = on_cpu.anomaly_score.to_numpy(), on_gpu.anomaly_score.to_numpy()
    np.testing.assert_allclose(second, first, rtol=close, atol=close)
    differ = (on_cpu.is_anomaly != on_gpu.is_anomaly).to_numpy()
    threshold = load(model, device="cpu").threshold
    assert (np.abs(first[differ] / threshold - 1) <= close).all()


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """Blocks as large as at the start of a program."""
    monkeypatch.setattr(devices, "ROOM", Room())
    return devices.ROOM


def test_auto_is_the_gpu() -> None:
    assert devices._may_have_gpu()
    assert pick_device("auto") == "cuda"


@pytest.mark.parametrize("trained_on", ["cpu", "cuda"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tables_score_alike(trained_on: str, architecture: str, tmp_path: Path) -> None:
    settings = {**QUICK, "training.device": trained_on, "model.architecture": architecture}
    Detector(settings).fit(tiny_frame(600)).save(tmp_path / "m.aed")
    rows = tiny_frame(3000, seed=1)
    rows.loc[::100, "load"] = 900.0
    rows.loc[::70, "temp"] = np.nan
    same_scores(tmp_path / "m.aed", rows, LESS_CLOSE.get(architecture, CLOSE))


@pytest.mark.parametrize("trained_on", ["cpu", "cuda"])
@pytest.mark.parametrize("architecture", SERIES_ARCHITECTURES)
def test_series_score_alike(architecture: str, trained_on: str, tmp_path: Path) -> None:
    settings = {
        **QUICK,
        "training.device": trained_on,
        "series.time": "time",
        "model.architecture": architecture,
    }
    Detector(settings).fit(series(3000, 0)).save(tmp_path / "m.aed")
    rows = series(1500, 1)
    rows.loc[700:720, "load"] += 15
    rows.loc[300:310, "heat"] = np.nan
    same_scores(tmp_path / "m.aed", rows)


def test_scoring_twice_gives_the_same(tmp_path: Path) -> None:
    Detector({**QUICK, "training.device": "cuda"}).fit(tiny_frame(600)).save(tmp_path / "m.aed")
    rows, judge = tiny_frame(20_000, seed=1), load(tmp_path / "m.aed", device="cuda")
    first, second = (judge.score(rows).anomaly_score for _ in range(2))
    assert first.equals(second)


def test_what_a_gpu_learned_flags_what_a_cpu_learned_flags() -> None:
    rows = tiny_frame(4000, seed=1)
    rows.loc[::50, "temp"] = 400.0
    flagged = [
        Detector({"training.device": device}).fit(tiny_frame(1000)).score(rows).is_anomaly.to_numpy()
        for device in ("cpu", "cuda")
    ]
    assert flagged[0][::50].all()
    assert flagged[1][::50].all()
    normal = np.arange(len(rows)) % 50 != 0
    assert abs(flagged[0][normal].mean() - flagged[1][normal].mean()) < 0.01


@pytest.mark.parametrize(("cut_on", "resumed_on"), [("cuda", "cuda"), ("cpu", "cuda"), ("cuda", "cpu")])
def test_training_that_was_cut_off_goes_on(cut_on: str, resumed_on: str, prompt: Prompt) -> None:
    tiny_frame(2000).to_csv("normal.csv", index=False)
    train = "train normal.csv -o m.aed --epochs 40"
    cut = prompt(*train.split(), "--device", cut_on, "--max-time", "1s")
    assert cut.exit_code == 0, cut.output
    resumed = prompt(*train.split(), "--device", resumed_on, "--resume", "--json")
    assert resumed.exit_code == 0, resumed.output
    scored = prompt("score", "normal.csv", "-m", "m.aed", "--json", "--device", "cpu")
    assert scored.json()["anomalies"] < 80


def test_where_memory_is_short_rows_stay_in_main_memory() -> None:
    free, _ = torch.cuda.mem_get_info()
    filler = torch.empty(int(free - 64e6), dtype=torch.uint8, device="cuda")
    try:
        matrix = np.zeros((10_000_000, 2), np.float32)
        assert to_device(matrix, torch.device("cuda")).device.type == "cpu"
    finally:
        del filler
        torch.cuda.empty_cache()


def test_too_little_memory_makes_blocks_smaller(room: Room, tmp_path: Path) -> None:
    Detector({**QUICK, "training.device": "cuda"}).fit(tiny_frame(9000)).save(tmp_path / "m.aed")
    fitted = load(tmp_path / "m.aed", device="cuda").fitted
    matrix = np.resize(fitted.normal_rows, (20_000, fitted.encoder.layout.width))
    whole = mean_errors(fitted.members, matrix, "cuda")
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    # Enough for the model and blocks of about two thousand rows, beside what is held already.
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 400e6) / total)
    try:
        halved = mean_errors(fitted.members, matrix, "cuda")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert BLOCK_ROWS <= room.rows < Room().rows
    np.testing.assert_allclose(halved, whole, rtol=CLOSE, atol=CLOSE)


def test_out_of_memory_ends_with_one_line(prompt: Prompt) -> None:
    tiny_frame(2000).to_csv("normal.csv", index=False)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-5)
    try:
        result = prompt("train", "normal.csv", "-o", "m.aed", "--device", "cuda", "--epochs", "2")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert "memory" in result.stderr
    assert not Path("m.aed").exists()
