"""`aedetect export`: a model as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

onnx = pytest.importorskip("onnx")
pytest.importorskip("ndonnx")
pytest.importorskip("onnxruntime")

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def export(prompt: Prompt, tiny_model: Path) -> Prompt:
    """The command with the tiny model, in a folder with new.csv."""
    prompt.write("new.csv", tiny_frame(50, seed=4).to_csv(index=False))
    return prompt.command("export", tiny_model)


@pytest.mark.slow
def test_people_read_what_was_written_and_compared(export: Prompt) -> None:
    result = export("-o", "m.onnx", "--verify", "new.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    first, second, third = result.stdout.splitlines()
    assert first.startswith("m.onnx: 4 columns in, verdicts out; ")
    assert first.endswith(" MB, ONNX opset 21")
    assert second.startswith("verified on 50 rows in onnxruntime ")
    assert third.startswith("no verdict differs; ")
    assert {each.key for each in onnx.load("m.onnx").metadata_props} >= {
        "aedetect.inputs",
        "aedetect.verified",
    }


def test_json_holds_the_metadata(export: Prompt, tiny_model: Path) -> None:
    said = export.json("-o", "m.onnx", "--verify", "new.csv", "--json")
    assert (said["command"], said["output"], said["opset"]) == ("export", "m.onnx", 21)
    assert said["bytes"] == Path("m.onnx").stat().st_size
    assert said["model"]["path"] == str(tiny_model)
    assert said["metadata"]["aedetect.model_sha256"] == said["model"]["sha256"]
    assert (said["verified"]["rows"], said["verified"]["differing_verdicts"]) == (50, 0)


@pytest.mark.slow
def test_without_rows_nothing_is_compared(export: Prompt) -> None:
    assert export.json("-o", "out/", "--json")["verified"] is None
    assert [path.suffix for path in Path("out").iterdir()] == [".onnx"]


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (
            ["-o", "m.csv"],
            2,
            "m.csv: .csv is the suffix of a table, and this will be a model in ONNX; name it m.onnx",
        ),
        (["-o", "x.txt"], 2, "x.txt: the name of a model in ONNX ends in .onnx; name it x.onnx"),
        (["-o", "a/model"], 2, "a/model: the name of a model in ONNX ends in .onnx; name it a/model.onnx"),
        (["-o", "-"], 2, "-o -: a model in ONNX goes to a file, not to stdout; name one that ends in .onnx"),
        (
            ["-o", "none/m.onnx"],
            5,
            "none/m.onnx: cannot be written: its folder does not exist; create it first",
        ),
        (["-o", "m.onnx", "--verify", "none.csv"], 3, "none.csv: no such file"),
    ],
)
def test_what_is_refused(export: Prompt, words: list[str], exit_code: int, said: str) -> None:
    result = export(*words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not Path("m.onnx").exists()


def test_a_damaged_file_of_rows_is_one_clear_line(export: Prompt) -> None:
    Path("new.parquet").write_bytes(b"PAR1" + bytes(40))
    result = export("-o", "m.onnx", "--verify", "new.parquet")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("error: new.parquet: ")
    assert len(result.stderr.splitlines()) == 1
    assert not Path("m.onnx").exists()


def test_columns_that_are_missing_are_named(export: Prompt, prompt: Prompt) -> None:
    prompt.write("short.csv", "temp,load\n1,2\n")
    result = export("-o", "m.onnx", "--verify", "short.csv")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "site" in result.stderr


def test_the_model_file_is_not_overwritten(prompt: Prompt, tiny_model: Path) -> None:
    Path("m.onnx").write_bytes(tiny_model.read_bytes())
    result = prompt("export", "m.onnx", "-o", "m.onnx")
    assert result.exit_code == 2
    assert Path("m.onnx").read_bytes() == tiny_model.read_bytes()


def test_series_with_categories_say_why_not(prompt: Prompt) -> None:
    model = GOLDEN / "models" / "series-0.1.0.aed"
    result = prompt("export", model, "-o", "s.onnx")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith(
        "error: a model of time series can be exported where all its columns are numbers"
    )


def test_a_model_of_another_digest_is_refused(export: Prompt) -> None:
    result = export("-o", "m.onnx", "--model-sha256", "0" * 64)
    assert result.exit_code == 4
    assert not Path("m.onnx").exists()
