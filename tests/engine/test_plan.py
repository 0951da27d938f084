"""Which output belongs to which input: settled before any work is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aedetect.engine.output_names import Target
from aedetect.engine.plan import check_model_output, plan_outputs, plan_side_output
from aedetect.errors import OutputError, UsageError
from aedetect.io.files import FileInput, open_inputs
from aedetect.io.source import ReadOptions

GOOD = "temp,load,site,open\n20,40,north,true\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory, with two good inputs."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv"):
        Path(name).write_text(GOOD)


def inputs(*names: str) -> list[FileInput]:
    return open_inputs(names, ReadOptions())


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
        check_model_output(Target(Path(path)), inputs("a.csv"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("there/", "--events there/: a folder; name a file"),
        ("a.csv", "a.csv: the output is also an input; choose another name"),
        ("m.csv", "m.csv: the output is also the model file; choose another name"),
        ("out.csv", "out.csv: both -o and --events go there; name two files"),
    ],
)
def test_a_side_output_replaces_no_other_file(path: str, message: str) -> None:
    sources = inputs("a.csv")
    with pytest.raises(UsageError) as caught:
        plan_side_output("--events", path, sources, ["out.csv"], Path("m.csv"))
    assert str(caught.value) == message
