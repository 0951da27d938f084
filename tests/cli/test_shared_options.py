"""Options that every command has: how messages are written, which model file it must be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aedetect.cli.main import app
from aedetect.scoring.model_file import read_model_file

GOLDEN = Path(__file__).parents[1] / "golden"
OF_A_MODEL = {
    "score": ["score", "table-new.csv"],
    "backtest": ["backtest", "table-new.csv"],
    "evaluate": ["evaluate", "table-new.csv", "--label", "odd"],
    "explain": ["explain", "table-new.csv"],
    "calibrate": ["calibrate", "-o", "new.aed", "--alert-rate", "0.05"],
    "refresh": ["refresh", "table-new.csv", "--gate", "table-new.csv"],
    "drift": ["drift", "table-new.csv"],
    "report": ["report", "table-new.csv", "-o", "page.md"],
    "encode": ["encode", "table-new.csv", "-o", "codes.csv"],
    "decode": ["decode", "codes.csv", "-o", "rows.csv"],
    "clean": ["clean", "table-new.csv", "-o", "clean.csv"],
    "impute": ["impute", "table-new.csv", "-o", "full.csv"],
    "sample": ["sample", "3", "-o", "new.csv"],
}
OTHERS = {
    "train": ["train", "missing.csv", "-o", "new.aed"],
    "tune": ["tune", "missing.csv", "--unsupervised", "-o", "best.toml"],
    "inspect": ["inspect", "missing.aed"],
    "export": ["export", "missing.aed", "-o", "new.onnx"],
    "state show": ["state", "show", "missing.db"],
    "state forget": ["state", "forget", "missing.db", "--all"],
}
WRONG = "0" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copyfile(GOLDEN / "models" / "table-0.1.0.aed", tmp_path / "m.aed")
    shutil.copyfile(GOLDEN / "inputs" / "table-new.csv", tmp_path / "table-new.csv")
    (tmp_path / "codes.csv").write_text("no,z0\n1,0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("words", OF_A_MODEL.values(), ids=OF_A_MODEL)
def test_a_model_of_another_digest_is_refused(words: list[str], folder: Path) -> None:
    before = sorted(folder.iterdir())
    result = typed(*words, "-m", "m.aed", "--model-sha256", WRONG)
    digest = read_model_file("m.aed")[2]
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error: m.aed: ")
    assert digest in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("command", ["backtest", "evaluate", "explain", "report", "sample"])
def test_a_model_of_the_digest_given_is_taken(command: str) -> None:
    digest = read_model_file("m.aed")[2]
    result = typed(*OF_A_MODEL[command], "-m", "m.aed", "--model-sha256", digest, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["command"], told["model"]["sha256"], told["exit_code"]) == (command, digest, 0)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        *((name, [*words, "-m", "missing.aed"]) for name, words in OF_A_MODEL.items()),
        *OTHERS.items(),
    ],
    ids=[*OF_A_MODEL, *OTHERS],
)
def test_errors_come_as_json_lines_where_asked_for(command: str, words: list[str]) -> None:
    plain = typed(*words)
    assert plain.stderr.startswith("error: missing.")
    result = typed(*words, "--log-format", "json")
    assert (result.exit_code, result.stdout) == (plain.exit_code, "")
    line = json.loads(result.stderr)
    assert sorted(line) == ["command", "exit_code", "level", "message", "time"]
    assert line["command"] == command
    assert (line["level"], line["exit_code"]) == ("error", plain.exit_code)
    assert f"error: {line['message']}\n" == plain.stderr


def test_notes_come_as_json_lines_where_asked_for() -> None:
    result = typed("impute", "table-new.csv", "-m", "m.aed", "-o", "full.csv", "-v", "--log-format", "json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert lines
    assert {line["command"] for line in lines} == {"impute"}
    assert {line["level"] for line in lines} <= {"info", "warning"}


def test_sample_takes_settings_from_a_file(folder: Path) -> None:
    (folder / "settings.toml").write_text('[training]\ndevice = "nowhere"\n')
    result = typed("sample", "3", "-m", "m.aed", "-o", "new.csv", "--config", "settings.toml")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
