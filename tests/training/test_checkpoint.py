"""Checkpoints: what is saved comes back, and of another run it is refused."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import torch

from aedetect.errors import ModelError, OutputError
from aedetect.scoring.manifest import TrainingRecord
from aedetect.training.checkpoint import Checkpointer
from aedetect.training.loop import LoopState, Snapshot

CPU = torch.device("cpu")


def snapshot() -> Snapshot:
    state = LoopState(7, 2, 3, 0.1 + 0.2, 5, 1 / 3, [(5, 0.5, 1 / 3), (7, 0.25, 0.5)])
    tensors = {"weights": torch.randn(9), "best": torch.randn(9), "step": torch.tensor(7.0)}
    return Snapshot(state, tensors, {"cpu": torch.get_rng_state()})


def keeper(path: Path, seconds: float = 0.0, fingerprint: str = "this run") -> Checkpointer:
    return Checkpointer(path, seconds, fingerprint)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.aed.checkpoint"


def test_what_is_saved_comes_back_bit_for_bit(path: Path) -> None:
    saved, writer = snapshot(), keeper(path)
    record = TrainingRecord(rows=3, steps=2, best_step=1, stopped="early", history=((1, 0.1, 0.2),))
    for index in range(11):
        writer.member_done({"layer.weight": torch.full((2, 2), float(index))}, record)
    writer.offer(lambda: saved)
    reader = keeper(path)
    found = reader.load(CPU)
    assert found is not None
    assert found.state == saved.state
    for part in ("tensors", "random"):
        before, after = getattr(saved, part), getattr(found, part)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
    assert reader.records == [record] * 11
    assert [weights["layer.weight"][0, 0].item() for weights in reader.finished] == list(range(11))


def test_a_saved_state_does_not_follow_the_run(path: Path) -> None:
    writer, weights = keeper(path), {"w": torch.zeros(2)}
    writer.member_done(weights, TrainingRecord(rows=1, steps=1, best_step=1, stopped="early", history=()))
    weights["w"] += 1
    assert writer.finished[0]["w"].tolist() == [0, 0]


def test_snapshots_are_taken_only_when_it_is_time(path: Path) -> None:
    def refuse() -> Snapshot:
        raise AssertionError("taken too early")

    keeper(path, seconds=60).offer(refuse)
    assert not path.exists()


def test_without_a_file_there_is_nothing_to_go_on_from(path: Path) -> None:
    assert keeper(path).load(CPU) is None


def test_without_a_path_nothing_is_kept() -> None:
    def refuse() -> Snapshot:
        raise AssertionError("taken for nothing")

    nothing = Checkpointer.none()
    nothing.offer(refuse)
    record = TrainingRecord(rows=1, steps=1, best_step=1, stopped="early", history=())
    nothing.member_done({"w": torch.zeros(2)}, record)
    assert not nothing.has_checkpoint
    assert (nothing.finished, nothing.records, nothing.load(CPU)) == ([], [], None)


def test_a_checkpoint_of_another_run_is_refused(path: Path) -> None:
    keeper(path).offer(snapshot)
    with pytest.raises(ModelError) as caught:
        keeper(path, fingerprint="another").load(CPU)
    assert str(caught.value) == (
        f"{path}: this checkpoint was made with other data or settings; "
        "repeat the same command, or drop --resume to start over"
    )


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x80\x04K\x01.", b"\2\0\0\0\0\0\0\0{}"])
def test_other_files_are_no_checkpoints(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelError, match="drop --resume to start over$"):
        keeper(path).load(CPU)


def test_a_damaged_checkpoint_never_passes(path: Path) -> None:
    keeper(path).offer(snapshot)
    data = path.read_bytes()
    for place in random.Random(0).sample(range(len(data)), 200):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(ModelError):
            keeper(path).load(CPU)


def test_a_cut_checkpoint_is_refused(path: Path) -> None:
    keeper(path).offer(snapshot)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="the checkpoint is damaged"):
        keeper(path).load(CPU)


def test_failing_to_write_leaves_the_old_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper(path).offer(snapshot)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError):
        keeper(path).offer(snapshot)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
