"""Names of outputs: none promises what it does not hold, and a folder gets a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aedetect.engine.output_names import (
    MARKDOWN,
    METRICS,
    MODEL,
    PAGE,
    SUMMARY,
    TABLE,
    Target,
    check_folder,
    check_suffix,
)
from aedetect.errors import OutputError, UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *((name, MODEL) for name in ("m.aed", "M.AED", "m", "m.v2", "m.2026-01", "/dev/full", "-")),
        *((name, PAGE) for name in ("r.html", "r.htm", "r", "r.april")),
        *((name, MARKDOWN) for name in ("r.md", "r.markdown", "r.txt")),
        *((name, TABLE) for name in ("t.csv", "t.parquet", "t.csv.part")),
        *((name, SUMMARY) for name in ("s.json", "s", "s.log", "s.jsonl")),
        *((name, METRICS) for name in ("m.prom", "m", "m.txt")),
    ],
)
def test_suffixes_that_fit_or_say_nothing(path: str, kind: str) -> None:
    check_suffix(path, kind)


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("out.csv", MODEL, ".csv is the suffix of a table, and this will be a model; name it out.aed"),
        ("a/m.PKL", MODEL, ".pkl is the suffix of a model of another program, and this will be a model; "
                           "name it a/m.aed"),
        ("m.aed.gz", MODEL, ".gz is the suffix of a compressed file, and this will be a model; "
                            "name it m.aed"),
        ("r.pdf", PAGE, ".pdf is the suffix of a PDF document, and this will be a web page; name it r.html "
                        "(a browser prints it to PDF)"),
        ("r.pdf", MARKDOWN, ".pdf is the suffix of a PDF document, and this will be Markdown; name it r.md"),
        ("r.md", PAGE, ".md is the suffix of Markdown, and this will be a web page; name it r.html"),
        ("s.aed", TABLE, ".aed is the suffix of a model, and this will be a table; name it s.csv"),
    ],
)  # fmt: skip
def test_a_suffix_of_something_else_is_refused(path: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_suffix(path, kind)
    assert str(caught.value) == f"{path}: {said}"


def test_the_option_is_named_where_it_is_not_the_output() -> None:
    with pytest.raises(UsageError) as caught:
        check_suffix("s.csv", SUMMARY, "--summary")
    assert str(caught.value) == (
        "--summary s.csv: .csv is the suffix of a table, and this will be a summary in JSON; name it s.json"
    )


def test_a_folder_gets_a_file_and_is_made_when_its_time_comes(folder: Path) -> None:
    target = Target.of("new/deep/", "model.aed")
    assert (target.path, target.in_folder) == ("new/deep/model.aed", True)
    target.check()
    assert not (folder / "new").exists()
    target.make_folder()
    assert (folder / "new" / "deep").is_dir()
    assert Target.of("new", "model.aed").path == "new/model.aed"


def test_a_file_is_what_was_named_and_its_folder_must_be_there() -> None:
    target = Target.of("none/m.aed", "model.aed")
    assert (target.path, target.in_folder) == ("none/m.aed", False)
    with pytest.raises(OutputError, match="its folder does not exist; create it first"):
        target.check()
    target.make_folder()
    assert not os.path.exists("none")


def test_a_folder_is_not_called_like_a_file(folder: Path) -> None:
    with pytest.raises(UsageError, match="^--plots c.png: this is to be a folder; name it without .png$"):
        check_folder("c.png", "--plots")
    (folder / "c.png").mkdir()
    check_folder("c.png", "--plots")
    check_folder("charts", "--plots")
