"""Outputs that cannot be written, and runs that are stopped (faults 25 to 28, 32)."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faults.kit import OLD, SCORE
from support.prompt import Prompt
from support.tables import tiny_frame
from support.waiting import until

from aedetect.scoring.model_file import read_model_file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip("a small file system needs the right to mount one")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_25_a_read_only_folder_is_5(prompt: Prompt, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    result = prompt(*SCORE, "normal.csv", "-o", f"{small_disk}/x.csv")
    assert (result.exit_code, result.stderr) == (
        5,
        f"error: {small_disk}/x.csv: cannot be written: no permission to write in the folder {small_disk}\n",
    )


def test_26_a_full_disk_is_5_and_keeps_the_old_output(prompt: Prompt, small_disk: Path) -> None:
    out = small_disk / "out.csv"
    out.write_text("old")
    tiny_frame(5000, seed=1).to_csv("big.csv", index=False)
    result = prompt(*SCORE, "big.csv", "-o", out)
    assert (result.exit_code, result.stderr) == (
        5,
        f"error: {out}: cannot be written: no space left on the device\n",
    )
    assert out.read_text() == "old"
    assert os.listdir(small_disk) == ["out.csv"]


@pytest.mark.parametrize(
    "words",
    [
        [*SCORE, "normal.csv", "-o", "-"],
        ["score", "normal.csv", "-m", "tiny.aed", "--json"],
        ["inspect", "tiny.aed"],
    ],
    ids=["data", "json", "text"],
)
def test_26_a_full_stdout_is_5(prompt: Prompt, words: list[str]) -> None:
    result = prompt.process(*words, shell='exec "$@" > /dev/full')
    assert result.exit_code == 5
    assert len(result.stderr.splitlines()) == 1
    assert "standard output: cannot be written: no space left on the device" in result.stderr


def begins(name: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a file in the working directory whose name begins so."""
    until(lambda: any(found.startswith(name) for found in os.listdir()), process=process)


def weights(path: str) -> dict[str, bytes]:
    return {name: tensor.tobytes() for name, tensor in read_model_file(path)[1].items()}


QUICK = {
    "AEDETECT_TRAINING_DEVICE": "cpu",
    "AEDETECT_TRAINING_CHECKPOINT_EVERY": "0.001",
    "AEDETECT_TRAINING_EPOCHS": "60",
    "AEDETECT_TRAINING_PATIENCE": "60",
}


@pytest.mark.slow
@pytest.mark.parametrize("below", ["0", "2000"], ids=["one network", "folds"])
@pytest.mark.parametrize("checkpoints", [1, 5])
def test_27_a_killed_training_ends_like_an_uninterrupted_one(
    prompt: Prompt, below: str, checkpoints: int
) -> None:
    """Killed at its first checkpoint, and once it has written some."""
    tiny_frame(1000).to_csv("train.csv", index=False)
    checkpoint = Path("killed.aed.checkpoint")
    settings = QUICK | {"AEDETECT_TRAINING_FOLD_BELOW": below}
    train = replace(prompt, environment=settings).command("train", "train.csv", "-q", "-o")
    with train.running("killed.aed") as process:
        for _ in range(checkpoints):
            is_written(checkpoint, process)
        process.kill()
        process.wait()
    assert not Path("killed.aed").exists()
    assert train.process("killed.aed", "--resume").exit_code == 0
    assert train.process("whole.aed").exit_code == 0
    assert weights("killed.aed") == weights("whole.aed")
    assert not any("checkpoint" in name for name in os.listdir())


