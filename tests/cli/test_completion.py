"""Completion: what a shell is offered for a half-typed word, by a process as shells run it."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from aedetect.cli import main
from aedetect.cli.completion import ARCHITECTURES, ROLES, header_of, manifest_of
from aedetect.config import Config
from aedetect.models.registry import ARCHITECTURES as OF_TABLES
from aedetect.models.registry import AUTO, SERIES_ARCHITECTURES
from aedetect.scoring.model_file import read_model_file

STORED = Path(__file__).parents[1] / "golden" / "models"
HEADER = ["no", "temp", "load [kW]", "site"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("table", "series"):
        shutil.copyfile(STORED / f"{kind}-0.1.0.aed", tmp_path / f"{kind}.aed")
    (tmp_path / "rows.csv").write_text(",".join(HEADER) + "\n1,20,3,north\n")
    (tmp_path / "rows.jsonl").write_text('{"no": 1, "temp": 20}\n')
    (tmp_path / "rows.txt").write_text("no;a,b;temp\n1;2;3\n")
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"packed,temp\n1,2\n"))
    (tmp_path / "hostile.csv").write_text('"$(touch owned)","a`touch owned`b","x;y","back\\slash",good\n')
    (tmp_path / "bars.csv").write_text("x,y|z\n1,2|3\n")
    (tmp_path / "notes.md").write_text("none\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(line: str, shell: str = "bash") -> list[str]:
    """What is offered at the end of `line`; nothing is ever printed beside it."""
    words = line.split(" ")
    bash = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    others = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked = {"_AEDETECT_COMPLETE": f"complete_{shell}", **(bash if shell == "bash" else others)}
    result = subprocess.run(
        [sys.executable, "-m", "aedetect"], env=os.environ | asked, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    return [word for word in result.stdout.split("\n") if word]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("aedetect ev", ["evaluate"]),
        ("aedetect state sh", ["show"]),
        ("aedetect score rows.csv --fail-o", ["--fail-over", "--fail-on-drift", "--fail-on-health"]),
        ("aedetect score rows.csv -m ", ["series.aed", "table.aed"]),
        ("aedetect score rows.csv --model t", ["table.aed"]),
        ("aedetect inspect s", ["series.aed"]),
        ("aedetect train rows.csv -o new.aed --from ", ["series.aed", "table.aed"]),
        ("aedetect evaluate rows.csv -m table.aed --compare s", ["series.aed"]),
        ("aedetect train rows.csv --architecture pr", ["principal"]),
        ("aedetect score rows.csv --format j", ["jsonl"]),
        ("aedetect report rows.csv --format ", ["html", "md"]),
        ("aedetect report rows.csv --input-format p", ["parquet"]),
        ("aedetect score rows.csv --keep ", ["all", "id", "none"]),
        ("aedetect score rows.csv --device cu", ["cuda"]),
        ("aedetect train rows.csv --time-zone Europe/Berl", ["Europe/Berlin"]),
        ("aedetect train rows.csv --label ", ["no", "temp", r"load\ \[kW\]", "site"]),
        ("aedetect train rows.csv -o m.aed --id no --id te", ["temp"]),
        ("aedetect train rows.jsonl --time ", ["no", "temp"]),
        ("aedetect train rows.txt --time ", ["no", "a,b", "temp"]),
        ("aedetect train bars.csv --time ", ["x"]),
        ("aedetect train bars.csv --delimiter | --time ", ["x,y", "z"]),
        ("aedetect train rows.csv.gz --exclude ", ["packed", "temp"]),
        ("aedetect train r*.csv --label n", ["no"]),
        ("aedetect train rows.csv --columns no,", ["no,temp", r"no,load\ \[kW\]", "no,site"]),
        ("aedetect train rows.csv --role ", ["no=", "temp=", r"load\ \[kW\]=", "site="]),
        ("aedetect train rows.csv --role site=i", ["site=id", "site=ignored"]),
        ("aedetect evaluate rows.csv -m table.aed --by s", ["site"]),
        ("aedetect evaluate nothing.csv -m table.aed --by s", ["site"]),
        ("aedetect calibrate rows.csv -m table.aed -o n.aed --label no", ["no"]),
        ("aedetect sample 10 -m table.aed --where ", ["site=north", "site=south", "site=west"]),
        ("aedetect explain rows.csv -m series.aed --entity ", ["m0", "m1"]),
    ],
)
def test_offered_in_bash(line: str, offered: Sequence[str]) -> None:
    assert completed(line) == offered


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "line",
    [
        "aedetect score ",
        "aedetect score rows.csv -m missing/",
        "aedetect sample 10 -m notes.md --where ",
        "aedetect sample 10 --where ",
        "aedetect explain rows.csv -m table.aed --entity ",
        "aedetect train missing.csv --label ",
        "aedetect train . --label ",
    ],
)
def test_where_nothing_is_known_the_shell_goes_on_with_files(line: str) -> None:
    assert completed(line) == []


def test_names_that_a_shell_could_run_are_not_offered(folder: Path) -> None:
    for shell in ("bash", "fish"):
        assert completed("aedetect train hostile.csv --label ", shell) == ["good"]
    assert completed("aedetect train hostile.csv --label ", "zsh") == ["_arguments '*: :((\"good\"))'"]
    assert not (folder / "owned").exists()


@pytest.mark.usefixtures("folder")
def test_shells_that_escape_get_names_as_they_are() -> None:
    assert completed("aedetect train rows.csv --label lo", "fish") == ["load [kW]"]


@pytest.mark.usefixtures("folder")
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script_that_is_shown() -> None:
    program = f"{sys.executable} -m aedetect"
    shown = subprocess.run(
        [*program.split(), "--show-completion", "bash"],
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    script = (
        f'aedetect() {{ {program} "$@"; }}\n{shown}\n'
        "COMP_WORDS=(aedetect train rows.csv --label lo); COMP_CWORD=4\n"
        '_aedetect_completion aedetect; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    # The function of the script runs the program through `env`, which knows no functions of bash.
    script = script.replace("complete_bash $1", f"complete_bash {program}")
    result = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("load\\ \\[kW\\]\n", "")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "line", ["aedetect evaluate x -m table.aed --by ", "aedetect train rows.csv --label "]
)
def test_completion_loads_nothing_heavy(line: str) -> None:
    # Typer itself loads pydantic to read the options of a command.
    code = (
        "import sys, atexit\n"
        "heavy = ('torch', 'pandas', 'pyarrow', 'sklearn', 'numpy', 'rich')\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "from aedetect.cli.main import run\n"
        "run()\n"
    )
    asked = {
        "_AEDETECT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "[]\n")
    assert "temp" in result.stdout


@pytest.mark.parametrize("kind", ["table", "series"])
def test_the_manifest_is_read_as_the_model_file_says(kind: str) -> None:
    path = STORED / f"{kind}-0.1.0.aed"
    manifest, _, _ = read_model_file(path)
    # As it stands in the file: what older formats did not say yet is not there.
    assert manifest_of(path)["model_schema"] == manifest.model_schema.model_dump(
        mode="json", exclude_unset=True
    )


def test_the_names_offered_are_those_there_are() -> None:
    assert (AUTO, *OF_TABLES, *SERIES_ARCHITECTURES) == ARCHITECTURES
    for role in ROLES:
        assert Config.build(None, {}, {"data.roles": {"a": role}}, str).data.roles == {"a": role}


def test_a_folder_has_no_header(tmp_path: Path) -> None:
    assert header_of(str(tmp_path)) == []


def test_whoever_does_not_wait_for_the_offer_sees_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "app", impatient)
    with pytest.raises(SystemExit) as ending:
        main.run()
    assert ending.value.code == 130
