"""`aedetect explain --groups`, as a user runs it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.sensors import readings
from support.tables import tiny_frame

from aedetect import Detector

QUICK = {"training.epochs": 3, "training.folds": 2, "training.device": "cpu", "model.width": 16}


@cache
def saved(folder: Path) -> Path:
    Detector({**QUICK, "data.id": ["store", "no"]}).fit(with_ids(tiny_frame(400))).save(folder / "m.aed")
    return folder / "m.aed"


def with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    stores = np.random.default_rng(3).integers(1, 21, len(frame))
    return frame.assign(store=stores, no=[f"n{row}" for row in range(len(frame))])


@pytest.fixture
def groups(prompt: Prompt, tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    """The command, in a folder with new.csv, in which three in four rows of store 17 have a wild load."""
    frame = with_ids(tiny_frame(1000, seed=1))
    frame.loc[(frame.store == 17) & (frame.index % 4 > 0), "load"] = 980.0
    frame.to_csv("new.csv", index=False)
    return prompt.command("explain", after=("-m", saved(tmp_path_factory.getbasetemp()), "--groups"))


def test_a_few_sentences_a_table_and_what_was_looked_at(groups: Prompt) -> None:
    lines = groups("new.csv").stdout.splitlines()
    assert " of 1,000 rows are flagged (" in lines[0]
    assert lines[1].startswith("most to blame: load in ")
    assert lines[2].startswith("  store = 17: ")
    assert lines[2].endswith("; mostly for load")
    header = next(line for line in lines if line.startswith("segment"))
    assert header.split() == ["segment", "flagged", "of", "rows", "share", "elsewhere", "lift", "new"]
    assert any(line.startswith("store = 17   ") for line in lines)
    assert lines[-1].startswith("looked at ")
    assert lines[-1].endswith(
        "of temp, load, site, open, store, and pairs of them; not at no (no value in 5 rows)"
    )


def test_json_has_the_segments_and_adds_up(groups: Prompt) -> None:
    told = groups.json("new.csv")
    (one,) = [segment for segment in told["segments"] if segment["text"] == "store = 17"]
    assert one["conditions"] == [
        {
            "column": "store",
            "value": "17",
            "missing": False,
            "from": None,
            "below": None,
            "text": "store = 17",
        }
    ]
    assert one["flagged"] + one["flagged_outside"] == told["anomalies"]
    assert one["rows"] + one["rows_outside"] == told["rows"] - told["unscorable"]
    assert one["new_flagged"] <= told["covered"] <= told["anomalies"]
    assert one["p_value"] <= told["p_value_limit"] == 0.01
    assert (told["command"], told["paths"], told["exit_code"]) == ("explain", ["new.csv"], 0)
    assert (told["events"], told["incidents"], told["looked_at"]["sample"]) == (None, None, None)


def test_a_folder_is_several_inputs(groups: Prompt) -> None:
    folder = groups.folder / "days"
    folder.mkdir()
    for day in range(3):
        with_ids(tiny_frame(100, seed=day)).to_csv(folder / f"d{day}.csv", index=False)
    told = groups.json("days")
    assert told["paths"] == [f"days/d{day}.csv" for day in range(3)]
    assert "source_file" in told["looked_at"]["columns"]


def test_where_nothing_is_flagged_that_is_all(groups: Prompt) -> None:
    assert groups("new.csv", "--threshold", "1e9").stdout == "1,000 rows, none flagged\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--row", "3"], "--groups excludes --row; choose one"),
        (["--top", "3", "--id", "n1"], "--groups excludes --id and --top; choose one"),
        (["--event", "1", "--entity", "m1"], "--groups excludes --event and --entity; choose one"),
    ],
)
def test_what_asks_for_single_rows_is_refused(groups: Prompt, words: list[str], error: str) -> None:
    assert groups("new.csv", *words).usage() == error


def test_cells_are_shown_as_text(groups: Prompt) -> None:
    frame = pd.read_csv("new.csv").assign(
        site=lambda each: each.site.where(each.store != 17, "[red]\x1b[31m")
    )
    frame.to_csv("odd.csv", index=False)
    result = groups("odd.csv")
    assert "\x1b" not in result.output
    assert "[red]" in result.stdout


def test_events_of_several_series(prompt: Prompt) -> None:
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    Detector({**settings, "threshold.alert_rate": 0.001}).fit(readings(8, 3)).save("s.aed")
    frame = readings(4, 3, seed=5, start="2026-02-01")
    for machine in ("m0", "m1"):
        frame.loc[frame.index[frame.machine == machine][200:230], "load"] += 150
    frame.to_csv("new.csv", index=False)
    lines = prompt("explain", "new.csv", "-m", "s.aed", "--groups").stdout.splitlines()
    assert " belong together in 1 incident: " in lines[-2]
    assert lines[-1].startswith(
        "  2026-02-02 09:20 to 2026-02-02 14:10 (4 h 50 min): m0, m1, for load; 2 events, "
    )


def test_muted_rows_count_as_not_flagged(groups: Prompt) -> None:
    Path("plan.csv").write_text("start,end,name,store\n2026-01-01,2026-02-01,refit,17\n", encoding="utf-8")
    frame = pd.read_csv("new.csv").assign(day="2026-01-05")
    frame.to_csv("new.csv", index=False)
    whole = groups.json("new.csv")
    words = "new.csv", "--calendar", "plan.csv", "--time-of", "day"
    told = groups.json(*words)
    refit = {"kind": "calendar", "name": "refit", "rows": told["muted"]}
    assert told["muted_by"] == [refit]
    assert told["muted"] > 20
    assert told["anomalies"] + told["muted"] == whole["anomalies"]
    assert whole["muted"] == 0
    assert "store = 17" in [segment["text"] for segment in whole["segments"]]
    assert "store = 17" not in [segment["text"] for segment in told["segments"]]
    lines = groups(*words).stdout.splitlines()
    assert f", {told['muted']:,} muted" in lines[0]
    assert lines[1] == f"muted by calendar refit: {told['muted']} rows"


def test_rules_that_do_not_fit_the_model_are_refused(groups: Prompt) -> None:
    result = groups("new.csv", "--rule", "lod never")
    assert result.exit_code == 2
    assert "--rule 'lod never': no column named 'lod' in the model; did you mean 'load'?" in result.stderr