def is_written(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the file, or for one that takes its place."""

    def modified() -> int | None:
        return path.stat().st_mtime_ns if path.exists() else None

    before = modified()
    until(lambda: modified() not in (before, None), process=process)


@pytest.mark.slow
def test_27_a_checkpoint_of_other_settings_is_4(prompt: Prompt) -> None:
    before = prompt.files()["tiny.aed"]
    train = replace(prompt, environment=QUICK).command("train", "normal.csv", "-o", "tiny.aed")
    with train.running() as process:
        begins("tiny.aed.checkpoint", process)
        process.kill()
        process.wait()
    result = prompt("train", "normal.csv", "-o", "tiny.aed", "--resume", "--seed", "1")
    assert (result.exit_code, result.stderr) == (
        4,
        "error: tiny.aed.checkpoint: this checkpoint was made with other data or settings; "
        "repeat the same command, or drop --resume to start over\n",
    )
    assert prompt.files()["tiny.aed"] == before


@pytest.fixture
def lengthy(prompt: Prompt) -> Prompt:
    """Scoring that takes longer than it takes to stop it."""
    tiny_frame(60_000, seed=2).to_csv("long.csv", index=False)
    prompt.write("out.csv", OLD)
    return replace(prompt, environment=SLOW).command("score", "long.csv", "-m", "tiny.aed")


SLOW = {"AEDETECT_SCORING_BATCH_ROWS": "16"}
USUAL = {"AEDETECT_SCORING_BATCH_ROWS": "5000"}


def test_28_a_killed_scoring_leaves_the_old_output_and_the_next_one_tidies_up(
    prompt: Prompt, lengthy: Prompt
) -> None:
    with lengthy.running("-o", "out.csv") as process:
        begins(".out.csv.aedetect-tmp-", process)
        process.kill()
        process.wait()
    assert Path("out.csv").read_bytes() == OLD
    assert any("aedetect-tmp" in name for name in os.listdir())
    assert prompt(*SCORE, "normal.csv").exit_code == 0
    assert len(Path("out.csv").read_text().splitlines()) == 201
    assert not any("aedetect-tmp" in name for name in os.listdir())


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        pytest.param(signal.SIGTERM, 143, "terminated", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 143, "terminated", marks=pytest.mark.slow),
        (signal.SIGINT, 130, "interrupted"),
    ],
)
@pytest.mark.parametrize("command", ["score", "train"])
def test_32_a_stopped_run_leaves_nothing_half_written(
    prompt: Prompt, lengthy: Prompt, command: str, number: int, code: int, word: str
) -> None:
    tiny_frame(5000).to_csv("some.csv", index=False)
    before = prompt.files()
    trains = replace(prompt, environment=QUICK).command("train", "some.csv", "-o", "tiny.aed")
    runs, begun = {
        "score": (lengthy.command("-o", "out.csv"), ".out.csv.aedetect-tmp-"),
        "train": (trains, "tiny.aed.checkpoint"),
    }[command]
    with runs.running() as process:
        begins(begun, process)
        process.send_signal(number)
        stderr = process.communicate(timeout=300)[1].decode()
    assert process.returncode == code
    resume = "; to go on from tiny.aed.checkpoint, run the same command with --resume"
    expected = f"error: {word}; old outputs are intact{resume if command == 'train' else ''}"
    assert stderr.splitlines()[-1] == expected
    assert "Traceback" not in stderr
    assert {name: prompt.files()[name] for name in before} == before
    assert not any("aedetect-tmp" in name for name in os.listdir())


def test_32_a_closed_pipe_is_quiet(lengthy: Prompt) -> None:
    with lengthy.running("-o", "-", environment=USUAL) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"temp,")
        process.stdout.close()
        assert process.wait(timeout=300) in (0, 141)
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_32_a_pipe_whose_reader_has_gone_is_quiet(lengthy: Prompt) -> None:
    os.mkfifo("pipe")
    with lengthy.running("-o", "pipe", "-q", environment=USUAL) as process:
        with open("pipe", "rb") as reader:
            reader.readline()
        assert process.wait(timeout=300) in (0, 141)
    assert Path("pipe").is_fifo()
    assert not any(name.startswith(".pipe") for name in os.listdir())
