"""`aedetect decode`, as scripts use it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from support.converting import text
from support.prompt import Prompt


def test_columns_beside_the_codes_are_kept(learned: Prompt, prompt: Prompt, tiny_csv: Path) -> None:
    rows = pd.read_csv(tiny_csv).assign(name=[f"row {number}" for number in range(200)])
    rows.to_csv("named.csv", index=False)
    words = ["train", "named.csv", "-o", "m.aed", "--id", "name", "--epochs", "1", "--latent-dim", "2", "-q"]
    assert prompt(*words).exit_code == 0
    learned.json("encode", "named.csv", "-o", "codes.csv")
    assert list(text("codes.csv")) == ["name", "z0", "z1"]
    learned.json("decode", "codes.csv", "-o", "back.csv")
    assert text("back.csv")["name"].tolist() == rows["name"].tolist()


def test_a_bad_code_leaves_nothing_behind(convert: Prompt, tiny_csv: Path) -> None:
    convert.json("encode", str(tiny_csv), "-o", "codes.csv")
    codes = text("codes.csv")
    codes.loc[5, "z0"] = "abc"
    codes.to_csv("codes.csv", index=False)
    result = convert("decode", "codes.csv", "-o", "back.parquet")
    expected = "error: codes.csv: row 6 (line 7): a code is no number; was the file changed?\n"
    assert (result.exit_code, result.stderr) == (3, expected)
    assert sorted(path.name for path in Path().iterdir()) == ["codes.csv", "new.csv"]
