"""Calendars and rules as people type them."""

from __future__ import annotations

import pandas as pd
import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

PLAN = "start,end,name\n2026-03-29,2026-03-30,clock day\n2026-04-01 06:00,2026-04-01 08:30,service\n"
ROWS = 60


@pytest.fixture
def folder(prompt: Prompt, tiny_model: object) -> Prompt:
    """new.csv has three odd rows: in the night of the 29th, on the 31st, and without a time."""
    frame = tiny_frame(ROWS, seed=4)
    frame["at"] = pd.date_range("2026-03-28", periods=ROWS, freq="2h").strftime("%Y-%m-%d %H:%M")
    frame.loc[[14, 40, 50], "load"] = -900.0
    frame.loc[50, "at"] = "soon"
    frame.to_csv(prompt.folder / "new.csv", index=False)
    prompt.write("plan.csv", PLAN)
    return prompt.command(after=("-m", tiny_model))


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_score_mutes_by_calendars_and_rules_and_counts_apart(folder: Prompt) -> None:
    plain = folder.json("score", "new.csv")
    words = [
        "score",
        "new.csv",
        "--calendar",
        "plan.csv",
        "--time-of",
        "at",
        "--rule",
        "load above name=high",
    ]
    result = folder(*words, "-o", "out.csv")
    assert result.exit_code == 0, result.output
    out = pd.read_csv("out.csv")
    assert out["anomaly_muted_by"][[14, 40, 50]].tolist() == [
        "calendar: clock day",
        "rule: high",
        "rule: high",
    ]
    assert "muted by calendar clock day: " in result.stdout
    assert "muted by rule high: " in result.stdout
    assert line_of(result.stderr, "warning: new.csv: 1 row") == (
        "warning: new.csv: 1 row has no time in column 'at' that can be read, so that no calendar applies: "
        "it stays flagged where it is; it is row 51 (line 52)"
    )
    told = folder.json(*words)
    assert told["muted"] == sum(entry["rows"] for entry in told["muted_by"]) >= 3
    assert told["anomalies"] + told["muted"] == plain["anomalies"]
    assert told["normal"] + told["anomalies"] + told["unscorable"] + told["muted"] == told["rows"] == ROWS


def test_explain_says_what_muted_a_row(folder: Prompt) -> None:
    words = ["--calendar", "plan.csv", "--time-of", "at"]
    result = folder("explain", "new.csv", "--row", 15, *words)
    assert "row 15 (line 16): muted, score " in result.stdout
    assert line_of(result.stdout, "  muted: ") == (
        "  muted: within 'clock day' of plan.csv, from 2026-03-29 00:00 to 2026-03-30 00:00"
    )


def test_report_counts_muted_rows_apart(folder: Prompt) -> None:
    told = folder.json("report", "new.csv", "-o", "r.html", "--rule", "load above")
    assert told["muted"] == sum(entry["rows"] for entry in told["muted_by"]) >= 3
    assert "flagged and are muted (rule 1: " in told["verdict"]
    assert "</b>muted</li>" in (folder.folder / "r.html").read_text()


def test_one_file_holds_settings_and_rules_and_train_takes_it(prompt: Prompt) -> None:
    tiny_frame().to_csv(prompt.folder / "normal.csv", index=False)
    prompt.write(
        "all.toml",
        "[training]\nepochs = 1\nfolds = 2\n\n"
        '[[rules]]\nname = "high"\ncolumns = "load"\ndirection = "above"\n',
    )
    assert prompt("train", "normal.csv", "-o", "m.aed", "--config", "all.toml").exit_code == 0
    tiny_frame(20).assign(load=-900.0).to_csv(prompt.folder / "new.csv", index=False)
    told = prompt.json("score", "new.csv", "-m", "m.aed", "--config", "all.toml")
    assert {"kind": "rule", "name": "high", "rows": told["muted"]} in told["muted_by"]
    prompt.write("r.toml", "[[rules]]\ncolumns = 'load'\ndirection = 'above'\n")
    assert prompt.json("score", "new.csv", "-m", "m.aed", "--rules", "r.toml")["muted"] == told["muted"]
    assert prompt.json("score", "new.csv", "-m", "m.aed")["muted"] == 0


