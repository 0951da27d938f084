"""More inputs than a process may have files open: none stays open once its rows are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

FILES, ALLOWED = 60, 40
# Without a way back: the program may not allow itself more.
UNDER_LIMIT = f'ulimit -n {ALLOWED} && exec "$@"'


@pytest.fixture
def folders(prompt: Prompt) -> Prompt:
    """A prompt in a folder with 60 files in three folders below `in`."""
    frame = tiny_frame(8)
    for number in range(FILES):
        prompt.write(f"in/{number % 3}/{number}.csv", frame.to_csv(index=False))
    return prompt


def test_each_input_to_its_own_output(folders: Prompt, tiny_model: Path) -> None:
    result = folders.process("score", "in", "-m", tiny_model, "-o", "out/", shell=UNDER_LIMIT)
    assert result.exit_code == 0, result.stderr
    assert len(list((folders.folder / "out").rglob("*.csv"))) == FILES


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("score", "in", "-m", "m.aed", "-o", "all.csv"),
        ("score", "in", "-m", "m.aed", "-o", "out/", "--new-only", "--state", "scored.db"),
        ("drift", "in", "-m", "m.aed"),
        ("clean", "in", "-m", "m.aed", "-o", "out/", "--changes", "changes.csv"),
        ("train", "in", "-o", "new.aed", "--epochs", "1"),
    ],
    ids=" ".join,
)
def test_all_inputs_in_one_run(folders: Prompt, tiny_model: Path, words: tuple[str, ...]) -> None:
    (folders.folder / "m.aed").write_bytes(tiny_model.read_bytes())
    result = folders.process(*words, shell=UNDER_LIMIT)
    assert result.exit_code == 0, result.stderr
