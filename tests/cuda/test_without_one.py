"""What a GPU would be asked to do, on one that is pretended: see `support.pretend_gpu`."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.layouts import layout
from support.pretend_gpu import GPU, PretendGpu, pretended_gpu
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect import Detector, load
from aedetect.config import ModelConfig, TrainingConfig
from aedetect.models import device as devices
from aedetect.models.device import DEVICE_BLOCK_ROWS, Room
from aedetect.models.ensemble import mean_errors
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.models.registry import ARCHITECTURES, SERIES_ARCHITECTURES, build
from aedetect.training import loop
from aedetect.training.feed import MemoryFeed, WindowFeed
from aedetect.training.loop import EVALUATIONS, Hooks, Snapshot, seeded, train

QUICK = {"training.epochs": 2, "training.folds": 2, "model.width": 16}
CLOSE = 1e-4
# On a GPU, these give other last digits from run to run.
IN_ANY_ORDER = {
    "index_add",
    "scatter_add",
    "index_put",
    "put",
    "bincount",
    "histc",
    "scatter_reduce",
    "cumsum",
}


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendGpu]:
    monkeypatch.setattr(devices, "ROOM", Room())
    with pretended_gpu(monkeypatch) as gpu:
        yield gpu


def gappy_frame(rows: int, seed: int) -> pd.DataFrame:
    frame = tiny_frame(rows, seed)
    frame.loc[::17, "load"] = np.nan
    return frame


def series(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    load = 20 + 5 * np.sin(np.arange(rows) / 12) + rng.normal(0, 0.3, rows)
    times = pd.date_range("2026-01-01", periods=rows, freq="5min")
    return pd.DataFrame({"time": times, "load": load, "heat": 0.5 * load + rng.normal(0, 0.2, rows)})


def same_scores(model: Path, rows: pd.DataFrame, close: float = CLOSE) -> None:
    on_cpu, on_gpu = (load(model, device=device).score(rows) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu.anomaly_score, on_cpu.anomaly_score, rtol=close, atol=close)
    threshold = load(model, device="cpu").threshold
    differ = (on_cpu.is_anomaly != on_gpu.is_anomaly).to_numpy()
    assert (np.abs(on_cpu.anomaly_score.to_numpy()[differ] / threshold - 1) <= close).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tables_are_learned_and_scored_there(architecture: str, gpu: PretendGpu, tmp_path: Path) -> None:
    settings = {**QUICK, "training.device": "cuda", "model.architecture": architecture}
    Detector(settings).fit(gappy_frame(300, 0)).save(tmp_path / "m.aed")
    # What is left of distances that are nothing beside the points' own lengths is mostly rounding.
    same_scores(tmp_path / "m.aed", gappy_frame(400, 1), 1e-3 if architecture == "memory" else CLOSE)


@pytest.mark.parametrize("architecture", SERIES_ARCHITECTURES)
def test_series_are_learned_and_scored_there(architecture: str, gpu: PretendGpu, tmp_path: Path) -> None:
    settings = {**QUICK, "training.device": "cuda", "series.time": "time", "model.architecture": architecture}
    Detector(settings).fit(series(700, 0)).save(tmp_path / "m.aed")
    rows = series(400, 1)
    rows.loc[100:103, "load"] = np.nan
    same_scores(tmp_path / "m.aed", rows)


def numbers(rows: int, width: int = 4, seed: int = 0) -> np.ndarray:
    """Rows [rows, width] about a plane."""
    random = np.random.default_rng(seed)
    plane = random.standard_normal((rows, 2))
    return (plane @ random.standard_normal((2, width)) + 0.1 * random.standard_normal((rows, width))).astype(
        np.float32
    )


def trained(gpu: PretendGpu, architecture: str, epochs: int, contamination: float = 0.0) -> dict[str, int]:
    """What a training on 512 rows in batches of 64 waits for; it is evaluated as often at any length."""
    settings = TrainingConfig(epochs=epochs, batch_size=64, patience=100, contamination=contamination)
    model = build(layout(4), ModelConfig(width=16, architecture=architecture)).to(GPU)
    feed = MemoryFeed(numbers(512), 64, 0, GPU)
    validation = torch.from_numpy(numbers(64, seed=1)).to(GPU)
    gpu.waits.clear()
    record = train(model, feed, validation, settings, Hooks(), seed=0)
    assert (record.steps, len(record.history)) == (8 * epochs, EVALUATIONS)
    return dict(gpu.waits)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_step_of_a_training_waits_for_it(architecture: str, gpu: PretendGpu) -> None:
    # Most steps leave rows out that may be anomalies.
    few, many = (trained(gpu, architecture, epochs, contamination=0.1) for epochs in (5, 10))
    assert few == many


def test_losses_are_looked_at_before_they_are_too_many(
    gpu: PretendGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_LOOKED_AT_AFTER", 1)
    assert trained(gpu, "bottleneck", 5)["tolist"] == 40


def test_the_record_is_that_of_a_cpu(gpu: PretendGpu) -> None:
    histories = []
    for device in ("cpu", "cuda"):
        with seeded(0, torch.device("cpu")):
            model = build(layout(4), ModelConfig(width=16, architecture="bottleneck")).to(device)
            feed = MemoryFeed(numbers(512), 64, 0, torch.device(device))
            validation = torch.from_numpy(numbers(64, seed=1)).to(device)
            settings = TrainingConfig(epochs=5)
            histories.append(train(model, feed, validation, settings, Hooks(), seed=0).history)
    assert histories[0] == histories[1]


def copied(snapshot: Snapshot) -> Snapshot:
    tensors, random = (
        {name: tensor.clone() for name, tensor in named.items()}
        for named in (snapshot.tensors, snapshot.random)
    )
    return Snapshot(deepcopy(snapshot.state), tensors, random)


@pytest.mark.parametrize(("cut_on", "resumed_on"), [("cpu", "cuda"), ("cuda", "cpu"), ("cuda", "cuda")])
def test_a_training_goes_on_elsewhere(cut_on: str, resumed_on: str, gpu: PretendGpu) -> None:
    taken: list[Snapshot] = []

    def trained_on(device: str, resume: Snapshot | None) -> tuple[int, torch.device]:
        model = build(layout(4), ModelConfig(width=16)).to(device)
        feed = MemoryFeed(numbers(512), 64, 0, torch.device(device))
        validation = torch.from_numpy(numbers(64, seed=1)).to(device)
        # What is in use goes on changing.
        hooks = Hooks(snapshot=lambda take: taken.append(copied(take())))
        # Weights are drawn anew for each: none is to stop early.
        settings = TrainingConfig(epochs=4, batch_size=64, patience=100)
        record = train(model, feed, validation, settings, hooks, seed=0, resume=resume)
        return record.steps, next(model.parameters()).device

    trained_on(cut_on, None)
    snapshot = taken[3]
    random = {name: tensor.cpu() for name, tensor in snapshot.random.items()}
    tensors = {name: tensor.to(resumed_on) for name, tensor in snapshot.tensors.items()}
    steps, device = trained_on(resumed_on, Snapshot(snapshot.state, tensors, random))
    assert (steps, device.type) == (32, resumed_on)


class TestRowsThatDoNotFit:
    @pytest.fixture
    def gpu(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendGpu]:
        monkeypatch.setattr(devices, "ROOM", Room())
        with pretended_gpu(monkeypatch, free=4000) as gpu:
            yield gpu

    @pytest.mark.parametrize("kind", ["rows", "windows"])
    def test_they_are_sent_batch_by_batch(self, kind: str, gpu: PretendGpu) -> None:
        matrix = numbers(400)
        feed = {
            "rows": lambda: MemoryFeed(matrix, 64, 0, GPU),
            "windows": lambda: WindowFeed(matrix, np.arange(300), 50, 64, 0, GPU),
        }[kind]()
        batches = list(feed.epoch(0))
        assert {batch.device.type for batch in batches} == {"cuda"}
        assert (gpu.pinned, dict(gpu.waits)) == (len(batches), {})

    @pytest.mark.slow
    def test_it_is_said(self, gpu: PretendGpu, prompt: Prompt) -> None:
        tiny_frame(3000).to_csv("normal.csv", index=False)
        result = prompt.setting(training_fold_below="0")(
            *["train", "normal.csv", "-o", "m.aed", "--device", "cuda", "--epochs", "1"]
        )
        assert result.exit_code == 0, result.output
        text = " ".join(result.stderr.split())
        assert "the training rows do not fit into the memory of the GPU and stay in main memory" in text


def test_rows_that_fit_are_sent_once(gpu: PretendGpu) -> None:
    feed = MemoryFeed(numbers(400), 64, 0, GPU)
    list(feed.epoch(0))
    before = gpu.pinned
    assert {batch.device.type for batch in feed.epoch(1)} == {"cuda"}
    # The order of the epoch alone.
    assert (gpu.pinned - before, dict(gpu.waits)) == (1, {})


class TestScoring:
    @pytest.fixture
    def model(self, gpu: PretendGpu, tmp_path: Path) -> Path:
        settings = {**QUICK, "training.device": "cpu"}
        Detector(settings).fit(tiny_frame(400)).save(tmp_path / "m.aed")
        return tmp_path / "m.aed"

    def matrix(self, model: Path, rows: int) -> np.ndarray:
        fitted = load(model, device="cpu").fitted
        width = fitted.encoder.layout.width
        return np.resize(fitted.normal_rows, (rows, width)) + np.zeros((rows, width), np.float32)

    @pytest.mark.slow
    def test_a_block_is_waited_for_once(self, model: Path, gpu: PretendGpu) -> None:
        fitted, matrix = load(model, device="cuda").fitted, self.matrix(model, DEVICE_BLOCK_ROWS + 1)
        mean_errors(fitted.members, matrix[:1], "cuda")
        gpu.waits.clear()
        for as_unlearned in (False, True):
            mean_errors(fitted.members, matrix, "cuda", as_unlearned)
        assert dict(gpu.waits) == {"cpu": 4}

    def test_it_adds_up_in_one_order(self, model: Path, gpu: PretendGpu) -> None:
        gpu.calls.clear()
        mean_errors(load(model, device="cuda").fitted.members, self.matrix(model, 50), "cuda", True)
        assert gpu.calls
        assert not IN_ANY_ORDER & set(gpu.calls)

    def test_too_little_memory_makes_blocks_smaller(self, model: Path, gpu: PretendGpu) -> None:
        fitted, matrix = load(model, device="cuda").fitted, self.matrix(model, 5000)
        whole = mean_errors(fitted.members, matrix, "cuda")
        # A row is compared with the most points where it is told how isolated it is: with 2048.
        gpu.most_bytes = 4 * 2100 * 2048
        halved = mean_errors(fitted.members, matrix, "cuda")
        assert devices.ROOM.rows == 2 * BLOCK_ROWS
        np.testing.assert_allclose(halved, whole, rtol=CLOSE, atol=CLOSE)
        gpu.refused = 0
        mean_errors(fitted.members, matrix, "cuda")
        assert gpu.refused == 0

    def test_too_little_for_the_smallest_block_is_said(
        self, model: Path, gpu: PretendGpu, prompt: Prompt
    ) -> None:
        tiny_frame(50).to_csv("in.csv", index=False)
        gpu.most_bytes = 100_000
        result = prompt("score", "in.csv", "-m", model, "-o", "out.csv", "--device", "cuda")
        assert (result.exit_code, result.stderr) == (
            3,
            "error: out of memory of the GPU; lower training.batch_size, or use --device cpu\n",
        )
        assert not Path("out.csv").exists()

    def test_other_errors_are_no_matter_of_memory(self, gpu: PretendGpu) -> None:
        def fail(start: int, size: int) -> None:
            raise RuntimeError("no kernel image is available")

        with pytest.raises(RuntimeError, match="no kernel image"):
            devices.by_room(10, 1, "cuda", fail)
        assert devices.ROOM.rows == DEVICE_BLOCK_ROWS


def test_wide_rows_come_in_smaller_blocks() -> None:
    room = Room()
    sizes = [room.block(width, "cuda") for width in (1, 1024, 4096, 10_000, 1 << 30)]
    assert sizes == [DEVICE_BLOCK_ROWS, DEVICE_BLOCK_ROWS, 4096, BLOCK_ROWS, BLOCK_ROWS]
    assert room.block(1, "cpu") == room.block(10_000, "cpu") == BLOCK_ROWS


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_half_precision_learns(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training on a GPU is in bfloat16: here a CPU does the same."""
    autocast = torch.autocast
    monkeypatch.setattr(
        torch, "autocast", lambda kind, dtype=None, enabled=True: autocast(kind, torch.bfloat16)
    )
    model = build(layout(3, 4), ModelConfig(width=16, architecture=architecture))
    matrix = np.column_stack([numbers(512, 3), np.arange(512) % 4]).astype(np.float32)
    feed = MemoryFeed(matrix, 64, 0, torch.device("cpu"))
    settings = TrainingConfig(epochs=5)
    record = train(model, feed, torch.from_numpy(matrix[:64]), settings, Hooks(), seed=0)
    assert record.history[-1][2] < record.history[0][2]
