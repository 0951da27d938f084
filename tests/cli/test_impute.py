"""`aedetect impute`, as scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.converting import text
from support.prompt import Prompt


def test_filling_gaps_leaves_the_rest_as_it_was_written(convert: Prompt) -> None:
    result = convert("impute", "new.csv", "-o", "out.csv", "--mark")
    assert result.stdout == "new.csv: 4 rows, 2 cells filled → out.csv\n"
    out = text("out.csv")
    assert out["imputed"].tolist() == ["", "", '["temp", "site"]', ""]
    assert out["site"][2] in ("north", "south", "west")
    float(out["temp"][2])
    out.loc[2, ["temp", "site"]] = ""
    assert out.drop(columns="imputed").equals(text("new.csv"))


def test_draws(convert: Prompt) -> None:
    convert.json("impute", "new.csv", "-o", "out.csv", "--draws", "3")
    out = text("out.csv")
    assert out["draw"].tolist() == ["1", "2", "3"] * 4
    assert out["name"].tolist() == list("aaabbbcccddd")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["impute", "new.csv", "-o", "o.csv", "--draws", "2", "--seed=-1"], "seed = -1: must be at least 0"),
        (["impute", "new.csv", "-o", "o.csv", "--draws", "0"], "draws = 0: must be from 1 to 1,000"),
        (["impute", "new.csv", "-o", "o.csv", "--draws", "1001"], "draws = 1001: must be from 1 to 1,000"),
        (["impute", "new.csv", "-o", "-", "--json"], "--json and -o - both write to stdout; choose one"),
    ],
)  # fmt: skip
def test_wrong_use(convert: Prompt, words: list[str], message: str) -> None:
    result = convert(*words, stdin="")
    assert result.exit_code == 2
    found = json.loads(result.stderr)["error"] if "--json" in words else result.stderr
    assert message in found
    assert [path.name for path in Path().iterdir()] == ["new.csv"]
