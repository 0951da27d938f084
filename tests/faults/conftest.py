"""A user at the prompt, in an empty folder with an old output and an old model lying about."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from aedetect.cli.main import app

OLD_OUTPUT, OLD_MODEL = "old output\n", "old model\n"


@dataclass(frozen=True)
class Prompt:
    """Runs commands in `folder`; relative paths keep the messages short."""

    folder: Path

    def write(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def train(self, *arguments: str, stdin: bytes | None = None) -> Result:
        quick = ["-o", "new.aed", "--device", "cpu", "--epochs", "1"]
        return CliRunner().invoke(app, ["train", *arguments, *quick], input=stdin)

    def score(
        self, *arguments: str, model: str = "tiny.aed", output: str = "out.csv", stdin: bytes | None = None
    ) -> Result:
        return CliRunner().invoke(app, ["score", *arguments, "-m", model, "-o", output], input=stdin)

    def summary(self, *arguments: str, model: str = "tiny.aed") -> dict[str, Any]:
        result = self.score(*arguments, "--json", model=model)
        assert result.stderr == ""
        summary: dict[str, Any] = json.loads(result.stdout)
        assert summary["exit_code"] == result.exit_code
        return summary

    def roles(self, *arguments: str) -> dict[str, str]:
        result = self.train(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return {column["name"]: column["role"] for column in json.loads(result.stdout)["columns"]}

    def scored(self, *arguments: str, model: str = "tiny.aed") -> list[dict[str, str]]:
        """The rows that scoring wrote, as text."""
        result = self.score(*arguments, model=model)
        assert result.exit_code == 0, result.stderr
        return list(csv.DictReader(io.StringIO((self.folder / "out.csv").read_text(), newline="")))

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }

    def refuses(self, run: Callable[[], Result], code: int, message: str) -> None:
        """`run` ends with `code`, one line on stderr, nothing on stdout, and no file touched."""
        before = self.files()
        result = run()
        assert (result.exit_code, result.stderr, result.stdout) == (code, f"error: {message}\n", "")
        assert self.files() == before

    def train_refuses(self, *arguments: str, message: str, code: int = 3) -> None:
        self.write("new.aed", OLD_MODEL)
        self.refuses(lambda: self.train(*arguments), code, message)

    def score_refuses(self, *arguments: str, message: str, code: int = 3, model: str = "tiny.aed") -> None:
        self.write("out.csv", OLD_OUTPUT)
        self.refuses(lambda: self.score(*arguments, model=model), code, message)

    def both_refuse(self, *arguments: str, message: str) -> None:
        self.train_refuses(*arguments, message=message)
        self.score_refuses(*arguments, message=message)


@pytest.fixture
def prompt(tmp_path: Path, tiny_csv: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A prompt in a folder that holds `normal.csv` and the model `tiny.aed` trained on it."""
    shutil.copy(tiny_csv, tmp_path / "normal.csv")
    shutil.copy(tiny_model, tmp_path / "tiny.aed")
    monkeypatch.chdir(tmp_path)
    return Prompt(tmp_path)


@pytest.fixture
def normal(prompt: Prompt) -> pd.DataFrame:
    """The table of normal.csv, as text."""
    return pd.read_csv("normal.csv", dtype=str)
