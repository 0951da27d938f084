"""kill -9 at random moments, a hundred times over, with a look at what is left after each."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect.cli.main import app
from aedetect.engine.ledger import Ledger
from aedetect.scoring.model_file import read_model_file

KILLS = 100
ROWS = 400
RECORDS = ("--new-only", "--state", "s.db", "--summary", "sum.json")


def command(folder: str, words: list[str], settings: dict[str, str]) -> None:
    """One run of the program, in a process made for it."""
    os.chdir(folder)
    os.environ.update(settings)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    app(words)


def prepared() -> multiprocessing.context.ForkServerContext:
    """Processes that have the libraries loaded when they begin, but no threads yet."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aedetect.cli.main", "aedetect.detector", "aedetect.tasks.score_run"])
    return context


def run(context: multiprocessing.context.ForkServerContext, folder: Path, words: list[str],
        settings: dict[str, str], kill_after: float | None) -> bool:  # fmt: skip
    """Whether the run was killed before it ended by itself. Without `kill_after` it must end well."""
    process = context.Process(target=command, args=(str(folder), words, settings))
    process.start()
    process.join(kill_after)
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode in ((0,) if kill_after is None else (0, -signal.SIGKILL))
    return process.exitcode == -signal.SIGKILL


def duration(context: multiprocessing.context.ForkServerContext, folder: Path, words: list[str],
             settings: dict[str, str]) -> float:  # fmt: skip
    """How long a whole run takes in a process whose libraries are loaded."""
    clock = time.monotonic()
    run(context, folder, words, settings, None)
    return time.monotonic() - clock


@pytest.mark.slow
def test_28_scoring_survives_a_hundred_kills(
    tmp_path: Path, tiny_model: Path, survived: Callable[[str], None]
) -> None:
    (tmp_path / "m.aed").write_bytes(tiny_model.read_bytes())
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    words = [
        "score",
        "in",
        "-m",
        "m.aed",
        "-o",
        "out/",
        "--new-only",
        "--state",
        "s.db",
        "--summary",
        "sum.json",
    ]
    settings = {"AEDETECT_SCORING_BATCH_ROWS": "20", "OMP_NUM_THREADS": "1"}
    context, moments = prepared(), random.Random(0)
    whole = 0.0
    killed = begun = turn = 0
    while killed < KILLS:
        for number in range(3):
            tiny_frame(ROWS, seed=turn).to_csv(tmp_path / "in" / f"{turn}-{number}.csv", index=False)
        if turn < 2:
            # The first run also waits for the libraries to be loaded; the second tells how long one takes.
            whole = duration(context, tmp_path, words, settings)
            turn += 1
            continue
        moment = moments.uniform(0, whole)
        if run(context, tmp_path, words, settings, moment):
            killed += 1
            begun += bool(list(tmp_path.rglob(".*.aedetect-*")))
        else:
            # Runs have become faster since: the machine has less to do.
            whole = min(whole, moment)
        check_score(tmp_path)
        for path in (tmp_path / "in").glob(f"{turn - 5}-*.csv"):
            path.unlink()
        turn += 1
    run(context, tmp_path, words, settings, None)
    check_score(tmp_path)
    with Ledger(tmp_path / "s.db") as ledger:
        scored = {Path(entry.path).name for entry in ledger.entries()}
    assert {path.name for path in (tmp_path / "in").iterdir()} <= scored
    assert [path.name for path in tmp_path.rglob(".*")] == []
    survived(f"scoring: {killed} of {turn - 2} runs killed, {begun} of them while they held locks")
    assert begun > KILLS / 10


def check_score(folder: Path) -> None:
    """Every output is whole, every entry of the ledger has its output, the summary is one."""
    for path in (folder / "out").glob("[!.]*"):
        assert len(pd.read_csv(path)) == ROWS
    if (folder / "s.db").exists():
        with Ledger(folder / "s.db") as ledger:
            for entry in ledger.entries():
                assert (folder / "out" / Path(entry.path).name).exists()
    if (folder / "sum.json").exists():
        json.loads((folder / "sum.json").read_text())


@pytest.mark.slow
def test_27_training_survives_a_hundred_kills(tmp_path: Path, survived: Callable[[str], None]) -> None:
    tiny_frame(400).to_csv(tmp_path / "in.csv", index=False)
    settings = {
        "AEDETECT_TRAINING_EPOCHS": "30",
        "AEDETECT_TRAINING_PATIENCE": "99",
        "AEDETECT_TRAINING_FOLDS": "2",
        "AEDETECT_MODEL_WIDTH": "16",
        "AEDETECT_TRAINING_DEVICE": "cpu",
        "AEDETECT_TRAINING_CHECKPOINT_EVERY": "0.000001",
        "OMP_NUM_THREADS": "1",
    }
    context, moments = prepared(), random.Random(1)
    words = ["train", "in.csv", "--resume", "-o"]
    whole = duration(context, tmp_path, [*words, "whole.aed"], settings)
    whole = duration(context, tmp_path, [*words, "whole.aed"], settings)
    killed = begun = ended = 0
    while killed < KILLS:
        moment = moments.uniform(0, whole)
        if run(context, tmp_path, [*words, "m.aed"], settings, moment):
            killed += 1
            begun += (tmp_path / ".m.aed.aedetect-lock").exists()
        else:
            whole = min(whole, moment)
        if (tmp_path / "m.aed").exists():
            ended += 1
            assert weights(tmp_path / "m.aed") == weights(tmp_path / "whole.aed")
            for name in ("m.aed", "m.aed.checkpoint"):
                (tmp_path / name).unlink(missing_ok=True)
    run(context, tmp_path, [*words, "m.aed"], settings, None)
    assert weights(tmp_path / "m.aed") == weights(tmp_path / "whole.aed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "m.aed", "whole.aed"]
    survived(f"training: {killed} runs killed, {begun} of them while they held the lock, and "
          f"{ended} models ended in between, each as an uninterrupted run ends")  # fmt: skip
    assert begun > KILLS / 10


def weights(path: Path) -> dict[str, bytes]:
    return {name: tensor.tobytes() for name, tensor in read_model_file(path)[1].items()}
