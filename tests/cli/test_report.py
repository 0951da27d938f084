"""`aedetect report`, as a user runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.tables import tiny_frame


@pytest.fixture
def report(prompt: Prompt, tiny_model: Path) -> Prompt:
    """In a folder with new.csv, of which every 25th row has a wild load and is labelled."""
    frame = tiny_frame(500, seed=5)
    odd = np.arange(500) % 25 == 3
    frame.loc[odd, "load"] = np.linspace(300, 900, odd.sum()).round(1)
    frame.assign(fraud=odd.astype(int)).to_csv("new.csv", index=False)
    return prompt.command("report", after=("-m", tiny_model))


def test_the_page_needs_nothing_beside_itself(report: Prompt) -> None:
    result = report("new.csv", "-o", "r.html", "--label", "fraud")
    assert result.exit_code == 0, result.output
    assert re.match(r"\d+ of 500 rows \(.+%\) do not look like the training data\.", result.stdout)
    page = Path("r.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:https?:)?//[a-z]|\bsrc=|url\(|@import", page)
    assert "default-src 'none'" in page
    for shown in ("The strangest rows", "Map of rows", "Against labels", "Model card", "AUROC", "load is "):
        assert shown in page
    assert not re.search(r"\son[a-z]+=|\sstyle=", page)


def test_labels_mark_hits_misses_and_false_alarms(report: Prompt) -> None:
    frame = pd.read_csv("new.csv")
    frame.loc[[10, 20, 30], "fraud"] = 1
    frame.to_csv("new.csv", index=False)
    result = report("new.csv", "-o", "r.html", "--label", "fraud", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    said = re.search(
        r"By the labels, (\d+) of the flagged rows are hits and (?:1 a false alarm|\d+ false alarms); "
        r"(\d+) labelled rows were missed\.",
        found["verdict"],
    )
    assert said
    hits, missed = int(said[1]), int(said[2])
    assert hits + missed == frame.fraud.sum()
    page = Path("r.html").read_text(encoding="utf-8")
    assert "The worst misses" in page
    assert page.count('data-outcome="miss"') == missed >= 1
    assert page.count('<span class="badge hit">hit</span>') >= 1


def test_markdown_goes_to_stdout_or_where_its_name_says(report: Prompt) -> None:
    result = report("new.csv", "--format", "md")
    assert result.exit_code == 0
    assert result.stdout.startswith("**new.csv**\n\n")
    assert "| row | score | why |" in result.stdout
    assert report("new.csv", "-o", "r.md").exit_code == 0
    assert Path("r.md").read_text(encoding="utf-8") == result.stdout


def test_plots_are_pictures(report: Prompt) -> None:
    result = report("new.csv", "--plots", "charts", "--label", "fraud", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [Path(path).name for path in found["plots"]] == [
        *["scores.png", "rows.png", "columns.png", "map.png", "training.png", "roc.png"],
        *["precision_recall.png", "p_values.png"],
    ]
    for path in found["plots"]:
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert (found["output"], found["rows"], found["exit_code"]) == (None, 500, 0)
    assert found["anomalies"] + found["normal"] + found["unscorable"] == 500


def test_several_files_are_told_apart(report: Prompt) -> None:
    tiny_frame(50, seed=9).to_csv("second.csv", index=False)
    assert report("new.csv", "second.csv", "-o", "r.html").exit_code == 0
    page = Path("r.html").read_text(encoding="utf-8")
    assert "new.csv (500 rows), second.csv (50 rows)" in page
    assert "Through the files" in page


def test_nothing_flagged_is_a_page_too(report: Prompt) -> None:
    result = report("new.csv", "-o", "r.html", "--threshold", "1e9")
    assert result.stdout.startswith("None of 500 rows looks out of the ordinary.")
    assert report("new.csv", "--format", "md", "--threshold", "1e9").exit_code == 0


def test_one_unscorable_row_is_a_page_too(report: Prompt) -> None:
    Path("one.csv").write_text("temp,load,site,open\n20,40,north,true\n?,1,north,true\n")
    assert report("one.csv", "-o", "r.html").exit_code == 0
    assert "1 row could not be scored." in Path("r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "where should the report go? give -o report.html, or --plots DIR"),
        (["-o", "new.csv"], 2, "new.csv: the output is also an input; choose another name"),
        (["-o", "none/r.html"], 5, "error: none/r.html: cannot be written: its folder does not exist"),
        (["-o", "-", "--json"], 2, "--json and the report would both be written to stdout"),
        (["-o", "r.html", "--label", "x"], 2, "--label: no column named 'x' in new.csv"),
        (["-o", "r.html", "--label", "site"], 2, "--label: the model learned column 'site', so its scores"),
        (["-o", "r.html", "--top", "0"], 2, "--top 0: must be at least 1"),
    ],
)
def test_mistakes_are_named(report: Prompt, words: list[str], code: int, said: str) -> None:
    result = report("new.csv", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in " ".join(result.stderr.split())
    assert not Path("r.html").exists()
