"""`aedetect sample`, as scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.converting import text
from support.prompt import Prompt


def test_new_rows(convert: Prompt) -> None:
    result = convert("sample", "20", "-o", "a.csv", "--where", "site=south", "--seed", "3")
    assert (result.exit_code, result.stdout) == (0, "20 new rows → a.csv\n")
    assert set(text("a.csv")["site"]) == {"south"}
    convert.json("sample", "20", "-o", "b.csv", "--where", "site=south", "--seed", "3")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sample", "0", "-o", "o.csv"], "N = 0: must be at least 1"),
        (["sample", "5", "-o", "o.csv", "--seed", str(2**63)], f"seed = {2**63}: must be from 0 to "),
        (["sample", "5", "-o", "o.csv", "--where", "site"], "--where site: write it like --where"),
        (["sample", "5", "-o", "o.csv", "--where", "site=x"], "--where site=x: the model knows no"),
    ],
)  # fmt: skip
def test_wrong_use(convert: Prompt, words: list[str], message: str) -> None:
    result = convert(*words, stdin="")
    assert result.exit_code == 2
    found = json.loads(result.stderr)["error"] if "--json" in words else result.stderr
    assert message in found
    assert [path.name for path in Path().iterdir()] == ["new.csv"]
