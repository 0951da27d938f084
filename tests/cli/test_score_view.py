"""What `train` and `score` end with for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.prompt import Prompt
from support.sensors import DAY, broken, readings
from support.tables import tiny_frame

from aedetect.cli.text import plain

AROUND = {"TERM": "xterm", "NO_COLOR": "1"}
_BOLD = re.compile(r"\x1b\[\d*m")


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


@pytest.mark.slow
def test_training_ends_with_its_curve_and_the_rows_that_look_anomalous(train: Prompt, odd: Path) -> None:
    text = train(odd, "--exclude", "fraud", width=120).stdout
    assert "held-out loss " in text
    assert "2 training rows look anomalous themselves, the strangest first:" in text
    assert "row 11 (line 12): load is 5,000.000 (the highest in training); rows like" in text
    assert "row 41 (line 42): temp is -900.000 (the lowest in training); rows like" in text


@pytest.mark.slow
def test_known_anomalies_are_no_suspects(train: Prompt, odd: Path) -> None:
    text = train(odd, "--label", "fraud").stdout
    assert "anomalous" not in text.partition("learned 598")[2]


@pytest.mark.slow
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
    words = ("score", new, "-m", tiny_model)
    text = prompt(*words, terminals=["stdout"], width=120, environment=AROUND).stdout
    summary, _, rest = text.partition("\n")
    assert "200 rows, " in summary
    assert "why" in rest
    assert "rows like this have" in rest
    assert "█ flagged" in rest
    assert rest.count("load is 400") <= 5


def test_of_several_inputs_the_strangest_rows_name_theirs(
    prompt: Prompt, new: Path, tiny_model: Path
) -> None:
    tiny_frame(50, seed=2).to_csv(prompt.folder / "other.csv", index=False)
    words = ("score", "other.csv", new, "-m", tiny_model, "-o", "out.csv")
    text = prompt(*words, terminals=["stdout"], environment=AROUND, width=160).stdout
    assert "file" in text
    assert f"aedetect explain {new} --row " in text
    assert "aedetect score" not in text


def test_events_are_a_table_with_the_course_of_their_first_channel(prompt: Prompt, tmp_path: Path) -> None:
    readings(8, 2).to_csv(tmp_path / "normal.csv", index=False)
    rows = readings(3, 2, seed=5, start="2026-02-01")
    broken(broken(rows, 200, 260), 3 * DAY + 300, 3 * DAY + 350).to_csv(tmp_path / "new.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", "4h", "--alert-rate", "0.001")
    assert prompt("train", "normal.csv", "-o", "m.aed", *flags, "--epochs", "5").exit_code == 0
    around: dict[str, Any] = {"terminals": ["stdout"], "environment": AROUND}
    text = _BOLD.sub("", prompt("score", "new.csv", "-m", "m.aed", width=120, **around).stdout)
    lines = text.splitlines()
    head = next(place for place, line in enumerate(lines) if line.startswith("event"))
    assert lines[head].split()[1:] == ["from", "to", "length", "peak", "score", "channels", "course"]
    events = lines[head + 2 : head + 4]
    assert {event[:7] for event in events} == {"1 of m0", "1 of m1"}
    assert all("temp " in event and "█" in event for event in events)
    assert f"aedetect explain new.csv --event 1 --entity {events[0][5:7]} -m m.aed" in text
    narrow = _BOLD.sub("", prompt("score", "new.csv", "-m", "m.aed", width=80, **around).stdout)
    assert max(map(len, narrow.partition("next:")[0].splitlines())) <= 80
    assert "█" in narrow


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
