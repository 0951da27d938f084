"""Rows that people gave a verdict on, in training and calibrating."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.prompt import Prompt
from support.sensors import broken, readings

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.io.source import TableInput
from aedetect.scoring.feedback_store import Cell, Note
from aedetect.training.feedback_rows import WithNotes, with_notes


def note(id_: int, verdict: str, **cells: Cell) -> Note:
    return Note(
        id=id_, verdict=verdict, text="", who="ann", when="2026-03-01T00:00:00+00:00", source="s.csv",
        row=id_, score=9.0, cells=cells, attribution={},
    )  # fmt: skip


def applied(table: pa.Table, *notes: Note) -> tuple[WithNotes, list[str]]:
    said: list[str] = []

    class Listening(Callback):
        def notice(self, text: str) -> None:
            said.append(text)

    return with_notes([TableInput(table, "a.csv")], notes, Config(), Listening()), said


def rows_of(result: WithNotes) -> list[dict[str, Cell]]:
    return [
        row for source in result.inputs for batch in source.open(2).batches() for row in batch.to_pylist()
    ]


TEXT = pa.table({"x": ["1", "2.0", "", "2"], "kind": ["a", "b", "b", "b"]})


def test_rows_that_equal_an_anomaly_are_left_out_however_they_are_written() -> None:
    result, said = applied(TEXT, note(1, "anomaly", x=2.0, kind="b"))
    assert [row["x"] for row in rows_of(result)] == ["1", ""]
    assert (result.left_out, result.first) == (2, "row 2 of a.csv")
    assert [batch.to_pylist() for source in result.anomalies for batch in source.open(9).batches()] == [
        [{"x": "2", "kind": "b"}]
    ]
    assert result.inputs[0].locate(2) == "row 3"
    assert said == []


def test_rows_called_normal_are_added_unless_they_are_there() -> None:
    result, said = applied(TEXT, note(1, "normal", x="1", kind="a"), note(2, "normal", x="7", kind="c"))
    added = rows_of(result)[len(TEXT) :]
    assert added == [{"x": "7", "kind": "c"}] * 5
    assert said == ["1 row called normal by people is learned as well"]


def test_added_rows_have_the_types_of_the_inputs() -> None:
    table = pa.table({"x": pa.array([1, 2], pa.int32()), "when": pa.array([0, 1], pa.timestamp("s"))})
    good = note(1, "normal", x="3", when="1970-01-01T00:00:09")
    result, said = applied(table, good, note(2, "normal", x="three", when=None))
    assert rows_of(result)[-1] == {"x": 3, "when": pd.Timestamp("1970-01-01 00:00:09")}
    assert said[0] == "note 2 is on a row of other types, and is not learned from"


def test_notes_that_do_not_count_change_nothing() -> None:
    taken_back = note(1, "anomaly", x="1", kind="a").model_copy(
        update={"undone": {"who": "bob", "when": "2026-03-02T00:00:00+00:00"}}
    )
    result, _ = applied(TEXT, taken_back)
    assert rows_of(result) == TEXT.to_pylist()
    assert result.left_out == 0


@pytest.fixture
def run(prompt: Prompt) -> Prompt:
    """In a folder with normal.csv, a model of it, and odd.csv, scored: its first row is far from all."""
    random = np.random.default_rng(0)
    x = random.normal(0, 1, 600)
    pd.DataFrame({"x": x, "y": 2 * x + random.normal(0, 0.1, 600)}).round(4).to_csv("normal.csv", index=False)
    Path("odd.csv").write_text("x,y\n4,-8\n0.1,0.2\n")
    assert prompt("train", "normal.csv", "-o", "m.aed", "--epochs", 3).exit_code == 0
    assert prompt.json("score", "odd.csv", "-m", "m.aed", "-o", "scored.csv")["anomalies"] == 1
    return prompt


def test_a_row_called_normal_is_normal_after_training_with_it(run: Prompt) -> None:
    run("feedback", "scored.csv", "--row", 1, "--normal", "--store", "notes.json")
    said = run("train", "normal.csv", "-o", "again.aed", "--epochs", 3, "--feedback", "notes.json")
    assert "warning: 1 row called normal by people is learned as well\n" in said.stderr
    assert run.json("score", "odd.csv", "-m", "again.aed")["anomalies"] == 0


def test_a_row_called_an_anomaly_is_left_out_and_counted(run: Prompt) -> None:
    run("feedback", "scored.csv", "--row", 1, "--anomaly", "--store", "notes.json")
    words = ("normal.csv", "odd.csv", "--feedback", "notes.json")
    summary = run.json("train", *words, "-o", "again.aed", "--epochs", 3)
    assert summary["rows_left_out"]["feedback"] == 1
    said = "left out of training: 1 row called anomalies by people; it is row 1 (line 2) of odd.csv"
    assert said in summary["warnings"]
    assert said in run.json("calibrate", *words, "-m", "m.aed", "-o", "b.aed")["warnings"]


def test_calibrating_counts_rows_called_normal(run: Prompt) -> None:
    run("feedback", "scored.csv", "--row", 1, "--normal", "--store", "notes.json")
    run("calibrate", "normal.csv", "-m", "m.aed", "-o", "plain.aed")
    run("calibrate", "normal.csv", "-m", "m.aed", "-o", "noted.aed", "--feedback", "notes.json")
    p_values = []
    for model in ("plain.aed", "noted.aed"):
        run("score", "odd.csv", "-m", model, "-o", "out.csv")
        p_values.append(pd.read_csv("out.csv")["anomaly_p_value"][0])
    assert p_values[0] < p_values[1]
    result = run("calibrate", "-m", "m.aed", "-o", "c.aed", "--alert-rate", 0.1, "--feedback", "notes.json")
    assert "--feedback goes with new normal rows (INPUT)" in result.usage()


def test_an_event_called_an_anomaly_is_not_learned_where_times_only_count(prompt: Prompt) -> None:
    frame = broken(readings(8), 200, 260).drop(columns="machine")
    frame.assign(time=range(2000, 2000 + len(frame))).to_csv("new.csv", index=False)
    flags = ("--time", "time", "--time-format", "steps", "--window", 24, "--epochs", 2)
    assert prompt("train", "new.csv", "-o", "m.aed", *flags).exit_code == 0
    prompt("score", "new.csv", "-m", "m.aed", "-o", "scored.csv")
    words = ("scored.csv", "--row", 201, "--anomaly", "-m", "m.aed", "--store", "notes.json")
    assert prompt("feedback", *words).exit_code == 0
    summary = prompt.json("train", "new.csv", "-o", "again.aed", *flags, "--feedback", "notes.json")
    assert summary["rows_left_out"]["feedback"] == 1
    Path("plan.csv").write_text("start,end,name\n2026-01-01,2026-01-02,x\n")
    result = prompt(
        "train", "new.csv", "-o", "no.aed", *flags, "--feedback", "notes.json", "--calendar", "plan.csv"
    )
    assert "column 'time' holds numbers that only count, and a calendar has dates" in result.usage()


def test_an_event_called_an_anomaly_is_not_learned(prompt: Prompt) -> None:
    broken(readings(8, 2), 200, 260).to_csv("new.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", "4h", "--epochs", 2)
    assert prompt("train", "new.csv", "-o", "m.aed", *flags).exit_code == 0
    prompt("score", "new.csv", "-m", "m.aed", "-o", "scored.csv")
    words = ("scored.csv", "--row", 201, "--anomaly", "-m", "m.aed", "--store", "notes.json")
    assert prompt("feedback", *words).exit_code == 0
    summary = prompt.json("train", "new.csv", "-o", "again.aed", *flags, "--feedback", "notes.json")
    assert summary["rows_left_out"]["feedback"] == 1
    said = "left out of training: 1 row of events called anomalies (note 1 1); it is row 201 "
    said += "(line 202) of new.csv"
    assert said in summary["warnings"]
