"""Outputs that cannot be written, and runs that are stopped (faults 25 to 28, 32)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from support.processes import PROGRAM
from support.tables import tiny_frame
from typer.testing import CliRunner

from aedetect.cli.main import app
from aedetect.scoring.model_file import read_model_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_csv: Path, tiny_model: Path) -> Path:
    """The working directory, with normal.csv, m.aed and an old out.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "normal.csv").write_bytes(tiny_csv.read_bytes())
    (tmp_path / "m.aed").write_bytes(tiny_model.read_bytes())
    (tmp_path / "out.csv").write_text("old")
    return tmp_path


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


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stderr


SCORE = ("score", "normal.csv", "-m", "m.aed", "-o")
TRAIN = ("train", "normal.csv", "-o")


@pytest.mark.parametrize("command", [SCORE, TRAIN], ids=["score", "train"])
@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("missing/x.csv", "its folder does not exist; create it first"),
        ("normal.csv/x.csv", "{0}/normal.csv is not a folder"),
    ],
)
def test_25_an_output_without_a_folder_is_5(
    folder: Path, command: Sequence[str], output: str, reason: str
) -> None:
    assert invoke(*command, output) == (
        5,
        f"error: {output}: cannot be written: {reason.format(folder)}\n",
    )


@pytest.mark.parametrize("command", [SCORE, TRAIN], ids=["score", "train"])
def test_25_it_is_said_before_any_work_is_done(
    folder: Path, command: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr("aedetect.scoring.model_file.read_model_file", refuse)
    monkeypatch.setattr("aedetect.detector.fit", refuse)
    assert invoke(*command, "missing/x.csv")[0] == 5


def test_25_a_read_only_folder_is_5(folder: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert invoke(*SCORE, f"{small_disk}/x.csv") == (
        5,
        f"error: {small_disk}/x.csv: cannot be written: no permission to write in the folder {small_disk}\n",
    )


@pytest.mark.parametrize("command", [SCORE, TRAIN], ids=["score", "train"])
def test_25_an_output_that_is_an_input_is_2(folder: Path, command: Sequence[str]) -> None:
    before = Path("normal.csv").read_bytes()
    assert invoke(*command, "normal.csv")[0] == 2
    assert Path("normal.csv").read_bytes() == before


def test_26_a_full_disk_is_5_and_keeps_the_old_output(folder: Path, small_disk: Path) -> None:
    out = small_disk / "out.csv"
    out.write_text("old")
    tiny_frame(5000, seed=1).to_csv("big.csv", index=False)
    assert invoke("score", "big.csv", "-m", "m.aed", "-o", str(out)) == (
        5,
        f"error: {out}: cannot be written: no space left on the device\n",
    )
    assert out.read_text() == "old"
    assert os.listdir(small_disk) == ["out.csv"]


@pytest.mark.parametrize("command", [SCORE, (*TRAIN[:2], "--epochs", "1", "-o")], ids=["score", "train"])
def test_26_a_full_device_is_5_and_stays_a_device(folder: Path, command: Sequence[str]) -> None:
    assert invoke(*command, "/dev/full") == (
        5,
        "error: /dev/full: cannot be written: no space left on the device\n",
    )
    assert not Path("/dev/full").is_file()


@pytest.mark.parametrize("words", [[*SCORE, "-"], [*SCORE[:-1], "--json"], ["inspect", "m.aed"]])
def test_26_a_full_stdout_is_5(folder: Path, words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5
    assert len(done.stderr.splitlines()) == 1
    assert "standard output: cannot be written: no space left on the device" in done.stderr


def weights(path: str) -> dict[str, bytes]:
    return {name: tensor.tobytes() for name, tensor in read_model_file(path)[1].items()}


@contextlib.contextmanager
def running(*words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(found: Path, process: subprocess.Popen[bytes]) -> None:
    """Until a file whose name begins like `found` is there."""
    deadline = time.monotonic() + 60
    while not any(path.name.startswith(found.name) for path in found.parent.iterdir()):
        assert process.poll() is None, "ended too early"
        assert time.monotonic() < deadline, "never began"
        time.sleep(0.005)


QUICK = {
    "AEDETECT_TRAINING_DEVICE": "cpu",
    "AEDETECT_TRAINING_CHECKPOINT_EVERY": "0.001",
    "AEDETECT_TRAINING_EPOCHS": "60",
    "AEDETECT_TRAINING_PATIENCE": "60",
}


@pytest.mark.slow
@pytest.mark.parametrize("below", ["0", "2000"], ids=["one network", "folds"])
@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_27_a_killed_training_ends_like_an_uninterrupted_one(folder: Path, below: str, delay: float) -> None:
    tiny_frame(1000).to_csv("train.csv", index=False)
    settings = QUICK | {"AEDETECT_TRAINING_FOLD_BELOW": below}
    with running("train", "train.csv", "-o", "killed.aed", **settings) as process:
        wait_for(folder / "killed.aed.checkpoint", process)
        time.sleep(delay)
        process.kill()
        process.wait()
    assert not Path("killed.aed").exists()
    for name, words in (("killed.aed", ["--resume"]), ("whole.aed", [])):
        subprocess.run([*PROGRAM, "train", "train.csv", "-q", "-o", name, *words], env=os.environ | settings,
                       check=True)  # fmt: skip
    assert weights("killed.aed") == weights("whole.aed")
    assert not any("checkpoint" in name for name in os.listdir())


def test_27_a_checkpoint_of_other_settings_is_4(folder: Path) -> None:
    before = Path("m.aed").read_bytes()
    with running("train", "normal.csv", "-o", "m.aed", **QUICK) as process:
        wait_for(folder / "m.aed.checkpoint", process)
        process.kill()
        process.wait()
    assert invoke("train", "normal.csv", "-o", "m.aed", "--resume", "--seed", "1") == (
        4,
        "error: m.aed.checkpoint: this checkpoint was made with other data or settings; "
        "repeat the same command, or drop --resume to start over\n",
    )
    assert Path("m.aed").read_bytes() == before


@pytest.fixture
def lengthy(folder: Path) -> list[str]:
    """A command that scores for longer than it takes to stop it."""
    tiny_frame(60_000, seed=2).to_csv("long.csv", index=False)
    return ["score", "long.csv", "-m", "m.aed", "-o", "out.csv"]


SLOW = {"AEDETECT_SCORING_BATCH_ROWS": "16"}


def test_28_a_killed_scoring_leaves_the_old_output_and_the_next_one_tidies_up(
    folder: Path, lengthy: list[str]
) -> None:
    with running(*lengthy, **SLOW) as process:
        wait_for(folder / ".out.csv.aedetect-tmp-", process)
        process.kill()
        process.wait()
    assert Path("out.csv").read_text() == "old"
    assert any("aedetect-tmp" in name for name in os.listdir())
    assert invoke(*SCORE, "out.csv")[0] == 0
    assert len(Path("out.csv").read_text().splitlines()) == 201
    assert not any("aedetect-tmp" in name for name in os.listdir())


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGTERM, 143, b"terminated"),
        (signal.SIGHUP, 143, b"terminated"),
        (signal.SIGINT, 130, b"interrupted"),
    ],
)
@pytest.mark.parametrize("command", ["score", "train"])
def test_32_a_stopped_run_leaves_nothing_half_written(
    folder: Path, lengthy: list[str], command: str, number: int, code: int, word: bytes
) -> None:
    before = Path("m.aed").read_bytes()
    words = lengthy if command == "score" else ["train", "long.csv", "-o", "m.aed"]
    begun = ".out.csv.aedetect-tmp-" if command == "score" else "m.aed.checkpoint"
    with running(*words, **(SLOW if command == "score" else QUICK)) as process:
        wait_for(folder / begun, process)
        process.send_signal(number)
        stderr = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert stderr.splitlines()[-1] == b"error: " + word + b"; old outputs are intact"
    assert b"Traceback" not in stderr
    assert (Path("out.csv").read_text(), Path("m.aed").read_bytes()) == ("old", before)
    assert not any("aedetect-tmp" in name for name in os.listdir())


def test_32_a_closed_pipe_is_quiet(folder: Path, lengthy: list[str]) -> None:
    with running(*lengthy[:-1], "-") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"temp,")
        process.stdout.close()
        assert process.wait(timeout=60) in (0, 141)
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_32_a_pipe_whose_reader_has_gone_is_quiet(folder: Path, lengthy: list[str]) -> None:
    os.mkfifo("pipe")
    with running(*lengthy[:-1], "pipe", "-q") as process:
        with open("pipe", "rb") as reader:
            reader.readline()
        assert process.wait(timeout=60) in (0, 141)
    assert Path("pipe").is_fifo()
    assert np.all([not name.startswith(".pipe") for name in os.listdir()])
