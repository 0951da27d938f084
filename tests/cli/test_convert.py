"""What `encode`, `clean` and `impute` have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.converting import ROWS, text
from support.prompt import Prompt

JOBS = ("encode", "clean", "impute")
OLD = "old output\n"


def test_numbers_too_large_for_a_float_keep_their_digits(
    learned: Prompt,
    prompt: Prompt,
) -> None:
    """Also where inputs of both kinds go into one Parquet file, and where rows are cleaned."""
    numbers = [2**60 + 2**40 * (index * 37 % 101) + index for index in range(80)]
    rows = pd.DataFrame({"big": numbers, "x": [index % 9 for index in range(80)]})
    rows.to_csv("big.csv", index=False)
    rows.to_parquet("big.parquet")
    assert prompt("train", "big.csv", "-o", "m.aed", "--epochs", "1", "-q").exit_code == 0
    learned.json("impute", "big.csv", "big.parquet", "-o", "all.parquet")
    assert parquet.read_table("all.parquet")["big"].to_pylist() == [str(number) for number in numbers * 2]
    learned.json("clean", "big.parquet", "-o", "clean.parquet")
    assert parquet.read_table("clean.parquet").schema.field("big").type == pa.int64()


@pytest.mark.parametrize(
    "kind", [pa.time32("ms"), pa.time64("us"), pa.duration("ms"), pa.float16(), pa.decimal128(9, 2)], ids=str
)
def test_columns_of_any_numeric_type_go_through_every_job(
    learned: Prompt, prompt: Prompt, kind: pa.DataType
) -> None:
    amounts = [index * 37 % 101 for index in range(80)]
    if pa.types.is_float16(kind):
        stored = pa.array(np.array(amounts, np.float16))
    else:
        stored = pa.array(amounts, kind if pa.types.is_decimal(kind) else f"int{kind.bit_width}")
    rows = pa.table({"amount": stored.view(kind), "x": [index % 9 / 2 for index in range(80)]})
    parquet.write_table(rows, "rows.parquet")
    words = ["train", "rows.parquet", "-o", "m.aed", "--epochs", "1", "-q"]
    assert prompt(*words).exit_code == 0
    for job in JOBS:
        learned.json(job, "rows.parquet", "-o", f"{job}.parquet")
    learned.json("sample", "9", "-o", "sample.parquet")
    learned.json("explain", "rows.parquet", "--top", "2")
    kept = pa.float32() if pa.types.is_float16(kind) else kind
    assert parquet.read_table("clean.parquet").schema.field("amount").type == kept


@pytest.mark.parametrize("job", JOBS)
def test_several_inputs_go_to_a_folder_or_into_one_file(convert: Prompt, job: str) -> None:
    Path("other.csv").write_text(ROWS)
    found = convert.json(job, "new.csv", "other.csv", "-o", "out/")
    assert [entry["output"] for entry in found["files"]] == ["out/new.csv", "out/other.csv"]
    convert.json(job, "new.csv", "other.csv", "-o", "all.csv")
    whole = text("all.csv")
    assert whole["source_file"].tolist() == ["new.csv"] * 4 + ["other.csv"] * 4
    apart = pd.concat([text("out/new.csv"), text("out/other.csv")], ignore_index=True)
    assert whole.drop(columns="source_file").equals(apart)


@pytest.mark.parametrize("job", JOBS)
def test_one_bad_input_does_not_stop_the_others(convert: Prompt, job: str) -> None:
    Path("bad.csv").write_text("temp,load,site,open\n1,2,3\n")
    result = convert(job, "bad.csv", "new.csv", "-o", "out.csv", "-q")
    assert result.exit_code == 6
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: bad.csv: row 1 (line 2) has 3 fields where the header has 4; ")
    assert len(text("out.csv")) == 4


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (
            "temp,load,open\n1,2,true\n",
            4,
            "new.csv: column 'site' is missing, which the model",
        ),
        ("temp,load,site,open\n", 3, "new.csv: holds no rows"),
        (
            "temp,load,site,open\nx,1,north,true\n",
            3,
            "new.csv: column 'temp': no cell can be read",
        ),
    ],
)
def test_input_that_does_not_fit(convert: Prompt, job: str, content: str, code: int, message: str) -> None:
    Path("new.csv").write_text(content)
    Path("out.csv").write_text(OLD)
    result = convert(job, "new.csv", "-o", "out.csv")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert Path("out.csv").read_text() == OLD
    assert sorted(path.name for path in Path().iterdir()) == ["new.csv", "out.csv"]
