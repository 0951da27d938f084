"""`aedetect encode`, as scripts use it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from unittest import mock

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.converting import ROWS, text
from support.prompt import Prompt


def test_rows_to_codes_and_back(convert: Prompt) -> None:
    result = convert("encode", "new.csv", "-o", "codes.parquet")
    summary, _, cost = result.stdout.partition("\n")
    assert (result.exit_code, summary) == (0, "new.csv: 4 rows → codes.parquet")
    assert re.fullmatch(
        r"4 columns as 2 numbers a row; rebuilt from them, the median row is off by [\d.]+ standard "
        r"deviations of its columns\n",
        cost,
    )
    codes = parquet.read_table("codes.parquet")
    assert codes.schema.names == ["z0", "z1"]
    assert set(codes.schema.types) == {pa.float32()}
    assert convert("decode", "codes.parquet", "-o", "back.csv").exit_code == 0
    assert list(text("back.csv")) == ["temp", "load", "site", "open"]
    assert set(text("back.csv")["open"]) <= {"true", "false"}


def test_the_error_that_is_said_is_that_of_the_way_back(convert: Prompt, tiny_csv: Path) -> None:
    said = convert.json("encode", tiny_csv, "-o", "codes.parquet")["code"]
    assert (said["columns"], said["numbers"]) == (4, 2)
    assert convert("decode", "codes.parquet", "-o", "back.parquet").exit_code == 0
    before, after = pd.read_csv(tiny_csv), pd.read_parquet("back.parquet")
    number = ["temp", "load"]
    off = ((after[number] - before[number]) / before[number].std()).pow(2)
    site = pd.get_dummies(before["site"]) - pd.get_dummies(after["site"]).astype(float)
    assert off.mean(axis=1).median() < 4 * said["error"] ** 2 + site.pow(2).sum(axis=1).mean()
    assert 0 < said["error"] < 1


def test_a_longer_code_costs_less(prompt: Prompt, tiny_csv: Path) -> None:
    quick = prompt.setting(training_epochs="4", training_folds="2", model_width="16")
    errors = []
    for size in (1, 3):
        assert quick("train", tiny_csv, "-o", f"{size}.aed", "--latent", size).exit_code == 0
        found = prompt.json("encode", tiny_csv, "-m", f"{size}.aed", "-o", "codes.csv")
        assert found["code"]["numbers"] == size
        errors.append(found["code"]["error"])
    assert errors[0] > errors[1]


def test_the_cost_is_that_of_all_inputs(convert: Prompt, tiny_csv: Path) -> None:
    """Also where other processes work on them."""
    whole = pd.read_csv(tiny_csv)
    whole.iloc[:80].to_csv("a.csv", index=False)
    whole.iloc[80:].to_csv("b.csv", index=False)
    one = convert.json("encode", tiny_csv, "-o", "codes.csv")["code"]
    assert convert.json("encode", "a.csv", "b.csv", "-o", "both.csv")["code"] == one
    Path("out").mkdir()
    with mock.patch("aedetect.engine.executors.WORTHWHILE_BYTES", 1):
        assert convert.json("encode", "a.csv", "b.csv", "-o", "out", "--jobs", "2")["code"] == one


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
