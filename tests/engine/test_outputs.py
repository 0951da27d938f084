"""Which output belongs to which input, and what a run comes to."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import aedetect
from aedetect.detector import Detector
from aedetect.engine.callbacks import Callback
from aedetect.engine.outputs import Summary, check_training_output, plan_outputs, score_files
from aedetect.errors import DataError, OutputError, UsageError
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.source import ReadOptions
from aedetect.tasks.score import Shape

GOOD = "temp,load,site,open\n20,40,north,true\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory, with two good inputs and two bad ones."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"a.csv": GOOD, "b.csv": GOOD, "bad.csv": "", "worse.csv": "temp\n1\n"}.items():
        Path(name).write_text(text)


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Detector:
    return aedetect.load(tiny_model, device="cpu")


def inputs(*names: str) -> list[FileInput]:
    return open_inputs(names, ReadOptions())


def score(detector: Detector, names: list[str], output: str | None) -> Summary:
    sources = inputs(*names)
    outputs = plan_outputs(sources, output, "m.aed")
    return score_files(detector, {}, sources, outputs, detector.threshold, Shape(), Callback())


@pytest.mark.parametrize(
    ("output", "planned"),
    [
        (None, [None, None]),
        ("-", ["-", "-"]),
        ("out.csv", ["out.csv", "out.csv"]),
        ("new/", ["new/a.csv", "new/b.csv"]),
        ("deeply/new/", ["deeply/new/a.csv", "deeply/new/b.csv"]),
        ("/dev/null", ["/dev/null", "/dev/null"]),
    ],
)
def test_outputs_are_planned_and_nothing_is_made(output: str | None, planned: list[str | None]) -> None:
    before = sorted(os.listdir())
    assert plan_outputs(inputs("a.csv", "b.csv"), output, "m.aed") == planned
    assert sorted(os.listdir()) == before


def test_a_folder_that_exists_needs_no_slash() -> None:
    Path("there").mkdir()
    assert plan_outputs(inputs("a.csv"), "there", "m.aed") == ["there/a.csv"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("a.csv", "a.csv: the output is also an input; choose another name"),
        ("./", "./a.csv: the output is also an input; choose another name"),
        ("m.csv", "m.csv: the output is also the model file; choose another name"),
    ],
)
def test_nothing_that_is_read_is_overwritten(output: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan_outputs(inputs("a.csv"), output, "m.csv")
    assert str(caught.value) == message


def test_an_input_behind_a_link_is_not_overwritten() -> None:
    Path("link.csv").symlink_to("a.csv")
    with pytest.raises(UsageError):
        plan_outputs(inputs("a.csv"), "link.csv", "m.aed")


def test_a_folder_below_a_file_cannot_be_made() -> None:
    with pytest.raises(OutputError) as caught:
        plan_outputs(inputs("a.csv"), "b.csv/", "m.aed")
    assert str(caught.value) == (
        f"b.csv/a.csv: cannot be written: {os.path.realpath('b.csv')} is not a folder"
    )


@pytest.mark.parametrize(
    ("path", "error"),
    [("-", UsageError), ("a.csv", UsageError), (".", OutputError), ("no/m.aed", OutputError)],
)
def test_where_no_model_may_go(path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_training_output(Path(path), inputs("a.csv"))


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_failed_inputs_are_entered_and_the_rest_scored(detector: Detector, output: str | None) -> None:
    summary = score(detector, ["bad.csv", "a.csv", "worse.csv", "b.csv"], output)
    assert [entry.status for entry in summary.files] == ["failed", "scored", "failed", "scored"]
    assert [entry.output is None for entry in summary.files] == [True, output is None] * 2
    assert [bool(entry.error) for entry in summary.files] == [True, False] * 2
    assert (summary.exit_code, summary.counts.rows) == (6, 2)
    if output == "out/":
        assert sorted(os.listdir("out")) == ["a.csv", "b.csv"]


def test_a_single_bad_input_raises_its_own_error(detector: Detector) -> None:
    with pytest.raises(DataError) as caught:
        score(detector, ["bad.csv"], "out.csv")
    assert str(caught.value) == "bad.csv: the file is empty"
    assert not os.path.exists("out.csv")


@pytest.mark.parametrize("output", [None, "out.csv", "out/"])
def test_when_all_inputs_are_bad_each_is_named(detector: Detector, output: str | None) -> None:
    with pytest.raises(DataError) as caught:
        score(detector, ["bad.csv", "worse.csv"], output)
    text = str(caught.value)
    assert text.startswith("none of 2 inputs can be used: bad.csv: the file is empty; worse.csv: ")
    assert not os.path.isfile("out.csv")


def test_counts_of_the_files_add_up(detector: Detector) -> None:
    found = score(detector, ["a.csv", "b.csv"], None).as_dict()
    for name in ("rows", "normal", "anomalies", "unscorable"):
        assert found[name] == sum(entry[name] for entry in found["files"])
    json.dumps(found, allow_nan=False)


def test_no_rows_have_no_share() -> None:
    summary = Summary({}, 1.0, None, datetime.now(UTC))
    assert summary.anomaly_share is None
