"""A file of European numbers: read without a flag, and shown in one way of writing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.prompt import Prompt


def european(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def file(name: str, rows: int, odd: bool = False) -> None:
    rng = np.random.default_rng(0)
    width, height = rng.normal(1200, 80, rows), rng.normal(700, 40, rows)
    area = width * height / 1000
    if odd:
        area[7], height[7] = 90.0, 988.7
    lines = [
        f"{('Köln', 'Linz')[row % 2]};{european(width[row], 1)};{european(height[row], 1)};"
        f"{european(area[row], 2)}"
        for row in range(rows)
    ]
    Path(name).write_text("\n".join(["Werk;Breite;Höhe;Fläche", *lines]) + "\n", encoding="utf-8")


def test_a_column_with_no_thousands_is_read_as_the_others_are(prompt: Prompt) -> None:
    file("in.csv", 300)
    file("new.csv", 40, odd=True)
    result = prompt("train", "in.csv", "-o", "m.aed", "--epochs", "2", "--json")
    assert result.exit_code == 0, result.stderr
    roles = {column["name"]: column["role"] for column in json.loads(result.stdout)["columns"]}
    assert roles == {"Werk": "categorical", "Breite": "numeric", "Höhe": "numeric", "Fläche": "numeric"}
    (one,) = prompt.json("explain", "new.csv", "-m", "m.aed", "--row", "8")["explained"]
    columns = {reason["column"]: reason for reason in one["columns"]}
    assert columns["Fläche"]["seen"] == "90,00"
    assert columns["Fläche"]["sentence"].startswith(
        "Fläche is 90.00 (below all normal rows, whose lowest is "
    )
    assert columns["Höhe"]["sentence"].startswith("Höhe is 988.7 (above all normal rows, whose highest is ")


@pytest.mark.parametrize("width", ["80", "120"])
def test_how_numbers_are_read_is_not_cut(prompt: Prompt, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    file("in.csv", 100)
    shown = prompt("train", "in.csv", "-o", "m.aed", "--epochs", "1").stdout
    assert "…" not in shown
    assert shown.count("is read") == 3
