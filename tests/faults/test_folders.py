"""Every row of the table of folders is tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from faults.folders import FOLDERS
from faults.kit import SCORE, TRAIN, Fault, normal
from faults.test_table import test_fault as tried
from support.prompt import Prompt

from aedetect import Detector
from aedetect.errors import AedetectWarning

OUTPUTS = {"report": "o.html", "calibrate": "o.aed"}

CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in FOLDERS for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_fault(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    tried(prompt, fault, command)


@pytest.mark.parametrize(
    "command", ["backtest", "evaluate", "drift", "report", "calibrate", "encode", "clean", "impute"]
)
def test_37_every_command_takes_a_file_of_no_rows_among_others(prompt: Prompt, command: str) -> None:
    normal().assign(bad="0").to_csv("in.csv", index=False)
    prompt.write("none.csv", "temp,load,site,open,bad\n")
    prompt.write("zero.csv", "")
    output = {"backtest": (), "drift": (), "evaluate": ("--label", "bad")}.get(
        command, ("-o", OUTPUTS.get(command, "o.csv"))
    )
    result = prompt(command, "in.csv", "none.csv", "zero.csv", "-m", "tiny.aed", *output)
    assert result.exit_code == 0, result.output
    assert "none.csv" in result.stderr
    assert "zero.csv" in result.stderr
    alone = prompt(command, "none.csv", "-m", "tiny.aed", *output)
    assert (alone.exit_code, alone.stderr) == (3, "error: none.csv: holds no rows\n")


def test_38_the_order_of_files_changes_nothing(prompt: Prompt) -> None:
    frame = pd.read_csv("normal.csv")
    frame[:80].assign(load=frame["load"].round()).astype({"load": int}).to_parquet("a.parquet")
    frame[80:150].assign(note=["ok", "late"] * 35).to_parquet("b.parquet")
    frame[150:].astype(str).to_parquet("c.parquet")
    learned = []
    for names in (("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a")):
        result = prompt.json(*TRAIN, *(f"{name}.parquet" for name in names))
        learned.append([result[key] for key in ("columns", "threshold", "warnings", "rows")])
    assert learned[0] == learned[1] == learned[2]
    assert [column["role"] for column in learned[0][0]] == [
        "numeric", "numeric", "categorical", "boolean", "categorical"
    ]  # fmt: skip


@pytest.mark.slow
def test_34_hundreds_of_inputs_where_few_files_may_be_open(prompt: Prompt) -> None:
    rows = Path("normal.csv").read_text().splitlines(keepends=True)
    for number in range(110):
        prompt.write(f"in/{number // 50}/{number}.csv", rows[0] + rows[number + 1])
    shell = 'ulimit -n 100; exec "$@"'
    words = ("in", "-o", "out/", "-q")
    for more in (("--new-only", "--state", "s.db"), ()):
        # The second time the folders are there, so that all outputs are locked.
        result = prompt.process(*SCORE, *words, *more, shell=shell)
        assert (result.exit_code, result.stderr) == (0, "")
        assert len(list(Path("out").rglob("*.csv"))) == 110
        assert not list(Path("out").rglob(".*"))


def test_python_takes_folders_as_commands_do(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(prompt.folder)
    frame = pd.read_csv("normal.csv")
    for kind in "ab":
        Path(f"in/kind={kind}").mkdir(parents=True)
        frame.iloc["ab".index(kind) :: 2].to_csv(f"in/kind={kind}/p.csv", index=False)
    Path("in/notes.dat").write_text("x\n")
    said = "in: 1 file left out, whose name says no format of data: notes.dat; name it to have it read"
    settings = {"training.epochs": 1, "training.folds": 2, "model.width": 16, "training.device": "cpu"}
    with pytest.warns(AedetectWarning) as caught:
        detector = Detector(settings).fit("in")
    assert said in [str(warning.message) for warning in caught]
    assert len(detector.score("in/kind=b/p.csv")) == 100
    assert "kind" in detector.fitted.columns
