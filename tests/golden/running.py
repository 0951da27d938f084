"""Runs a case in a folder and tells what came of it, as JSON, without what differs from run to run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import typer.main
from golden.cases import Case
from pyarrow import feather, parquet
from safetensors import safe_open

from aedetect.cli.main import app

COMMAND = typer.main.get_command(app)
HERE = Path(__file__).resolve().parent
STORED = {"t.aed": "table-0.1.0.aed", "s.aed": "series-0.1.0.aed"}
VARIES = "<varies>"

# What a run says of itself rather than of the data. Of a model that was trained just now, what is
# said of its file and weights as well.
OF_A_RUN = {
    *("seconds", "started", "finished", "age_days", "modified", "changed", "scored"),
    *("aedetect_version", "versions", "device"),
}
OF_A_NEW_MODEL = {"sha256", "file_sha256", "model_sha256", "trained", "bytes"}
IN_TEXT_OF_A_NEW_MODEL = (
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<digest>"),
    (re.compile(r"[▁-█]+"), "<curve>"),
)
IN_TEXT = (
    (re.compile(r"\b(aedetect|torch|numpy) \d+(\.\w+)+(\+\w+)?"), r"\1 <version>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)"), "<time>"),
    (re.compile(r"\bon \d{4}-\d\d-\d\d \d\d:\d\d UTC"), "on <time>"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "<seconds> s"),
    (re.compile(r"(_seconds\{[^}]*\}) \S+"), r"\1 <seconds>"),
    # How wide a table is, and where it breaks, depends on the longest path in it.
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r" {2,}"), "  "),
)


def prepare(folder: Path) -> None:
    """Puts the inputs and the stored models into `folder`."""
    for path in (HERE / "inputs").iterdir():
        shutil.copyfile(path, folder / path.name)
    for short, name in STORED.items():
        shutil.copyfile(HERE / "models" / name, folder / short)


def run(case: Case, folder: Path) -> dict[str, Any]:
    """What came of the case's commands in `folder`, which they are run in."""
    prepare(folder)
    before = set(folder.rglob("*"))
    normal = Normal(folder)
    with contextlib.chdir(folder):
        steps = [_step(words, folder, case.stdin) for words in case.commands]
    made = sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before if path.is_file())
    files = {name: normal.file(folder / name) for name in case.files}
    return {"steps": steps, "made": made, "files": files}


def _step(words: str, folder: Path, stdin: str | None) -> dict[str, Any]:
    normal = Normal(folder, of_a_new_model="new.aed" in words)
    exit_code, stdout, stderr = typed(shlex.split(words), Path(stdin).read_bytes() if stdin else b"")
    return {
        "command": words,
        "exit_code": exit_code,
        "stdout": normal.output(stdout),
        "stderr": normal.output(stderr),
    }


def typed(words: list[str], stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line.

    Typer's own runner would build all commands anew for each, which takes longer than most of them.
    """
    stdout, stderr = io.BytesIO(), io.BytesIO()
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"),
        "stdout": io.TextIOWrapper(stdout, encoding="utf-8", write_through=True),
        "stderr": io.TextIOWrapper(stderr, encoding="utf-8", write_through=True),
    }
    exit_code = 0
    with mock.patch.multiple(sys, **streams), mock.patch.dict(os.environ, COLUMNS="200"):
        try:
            COMMAND(words, prog_name="aedetect")
        except SystemExit as end:
            exit_code = int(end.code or 0)
    return exit_code, stdout.getvalue().decode(), stderr.getvalue().decode()


class Normal:
    """Takes out of outputs what differs from run to run, from folder to folder, from version to version."""

    def __init__(self, folder: Path, of_a_new_model: bool = False):
        self._varies = OF_A_RUN | (OF_A_NEW_MODEL if of_a_new_model else set())
        self._patterns = [
            (re.compile(re.escape(str(folder))), "<folder>"),
            *IN_TEXT,
            *(IN_TEXT_OF_A_NEW_MODEL if of_a_new_model else ()),
        ]

    def output(self, text: str) -> Any:
        """A stream: the value of one JSON object, or its lines."""
        if text.startswith("{") and text.count("\n") == 1:
            return self.value(json.loads(text))
        return self.lines(text)

    def lines(self, text: str) -> list[str]:
        """The lines of a text, without the usage that goes before an error in the flags."""
        lines = text.splitlines()
        start = 3 if lines and lines[0].startswith("Usage:") and len(lines) > 3 else 0
        return [self.text(line) for line in lines[start:]]

    def text(self, text: str) -> str:
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text.rstrip()

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                self.text(key): VARIES if key in self._varies and inner is not None else self.value(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def file(self, path: Path) -> Any:
        kinds = {
            ".json": lambda: self.value(json.loads(path.read_text(encoding="utf-8"))),
            ".parquet": lambda: _table(parquet.read_table(path)),
            ".arrow": lambda: _table(feather.read_table(path)),
            ".html": lambda: self._page(path.read_text(encoding="utf-8")),
            ".aed": lambda: _model(path),
            ".prom": lambda: self.lines(path.read_text(encoding="utf-8")),
            ".md": lambda: self.lines(path.read_text(encoding="utf-8")),
        }
        # Tables of text stay as they are: all in them is of the data.
        return kinds.get(path.suffix, lambda: path.read_text(encoding="utf-8").splitlines())()

    def _page(self, text: str) -> dict[str, Any]:
        page = _Page()
        page.feed(text)
        return {
            "elements": dict(sorted(page.elements.items())),
            "text": [self.text(part) for part in page.parts],
        }


class _Page(HTMLParser):
    """The elements of a page by number, and its text; scripts and styles are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.parts: list[str] = []
        self._shown = True

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements[tag] += 1
        self._shown = tag not in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._shown = True

    def handle_data(self, data: str) -> None:
        if self._shown and data.strip():
            self.parts.append(" ".join(data.split()))


def _table(table: pa.Table) -> dict[str, Any]:
    columns = [f"{field.name}: {field.type}" for field in table.schema]
    rows = [json.dumps(list(row.values()), default=str, ensure_ascii=False) for row in table.to_pylist()]
    return {"columns": columns, "rows": rows}


def _model(path: Path) -> dict[str, Any]:
    """The structure of a model file: the names in its manifest, the shapes and types of its tensors."""
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
        parts = {name: file.get_slice(name) for name in sorted(file.keys())}
        tensors = {name: f"{part.get_dtype()} {part.get_shape()}" for name, part in parts.items()}
    return {"metadata": {name: _names(text) for name, text in sorted(metadata.items())}, "tensors": tensors}


def _names(text: str) -> Any:
    try:
        return sorted(set(_paths(json.loads(text), "")))
    except json.JSONDecodeError:
        return "text"


def _paths(value: Any, place: str) -> list[str]:
    """Where a value lies in a JSON value: the keys on the way to it; [] for each member of a list."""
    if isinstance(value, dict) and value:
        return [path for key, inner in value.items() for path in _paths(inner, f"{place}.{key}")]
    if isinstance(value, list) and value:
        return [path for inner in value for path in _paths(inner, f"{place}[]")]
    return [place]
