"""What a row of the fault table says, and what its checks are made of."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from support.prompt import Prompt, Result

HEADER = "temp,load,site,open\n"
ROW = "20,40,north,true\n"
OLD = b"what was there before\n"
QUICK = {"AEDETECT_TRAINING_FOLDS": "2", "AEDETECT_MODEL_WIDTH": "16"}

# Options that come later on the line overrule these.
TRAIN = ("train", "-o", "new.aed", "--device", "cpu", "--epochs", "1")
SCORE = ("score", "-m", "tiny.aed", "-o", "out.csv")
BOTH = (TRAIN, SCORE)

Files = Mapping[str, str | bytes] | Callable[[Prompt], None]
Check = Callable[[Prompt, Result], object]


@dataclass(frozen=True)
class Fault:
    """One way to go wrong: what lies in the folder, what is typed, and how that must end.

    `number` is that of the list of faults; 0 is for neighbours that are not on it. Every failure must leave
    each file as it was, print nothing on stdout, and one line on stderr that says `text`, from end to end.
    `holds` checks the rest.
    """

    number: int
    title: str
    files: Files
    commands: tuple[tuple[str, ...], ...]
    words: str | tuple[str, ...]
    exit_code: int
    text: str | Callable[[Prompt], str] = ""
    holds: Check | None = None

    @property
    def typed(self) -> tuple[str, ...]:
        return tuple(self.words.split(" ")) if isinstance(self.words, str) else self.words

    def named(self, command: tuple[str, ...]) -> str:
        """The name of its test, such as '07-decimal-comma-train'."""
        return "-".join([f"{self.number:02}", *self.title.replace("`", "").split(), command[0]])

    def said(self, prompt: Prompt) -> str:
        return self.text(prompt) if callable(self.text) else self.text

    def prepare(self, prompt: Prompt) -> None:
        if callable(self.files):
            self.files(prompt)
            return
        for name, content in self.files.items():
            prompt.write(name, content)


def normal() -> pd.DataFrame:
    """The table of normal.csv, as text."""
    return pd.read_csv("normal.csv", dtype=str)


def written(path: str = "out.csv") -> list[dict[str, str]]:
    """The rows of an output, as text; it has the delimiter of the input."""
    text = Path(path).read_text()
    mark = max(",;\t|^", key=text.partition("\n")[0].count)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark))


def verdicts(path: str) -> list[tuple[str, ...]]:
    return [(row["anomaly_score"], row["anomaly_p_value"], row["is_anomaly"]) for row in written(path)]


def same_scores(prompt: Prompt, _: Result) -> None:
    """The rows score as those of normal.csv do."""
    prompt(*SCORE, "normal.csv", "-o", "expected.csv")
    assert verdicts("out.csv") == verdicts("expected.csv")


def same_rows(prompt: Prompt, _: Result) -> None:
    """The output is that of normal.csv, in every cell."""
    prompt(*SCORE, "normal.csv", "-o", "expected.csv")
    assert written() == written("expected.csv")


def rows(count: int) -> Check:
    """So many rows were written."""

    def check(_: Prompt, __: Result) -> None:
        assert len(written()) == count

    return check


def column(name: str, *cells: str) -> Check:
    """The output has these cells in a column."""

    def check(_: Prompt, __: Result) -> None:
        assert [row[name] for row in written()] == list(cells)

    return check


def says(**entries: Any) -> Check:
    """The object of --json has these entries."""

    def check(_: Prompt, result: Result) -> None:
        found = result.json()
        assert {name: found[name] for name in entries} == entries
        assert result.stderr == ""

    return check


def warns(*warnings: str, only: bool = True) -> Check:
    """The object of --json holds these warnings: `only` them, or among others."""

    def check(_: Prompt, result: Result) -> None:
        found = result.json()["warnings"]
        assert (found == list(warnings)) if only else (set(warnings) <= set(found))

    return check


def roles(**expected: str) -> Check:
    """Training takes these columns for what is expected."""

    def check(_: Prompt, result: Result) -> None:
        found = {entry["name"]: entry["role"] for entry in result.json()["columns"]}
        assert {name: found[name] for name in expected} == expected

    return check


def flagged(place: int, by: str | None = None) -> Check:
    """The row at `place` is an anomaly with a finite score, by its column `by` above all."""

    def check(_: Prompt, __: Result) -> None:
        row = written()[place]
        assert row["is_anomaly"] == "true"
        assert math.isfinite(float(row["anomaly_score"]))
        assert by is None or next(iter(json.loads(row["anomaly_features"]))) == by

    return check
