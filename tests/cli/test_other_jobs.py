"""`aedetect encode`, `decode`, `clean`, `impute` and `sample`, as scripts use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from aedetect.cli.main import app

ROWS = """\
name,temp,load,site,open
a,20,40,north,true
b,500,-900,north,true
c,,40,,false
d,21,42.50,mars,false
"""
JOBS = ("encode", "clean", "impute")
OLD = "old output\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.csv").write_text(ROWS)
    return tmp_path


def run(model: Path, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [*words, "-m", str(model)], input=stdin)


def done(model: Path, *words: str) -> dict[str, Any]:
    result = run(model, *words, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def text(path: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_rows_to_codes_and_back(folder: Path, tiny_model: Path) -> None:
    result = run(tiny_model, "encode", "new.csv", "-o", "codes.parquet")
    assert (result.exit_code, result.stdout) == (0, "new.csv: 4 rows → codes.parquet\n")
    codes = parquet.read_table("codes.parquet")
    assert codes.schema.names[0] == "z0"
    assert set(codes.schema.types) == {pa.float32()}
    assert run(tiny_model, "decode", "codes.parquet", "-o", "back.csv").exit_code == 0
    assert list(text("back.csv")) == ["temp", "load", "site", "open"]
    assert set(text("back.csv")["open"]) <= {"true", "false"}


def test_columns_beside_the_codes_are_kept(folder: Path, tiny_csv: Path) -> None:
    rows = pd.read_csv(tiny_csv).assign(name=[f"row {number}" for number in range(200)])
    rows.to_csv("named.csv", index=False)
    words = ["train", "named.csv", "-o", "m.aed", "--id", "name", "--epochs", "1", "--latent-dim", "2", "-q"]
    assert CliRunner().invoke(app, words).exit_code == 0
    done(Path("m.aed"), "encode", "named.csv", "-o", "codes.csv")
    assert list(text("codes.csv")) == ["name", "z0", "z1"]
    done(Path("m.aed"), "decode", "codes.csv", "-o", "back.csv")
    assert text("back.csv")["name"].tolist() == rows["name"].tolist()


@pytest.mark.parametrize(
    ("name", "start"), [("m.png", b"\x89PNG"), ("m.svg", b"<?xml"), ("m.html", b"<!doctype")]
)
def test_the_map(folder: Path, tiny_csv: Path, tiny_model: Path, name: str, start: bytes) -> None:
    done(tiny_model, "encode", str(tiny_csv), "-o", "codes.csv", "--map", name)
    first = Path(name).read_bytes()
    assert first.startswith(start)
    done(tiny_model, "encode", str(tiny_csv), "-o", "codes.csv", "--map", name)
    assert Path(name).read_bytes() == first


def test_cleaning_lists_what_it_changed(folder: Path, tiny_model: Path) -> None:
    found = done(tiny_model, "clean", "new.csv", "-o", "out.csv", "--noise", "0", "--changes", "changes.csv")
    out, changes = text("out.csv"), text("changes.csv")
    assert found["changed_cells"] == 1
    assert changes[["row", "column", "was", "why"]].to_numpy().tolist() == [
        ["4", "site", "mars", "never seen"]
    ]
    assert out["site"][3] == changes["is"][0]
    assert out["site"][3] in ("north", "south", "west")
    out.loc[3, "site"] = "mars"
    assert out.equals(text("new.csv"))


def test_only_the_cells_to_blame(folder: Path, tiny_model: Path) -> None:
    done(
        tiny_model,
        "clean",
        "new.csv",
        "-o",
        "out.csv",
        "--only-anomalous-cells",
        "--changes",
        "changes.jsonl",
    )
    out = text("out.csv")
    assert out.iloc[0].tolist() == ["a", "20", "40", "north", "true"]
    assert abs(float(out["temp"][1])) < 100
    listed = [json.loads(line) for line in Path("changes.jsonl").read_text().splitlines()]
    assert {entry["why"] for entry in listed} == {"blamed"}


def test_filling_gaps_leaves_the_rest_as_it_was_written(folder: Path, tiny_model: Path) -> None:
    result = run(tiny_model, "impute", "new.csv", "-o", "out.csv", "--mark")
    assert result.stdout == "new.csv: 4 rows, 2 cells filled → out.csv\n"
    out = text("out.csv")
    assert out["imputed"].tolist() == ["", "", '["temp", "site"]', ""]
    assert out["site"][2] in ("north", "south", "west")
    float(out["temp"][2])
    out.loc[2, ["temp", "site"]] = ""
    assert out.drop(columns="imputed").equals(text("new.csv"))


def test_draws(folder: Path, tiny_model: Path) -> None:
    done(tiny_model, "impute", "new.csv", "-o", "out.csv", "--draws", "3")
    out = text("out.csv")
    assert out["draw"].tolist() == ["1", "2", "3"] * 4
    assert out["name"].tolist() == list("aaabbbcccddd")


def test_new_rows(folder: Path, tiny_model: Path) -> None:
    result = run(tiny_model, "sample", "20", "-o", "a.csv", "--where", "site=south", "--seed", "3")
    assert (result.exit_code, result.stdout) == (0, "20 new rows → a.csv\n")
    assert set(text("a.csv")["site"]) == {"south"}
    done(tiny_model, "sample", "20", "-o", "b.csv", "--where", "site=south", "--seed", "3")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


def test_numbers_too_large_for_a_float_keep_their_digits(folder: Path) -> None:
    """Also where inputs of both kinds go into one Parquet file, and where rows are cleaned."""
    numbers = [2**60 + 2**40 * (index * 37 % 101) + index for index in range(80)]
    rows = pd.DataFrame({"big": numbers, "x": [index % 9 for index in range(80)]})
    rows.to_csv("big.csv", index=False)
    rows.to_parquet("big.parquet")
    assert CliRunner().invoke(app, ["train", "big.csv", "-o", "m.aed", "--epochs", "1", "-q"]).exit_code == 0
    done(Path("m.aed"), "impute", "big.csv", "big.parquet", "-o", "all.parquet")
    assert parquet.read_table("all.parquet")["big"].to_pylist() == [str(number) for number in numbers * 2]
    done(Path("m.aed"), "clean", "big.parquet", "-o", "clean.parquet")
    assert parquet.read_table("clean.parquet").schema.field("big").type == pa.int64()


@pytest.mark.parametrize(
    "kind", [pa.time32("ms"), pa.time64("us"), pa.duration("ms"), pa.float16(), pa.decimal128(9, 2)], ids=str
)
def test_columns_of_any_numeric_type_go_through_every_job(folder: Path, kind: pa.DataType) -> None:
    amounts = [index * 37 % 101 for index in range(80)]
    if pa.types.is_float16(kind):
        stored = pa.array(np.array(amounts, np.float16))
    else:
        stored = pa.array(amounts, kind if pa.types.is_decimal(kind) else f"int{kind.bit_width}")
    rows = pa.table({"amount": stored.view(kind), "x": [index % 9 / 2 for index in range(80)]})
    parquet.write_table(rows, "rows.parquet")
    words = ["train", "rows.parquet", "-o", "m.aed", "--epochs", "1", "-q"]
    assert CliRunner().invoke(app, words).exit_code == 0
    for job in JOBS:
        done(Path("m.aed"), job, "rows.parquet", "-o", f"{job}.parquet")
    done(Path("m.aed"), "sample", "9", "-o", "sample.parquet")
    done(Path("m.aed"), "explain", "rows.parquet", "--top", "2")
    kept = pa.float32() if pa.types.is_float16(kind) else kind
    assert parquet.read_table("clean.parquet").schema.field("amount").type == kept


def test_a_bad_code_leaves_nothing_behind(folder: Path, tiny_csv: Path, tiny_model: Path) -> None:
    done(tiny_model, "encode", str(tiny_csv), "-o", "codes.csv")
    codes = text("codes.csv")
    codes.loc[5, "z0"] = "abc"
    codes.to_csv("codes.csv", index=False)
    result = run(tiny_model, "decode", "codes.csv", "-o", "back.parquet")
    expected = "error: codes.csv: row 6 (line 7): a code is no number; was the file changed?\n"
    assert (result.exit_code, result.stderr) == (3, expected)
    assert sorted(path.name for path in folder.iterdir()) == ["codes.csv", "new.csv"]


@pytest.mark.parametrize("job", JOBS)
def test_several_inputs_go_to_a_folder_or_into_one_file(folder: Path, tiny_model: Path, job: str) -> None:
    Path("other.csv").write_text(ROWS)
    found = done(tiny_model, job, "new.csv", "other.csv", "-o", "out/")
    assert [entry["output"] for entry in found["files"]] == ["out/new.csv", "out/other.csv"]
    done(tiny_model, job, "new.csv", "other.csv", "-o", "all.csv")
    whole = text("all.csv")
    assert whole["source_file"].tolist() == ["new.csv"] * 4 + ["other.csv"] * 4
    apart = pd.concat([text("out/new.csv"), text("out/other.csv")], ignore_index=True)
    assert whole.drop(columns="source_file").equals(apart)


@pytest.mark.parametrize("job", JOBS)
def test_one_bad_input_does_not_stop_the_others(folder: Path, tiny_model: Path, job: str) -> None:
    Path("bad.csv").write_text("temp,load,site,open\n1,2,3\n")
    result = run(tiny_model, job, "bad.csv", "new.csv", "-o", "out.csv", "-q")
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
def test_input_that_does_not_fit(
    folder: Path, tiny_model: Path, job: str, content: str, code: int, message: str
) -> None:
    Path("new.csv").write_text(content)
    Path("out.csv").write_text(OLD)
    result = run(tiny_model, job, "new.csv", "-o", "out.csv")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert Path("out.csv").read_text() == OLD
    assert sorted(path.name for path in folder.iterdir()) == ["new.csv", "out.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clean", "new.csv", "-o", "new.csv"], "new.csv: the output is also an input; choose another name"),
        (["clean", "new.csv", "-o", "o.csv", "--noise", "2"], "noise = 2.0: must lie between 0 and 1"),
        (["clean", "new.csv", "-o", "o.csv", "--alert-rate", "0.1"], "--alert-rate needs --only-anom"),
        (["clean", "new.csv", "-o", "o.csv", "--changes", "new.csv"], "new.csv: the list of changes would "),
        (["clean", "new.csv", "-o", "-", "--changes", "-"], "-o - and --changes - both write to stdout"),
        (["clean", "new.csv", "-o", "o", "--changes", "-", "--json"], "--json and --changes - both write"),
        (["impute", "new.csv", "-o", "o.csv", "--draws", "2", "--seed", "-1"], "Invalid value for '--seed'"),
        (["encode", "new.csv", "-o", "o.csv", "--map", "m.xls"], "m.xls: a map is a .png, .svg or .html"),
        (["impute", "new.csv", "-o", "o.csv", "--draws", "0"], "draws = 0: must be from 1 to 1,000"),
        (["impute", "new.csv", "-o", "o.csv", "--draws", "1001"], "draws = 1001: must be from 1 to 1,000"),
        (["impute", "new.csv", "-o", "-", "--json"], "--json and -o - both write to stdout; choose one"),
        (["sample", "0", "-o", "o.csv"], "N = 0: must be at least 1"),
        (["sample", "5", "-o", "o.csv", "--seed", str(2**63)], f"seed = {2**63}: must be from 0 to "),
        (["sample", "5", "-o", "o.csv", "--where", "site"], "--where site: write it like --where"),
        (["sample", "5", "-o", "o.csv", "--where", "site=x"], "--where site=x: the model knows no"),
    ],
)  # fmt: skip
def test_wrong_use(folder: Path, tiny_model: Path, words: list[str], message: str) -> None:
    result = run(tiny_model, *words, stdin="")
    assert result.exit_code == 2
    found = json.loads(result.stderr)["error"] if "--json" in words else result.stderr
    assert message in found
    assert [path.name for path in folder.iterdir()] == ["new.csv"]


def test_a_model_without_codes(folder: Path) -> None:
    model = Path(__file__).parents[1] / "scoring" / "stored" / "format1.aed"
    result = run(model, "encode", "new.csv", "-o", "out.csv")
    assert (result.exit_code, result.stderr) == (
        4,
        "error: the model has no code member, which older versions left out; retrain it\n",
    )