def test_train_leaves_out_what_a_calendar_names(prompt: Prompt) -> None:
    frame = tiny_frame(200)
    frame["at"] = pd.date_range("2026-03-28", periods=200, freq="h").strftime("%Y-%m-%d %H:%M")
    frame.to_csv(prompt.folder / "normal.csv", index=False)
    prompt.write("plan.csv", PLAN)
    words = ["train", "normal.csv", "-o", "m.aed", "--epochs", 1, "--calendar", "plan.csv"]
    result = prompt(*words, "--time-of", "at", "--time-zone", "Europe/Berlin")
    assert result.exit_code == 0, result.output
    # By the clock in Berlin there is no row of the hour that is left out, but cells say so: 24 rows and 3.
    assert line_of(result.stderr, "warning: left out") == (
        "warning: left out of training: 27 rows within the calendar (clock day 24, service 3); the first is "
        "row 25 (line 26) of normal.csv"
    )
    told = prompt.json(*words, "--time-of", "at")
    assert told["rows_left_out"]["calendar"] == 27
    refused = prompt(*words)
    assert refused.exit_code == 2
    assert refused.usage() == (
        "--calendar: which column says when a row was? name it with --time-of COLUMN; where the rows "
        "are time series, with --time COLUMN"
    )


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--calendar", "plan.csv"], 2, "--calendar: the model's rows are no time series; name"),
        (["--calendar", "plan.csv", "--time-of", "att"], 3, "has no column 'att', which --time-of"),
        (["--time-of", "at"], 2, "--time-of goes with --calendar"),
        (["--calendar", "none.ics", "--time-of", "site"], 3, "error: none.ics: no such file or directory"),
        (["--calendar", "new.csv", "--time-of", "site"], 3, "error: new.csv: no column named 'start'"),
        (["--calendar", "plans", "--time-of", "at"], 3,
         "error: plans: 2 files; name the one that is the calendar, and others with --calendar again"),
        (["--rule", "lod above"], 2, "--rule 'lod above': no column named 'lod' in the model; did"),
        (["--rules", "plan.csv"], 2, "plan.csv: not a TOML file"),
        (["--calendar", "plan.csv", "--time-of", "at", "-o", "plan.csv"], 2, "the output would replace"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_one_line_before_anything_is_scored(
    folder: Prompt, words: list[str], exit_code: int, said: str
) -> None:
    for name in ("a.csv", "b.csv"):
        folder.write(f"plans/{name}", PLAN)
    before = folder.files()
    result = folder("score", "new.csv", *words)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert folder.files() == before


def test_jobs_change_nothing(folder: Prompt) -> None:
    frame = pd.read_csv(folder.folder / "new.csv")
    frame.to_csv(folder.folder / "other.csv", index=False)
    words = [
        "score",
        "new.csv",
        "other.csv",
        "--calendar",
        "plan.csv",
        "--time-of",
        "at",
        "--rule",
        "load above",
    ]
    alone, beside = folder(*words, "-o", "a.csv"), folder(*words, "-o", "b.csv", "--jobs", "2")
    assert (alone.exit_code, beside.exit_code) == (0, 0)
    assert (folder.folder / "a.csv").read_bytes() == (folder.folder / "b.csv").read_bytes()
    assert alone.stderr == beside.stderr


def test_dates_that_may_be_read_in_two_ways_are_read_as_training_was_told(
    folder: Prompt, prompt: Prompt
) -> None:
    frame = pd.read_csv("new.csv")
    frame["at"] = pd.date_range("2026-03-01", periods=ROWS, freq="4h").strftime("%d.%m.%Y %H:%M")
    frame.to_csv("german.csv", index=False)
    folder.write("march.csv", "start,end,name\n2026-03-03,2026-03-05,march\n")
    plan = "--calendar", "march.csv", "--time-of", "at"
    refused = folder("score", "german.csv", *plan)
    assert refused.exit_code == 3
    assert "may be read in more than one way; say how timestamps are written" in refused.stderr
    words = "-o", "german.aed", "--exclude", "at", "--time-format", "%d.%m.%Y %H:%M", "--epochs", "2"
    trained = prompt("train", "german.csv", *words, *plan)
    assert trained.exit_code == 0, trained.stderr
    assert "12 rows within the calendar (march 12)" in trained.stderr
    told = prompt.json("score", "german.csv", "-m", "german.aed", *plan, "--threshold", "0")
    assert told["muted_by"] == [{"kind": "calendar", "name": "march", "rows": 12}]
