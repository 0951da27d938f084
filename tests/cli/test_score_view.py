"""What `train` and `score` end with for people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.cli.text import plain


@pytest.fixture
def train(prompt: Prompt) -> Prompt:
    return prompt.command("train", after=("-o", "m.aed", "--epochs", "20"))


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Training data of which row 11 holds a load of 5,000 and row 41 a temp of -900."""
    frame = tiny_frame(600)
    frame.loc[10, "load"] = 5000.0
    frame.loc[40, "temp"] = -900.0
    frame.assign(fraud=[int(index in (10, 40)) for index in range(600)]).to_csv(
        tmp_path / "odd.csv", index=False
    )
    return tmp_path / "odd.csv"


def test_training_ends_with_its_curve_and_the_rows_that_look_anomalous(train: Prompt, odd: Path) -> None:
    text = train(odd, "--exclude", "fraud", width=120).stdout
    assert "held-out loss " in text
    assert "2 training rows look anomalous themselves, the strangest first:" in text
    assert "row 11 (line 12): load is 5,000.0 (the highest in training); rows like" in text
    assert "row 41 (line 42): temp is -900.0 (the lowest in training); rows like" in text


def test_known_anomalies_are_no_suspects(train: Prompt, odd: Path) -> None:
    text = train(odd, "--label", "fraud").stdout
    assert "anomalous" not in text.partition("learned 598")[2]


def test_scripts_get_no_ending(train: Prompt, odd: Path) -> None:
    quick = train.setting(training_epochs="1")
    assert quick(odd, "-q").stdout == ""
    assert quick.json(odd)["command"] == "train"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    frame = tiny_frame(200, seed=1)
    frame.loc[np.arange(7), "load"] = 4000.0 + np.arange(7)
    frame.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def test_on_a_terminal_scoring_ends_with_the_strangest_rows_and_a_histogram(
    prompt: Prompt, new: Path, tiny_model: Path
) -> None:
    around = {"TERM": "xterm", "NO_COLOR": "1"}
    words = ("score", new, "-m", tiny_model)
    text = prompt(*words, terminals=["stdout"], width=120, environment=around).stdout
    summary, _, rest = text.partition("\n")
    assert "200 rows, " in summary
    assert "why" in rest
    assert "rows like this have" in rest
    assert "█ flagged" in rest
    assert rest.count("load is 400") <= 5


def test_elsewhere_scoring_ends_with_its_summary(prompt: Prompt, new: Path, tiny_model: Path) -> None:
    result = prompt("score", new, "-m", tiny_model)
    assert len(result.stdout.splitlines()) == 1


def test_long_names_are_cut_in_their_middle() -> None:
    """Names that are much the same differ at either end."""
    assert plain("pressure_of_pump_17", 11) == "press…mp_17"
    assert plain("pressure_of_pump_17", 12) == "pressu…mp_17"
    assert plain("pressure_of_pump_17", 19) == "pressure_of_pump_17"
    assert plain("a\x1b[31m") == "a\\x1b[31m"
    assert plain("abc", 1) == "…"
