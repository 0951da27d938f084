"""What exceptions that are nobody's mistake come to at the prompt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from support.networks import failing_networks
from support.prompt import Prompt
from support.tables import tiny_frame

SMALLER = "error: out of memory; lower data.memory_mb or scoring.batch_rows\n"


@pytest.fixture(autouse=True)
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    tiny_frame(50).to_csv("in.csv", index=False)
    tiny_frame(50).to_parquet("in.parquet", index=False)
    return prompt.command("score", after=("-m", tiny_model, "-o", "out.csv"))


def no_memory_in_torch() -> None:
    torch.zeros(10**15)


def no_memory_in_arrow() -> None:
    raise pa.ArrowMemoryError("malloc of size 2167488 failed")


def no_memory_in_python() -> None:
    raise MemoryError


def no_memory_on_a_gpu() -> None:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (no_memory_in_torch, SMALLER),
        (no_memory_in_arrow, SMALLER),
        (no_memory_in_python, SMALLER),
        (
            no_memory_on_a_gpu,
            "error: out of memory of the GPU; lower training.batch_size, or use --device cpu\n",
        ),
    ],
)
def test_too_little_memory(failure: Callable[[], None], expected: str, score: Prompt) -> None:
    with failing_networks(failure):
        result = score("in.csv")
    assert (result.exit_code, result.stderr) == (3, expected)
    assert not Path("out.csv").exists()


def test_too_little_memory_to_read_is_no_fault_of_the_file(
    score: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", lambda *_, **__: no_memory_in_arrow())
    result = score("in.parquet")
    assert (result.exit_code, result.stderr) == (3, SMALLER)


def stop() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ((), ""),
        (
            ("-o", "new/"),
            "; whole outputs are kept: runs with --new-only --state FILE go on where they were stopped",
        ),
        (
            ("-o", "new/", "--new-only", "--state", "s.db"),
            "; whole outputs are kept: the same command goes on with the other inputs",
        ),
    ],
)
def test_a_run_that_is_stopped_says_what_is_kept(
    prompt: Prompt, tiny_model: Path, words: tuple[str, ...], kept: str
) -> None:
    with failing_networks(stop):
        result = prompt("score", "in.csv", "-m", tiny_model, *words)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == f"error: interrupted; old outputs are intact{kept}\n"


def test_a_training_that_is_stopped_early_says_that_nothing_is_kept(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aedetect.training.fit.profile_inputs", lambda *_: stop())
    result = prompt("train", "in.csv", "-o", "m.aed")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == (
        "error: interrupted; old outputs are intact, and there is nothing to go on from yet: start again\n"
    )
