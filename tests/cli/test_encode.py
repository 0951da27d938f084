"""`aedetect encode`, as scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from support.converting import ROWS, text
from support.prompt import Prompt


def test_rows_to_codes_and_back(convert: Prompt) -> None:
    result = convert("encode", "new.csv", "-o", "codes.parquet")
    assert (result.exit_code, result.stdout) == (0, "new.csv: 4 rows → codes.parquet\n")
    codes = parquet.read_table("codes.parquet")
    assert codes.schema.names[0] == "z0"
    assert set(codes.schema.types) == {pa.float32()}
    assert convert("decode", "codes.parquet", "-o", "back.csv").exit_code == 0
    assert list(text("back.csv")) == ["temp", "load", "site", "open"]
    assert set(text("back.csv")["open"]) <= {"true", "false"}


@pytest.mark.parametrize(
    ("name", "start"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml"), ("m.html", b"<!doctype")]
)
def test_the_map(convert: Prompt, tiny_csv: Path, name: str, start: bytes) -> None:
    convert.json("encode", str(tiny_csv), "-o", "codes.csv", "--map", name)
    first = Path(name).read_bytes()
    assert first.startswith(start)
    convert.json("encode", str(tiny_csv), "-o", "codes.csv", "--map", name)
    assert Path(name).read_bytes() == first


def test_a_model_without_codes(prompt: Prompt) -> None:
    model = Path(__file__).parents[1] / "scoring" / "stored" / "format1.aed"
    prompt.write("new.csv", ROWS)
    result = prompt("encode", "new.csv", "-o", "out.csv", "-m", model)
    assert (result.exit_code, result.stderr) == (
        4,
        "error: the model has no code member, which older versions left out; retrain\n",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["encode", "new.csv", "-o", "o.csv", "--map", "m.xls"], "m.xls: a map is a .png, .svg or .html"),
    ],
)  # fmt: skip
def test_wrong_use(convert: Prompt, words: list[str], message: str) -> None:
    result = convert(*words, stdin="")
    assert result.exit_code == 2
    found = json.loads(result.stderr)["error"] if "--json" in words else result.stderr
    assert message in found
    assert [path.name for path in Path().iterdir()] == ["new.csv"]
