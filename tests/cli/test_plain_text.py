"""What is printed where an encoding lacks characters: ASCII, and never a traceback."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt

from aedetect.cli.plain_text import degrade_streams

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
LATIN_1 = {"PYTHONIOENCODING": "latin-1"}
# Names of the file system in ASCII, too, whatever the platform would make of the locale.
BARE = {**ASCII, "PYTHONCOERCECLOCALE": "0"}
QUICK = {
    "AEDETECT_TRAINING_FOLDS": "2",
    "AEDETECT_TRAINING_EPOCHS": "1",
    "AEDETECT_MODEL_WIDTH": "16",
    "AEDETECT_TRAINING_DEVICE": "cpu",
}


def rows(odd: bool = False) -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "Größe": random.normal(20, 2, 200).round(2),
            "température": random.normal(10, 3, 200).round(2),
            "Stadt": random.choice(["Köln", "東京"], 200),
            "Id": [f"n°{number}" for number in range(200)],
        }
    )
    if odd:
        frame.loc[3, "Größe"] = 900
        frame.loc[7, "Stadt"] = "Ångström"
    return frame.assign(schlecht=[int(odd and place in (3, 7)) for place in range(200)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    rows().to_csv(folder / "größe.csv", index=False)
    prompt = Prompt(folder, QUICK)
    trained = prompt.process(
        *("train", "größe.csv", "-o", "mödel.aed", "--id", "Id", "--label", "schlecht"), environment=BARE
    )
    assert (trained.exit_code, trained.stdout.isascii(), trained.stderr.isascii()) == (0, True, True)
    assert trained.stdout.startswith("column ")
    assert r"Gr\xf6\xdfe" in trained.stdout
    assert r"m\xf6del.aed: learned 200 normal rows" in trained.stdout
    return folder / "mödel.aed"


@pytest.fixture
def plain(prompt: Prompt, model: Path) -> Prompt:
    rows(odd=True).to_csv("neü.csv", index=False)
    prompt.write("mödel.aed", model.read_bytes())
    return prompt


COMMANDS = {
    "score": ("score", "neü.csv", "-m", "mödel.aed", "-o", "öut.csv"),
    "score --json": ("score", "neü.csv", "-m", "mödel.aed", "--json"),
    "score unattended": (
        *("score", "neü.csv", "-m", "mödel.aed", "-o", "dïr/", "--new-only", "--state", "zü.db"),
        *("--summary", "sü.json", "--metrics", "mü.prom", "--job", "jöb"),
    ),
    "explain": ("explain", "neü.csv", "-m", "mödel.aed", "--id", "n°7"),
    "report": ("report", "neü.csv", "-m", "mödel.aed", "-o", "rü.html"),
    "report --format md": ("report", "neü.csv", "-m", "mödel.aed", "--format", "md"),
    "evaluate": ("evaluate", "neü.csv", "-m", "mödel.aed", "--label", "schlecht", "--by", "Stadt"),
    "backtest": ("backtest", "neü.csv", "-m", "mödel.aed", "--budget", "3/dump"),
    "calibrate": ("calibrate", "neü.csv", "-m", "mödel.aed", "-o", "cü.aed"),
    "drift": ("drift", "neü.csv", "-m", "mödel.aed", "-v"),
    "inspect": ("inspect", "mödel.aed", "-v"),
    "inspect --format md": ("inspect", "mödel.aed", "--format", "md"),
    "encode": ("encode", "neü.csv", "-m", "mödel.aed", "-o", "cö.csv"),
    "clean": ("clean", "neü.csv", "-m", "mödel.aed", "-o", "clü.csv", "--changes", "chü.csv"),
    "impute": ("impute", "neü.csv", "-m", "mödel.aed", "-o", "imü.csv"),
    "sample": ("sample", "5", "-m", "mödel.aed", "-o", "sü.csv", "--where", "Stadt=Köln"),
    "train --help": ("train", "--help"),
}


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command_in_ascii(plain: Prompt, words: tuple[str, ...]) -> None:
    result = plain.process(*words, environment=ASCII)
    assert result.exit_code == 0, result.output
    assert (result.stdout.isascii(), result.stderr.isascii()) == (True, True)


@pytest.mark.parametrize("name", ["explain", "evaluate", "inspect --format md"])
def test_commands_that_print_what_latin_1_lacks(plain: Prompt, name: str) -> None:
    # Read as UTF-8, which all bytes below 128 are alike in.
    result = plain.process(*COMMANDS[name], environment=LATIN_1, shell='"$@" > out.txt 2> err.txt; echo $?')
    assert result.stdout == "0\n", Path("err.txt").read_text("latin-1")
    assert Path("out.txt").read_text("latin-1")


def test_outputs_are_the_same_whatever_is_printed(plain: Prompt) -> None:
    assert plain.process(*COMMANDS["score"], environment=ASCII).exit_code == 0
    in_ascii = Path("öut.csv").read_bytes()
    assert plain.process(*COMMANDS["score"]).exit_code == 0
    assert Path("öut.csv").read_bytes() == in_ascii


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score", "fehlt-ü.csv", "-m", "mödel.aed"), r"error: fehlt-\xfc.csv: no such file or directory"),
        (
            ("evaluate", "neü.csv", "-m", "mödel.aed", "--label", "Grösse"),
            r"Error: Invalid value: --label: no column named 'Gr\xf6sse' in ne\xfc.csv; did you mean "
            r"'Gr\xf6\xdfe'? There are: Gr\xf6\xdfe, temp\xe9rature, Stadt, Id, schlecht",
        ),
    ],
)
def test_errors_in_ascii(plain: Prompt, words: tuple[str, ...], said: str) -> None:
    result = plain.process(*words, environment=BARE)
    assert result.stderr.splitlines()[-1] == said


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("loss █▇▁ → 3 × 4 ± 1…", "loss #=_ -> 3 x 4 +/- 1..."),
        ("╭─╮│", "+-+|"),
        ("⠋⠙⠹⠸ reading", "|/-\\ reading"),
        ("Größe “a” – 東", r"Gr\xf6\xdfe \"a\" - \u6771".replace('\\"', '"')),
    ],
)
def test_drawings_and_marks_have_a_spelling(monkeypatch: pytest.MonkeyPatch, text: str, printed: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    degrade_streams()
    stream.write(text)
    stream.flush()
    assert stream.buffer.getvalue().decode() == printed  # type: ignore[attr-defined]
