"""The Nth write, flush or rename fails, for every N: 5, the old files intact, nothing left behind."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

QUICK = {
    "AEDETECT_TRAINING_EPOCHS": "4",
    "AEDETECT_TRAINING_FOLDS": "2",
    "AEDETECT_MODEL_WIDTH": "16",
    "AEDETECT_TRAINING_DEVICE": "cpu",
    "AEDETECT_TRAINING_CHECKPOINT_EVERY": "0.000001",
    "AEDETECT_SCORING_BATCH_ROWS": "50",
}


class Disk:
    """Counts what is asked of the disk, and fails the `fatal`th request."""

    def __init__(self, fatal: int):
        self.asked = 0
        self.fatal = fatal

    def ask(self) -> None:
        self.asked += 1
        if self.asked == self.fatal:
            raise OSError(errno.ENOSPC, "No space left on device")

    def asking(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*words: Any, **more: Any) -> Any:
            self.ask()
            return call(*words, **more)

        return asked


class Stream(io.BufferedWriter):
    """A file whose every write asks the disk."""

    disk: Disk

    def write(self, data: Any) -> int:
        self.disk.ask()
        return super().write(data)


@pytest.fixture
def folder(prompt: Prompt) -> Prompt:
    """A prompt in a folder with two inputs and old outputs of every kind."""
    for number in (1, 2):
        prompt.write(f"in/{number}.csv", tiny_frame(120, seed=number).to_csv(index=False))
    for name in ("out.csv", "out.parquet", "out.jsonl.gz", "out.arrow", "new.aed", "out/1.csv", "sum.json"):
        prompt.write(name, "old")
    return replace(prompt, environment=QUICK)


def attempts(
    prompt: Prompt, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, str, int]]:
    """Runs with the first, second, … request failing, up to the first run that none of it stops."""
    opened = os.fdopen
    for fatal in range(1, 500):
        disk = Disk(fatal)

        def injected(descriptor: int, mode: str = "r", *more: Any, disk: Disk = disk, **named: Any) -> Any:
            if mode != "wb":
                return opened(descriptor, mode, *more, **named)
            stream = Stream(io.FileIO(descriptor, mode))
            stream.disk = disk
            return stream

        with monkeypatch.context() as patch:
            patch.setattr(os, "fdopen", injected)
            for name in ("fsync", "replace", "link"):
                patch.setattr(os, name, disk.asking(getattr(os, name)))
            result = prompt(*words)
        yield result.exit_code, result.stderr, disk.asked
        if disk.asked < fatal:
            return
    raise AssertionError("there is no end to it")


SCORE = ["score", "in", "-m", "tiny.aed"]


@pytest.mark.parametrize(
    "words",
    [
        [*SCORE, "-o", "out.csv"],
        [*SCORE, "-o", "out.jsonl.gz"],
        # These write in many small pieces, each of which is made to fail once.
        pytest.param([*SCORE, "-o", "out.parquet"], marks=pytest.mark.slow),
        pytest.param([*SCORE, "-o", "out.arrow"], marks=pytest.mark.slow),
        pytest.param(["train", "in", "-o", "new.aed"], marks=pytest.mark.slow),
        ["calibrate", "in", "-m", "tiny.aed", "-o", "new.aed"],
    ],
    ids=lambda words: " ".join((words[0], words[-1])),
)
def test_every_failure_is_5_and_keeps_the_old_output(
    folder: Prompt, survived: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    before = folder.files()
    target = words[-1]
    runs = list_of(attempts(folder, words, monkeypatch), folder, before, target)
    survived(f"`{' '.join(words)}`: each of {len(runs) - 1} writes, flushes and renames failed once")
    assert len(runs) > 3
    assert all(code == 5 for code in runs[:-1])
    assert runs[-1] == 0
    assert Path(target).read_bytes() != b"old"


def list_of(
    runs: Iterator[tuple[int, str, int]], folder: Prompt, before: dict[str, bytes], target: str
) -> list[int]:
    codes = []
    for code, stderr, _ in runs:
        codes.append(code)
        if code:
            lines = [line for line in stderr.splitlines() if not line.startswith("warning: ")]
            assert len(lines) == 1
            assert lines[0].endswith(": cannot be written: no space left on the device")
            after = folder.files()
            # The folder is flushed after the new file took its place: then it is there in full.
            assert after.keys() - {"new.aed.checkpoint"} == before.keys()
            assert {**after, target: b""}.items() >= {**before, target: b""}.items()
            if after[target] != before[target]:
                assert len(after[target]) > 100
                Path(target).write_bytes(before[target])
    return codes


def test_the_ledger_and_the_outputs_never_disagree(
    folder: Prompt, survived: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SCORE, "-o", "out/", "--new-only", "--state", "s.db", "--summary", "sum.json"]
    ends = 0
    for code, _, _ in attempts(folder, words, monkeypatch):
        ends += 1
        assert code in (0, 5)
        for name in known("s.db"):
            assert len(Path("out", name).read_text().splitlines()) == 121
        assert not list(folder.folder.rglob(".*"))
        if code:
            Path("s.db").unlink(missing_ok=True)
    survived(f"`{' '.join(words)}`: each of {ends - 1} writes, flushes and renames failed once")
    assert ends > 10


def known(state: str) -> list[str]:
    """The files a ledger names; it is there in full or not at all."""
    if not Path(state).exists():
        return []
    with sqlite3.connect(state) as database:
        names = [Path(row[0]).name for row in database.execute("SELECT path FROM scored")]
    database.close()
    return names
