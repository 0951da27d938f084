"""`aedetect evaluate`, as a user runs it."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn.metrics import average_precision_score, roc_auc_score
from support.prompt import Prompt
from support.tables import tiny_frame

import aedetect


def labelled(rows: int = 300) -> pd.DataFrame:
    """Normal rows, of which every tenth was given a load that is anything."""
    frame = tiny_frame(rows, seed=5)
    odd = np.arange(rows) % 10 == 3
    frame.loc[odd, "load"] = np.random.default_rng(1).uniform(-100, 200, odd.sum()).round(2)
    return frame.assign(fraud=odd.astype(int))


@pytest.fixture
def evaluate(prompt: Prompt, tiny_model: Path) -> Prompt:
    """In a folder with new.csv, which holds `labelled` rows and, in `kind`, their labels in words."""
    frame = labelled()
    frame.assign(kind=np.where(frame.fraud == 1, "odd", "usual")).to_csv("new.csv", index=False)
    return prompt.command("evaluate", after=("-m", tiny_model))


def test_figures_are_those_of_the_scored_rows(evaluate: Prompt, tiny_model: Path) -> None:
    found = evaluate.json("new.csv", "--label", "fraud")
    scored = aedetect.load(tiny_model).score(labelled())
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(scored.fraud, scored.anomaly_score))
    assert found["average_precision"]["value"] == pytest.approx(
        average_precision_score(scored.fraud, scored.anomaly_score)
    )
    flagged = scored.is_anomaly.to_numpy(dtype=bool)
    at = found["at_threshold"]
    assert at["caught"] == int((flagged & (scored.fraud == 1)).sum())
    assert at["caught"] + at["missed"] == 30
    assert at["flagged"] == int(flagged.sum())
    assert at["caught"] + at["missed"] + at["false_alarms"] + at["passed"] == found["rows"] == 300
    assert [entry["alert_rate"] for entry in found["at_alert_rates"]] == [0.001, 0.01, 0.05]
    assert found["at_best_f1"]["f1"] >= at["f1"]
    assert found["false_alarms"]["low"] <= found["false_alarms"]["value"] <= found["false_alarms"]["high"]


def test_the_object_is_the_contract(evaluate: Prompt) -> None:
    assert list(evaluate.json("new.csv", "--label", "fraud")) == [
        *["schema_version", "aedetect_version", "command", "model", "compared", "by", "label", "rows"],
        *[
            "judged",
            "anomalies",
            "normal",
            "unlabelled",
            "unscorable",
            "threshold",
            "alert_rate",
            "expected_alert_rate",
        ],
        *["auroc", "average_precision", "at_threshold", "at_best_f1", "at_alert_rates", "false_alarms"],
        *["segments", "comparison", "series", "workers"],
        *["warnings", "started", "finished", "seconds", "exit_code"],
    ]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({0: "false", 1: "true"}, []),
        ({0: "No", 1: "Yes"}, []),
        ({0: "fine", 1: "fraud"}, ["--positive", "fraud"]),
        ({0: 0.0, 1: 1.0}, []),
        ({0: 3, 1: 7}, ["--positive", "7"]),
    ],
)
def test_labels_of_all_kinds_mean_the_same(
    evaluate: Prompt, labels: dict[int, Any], words: list[str]
) -> None:
    frame = labelled()
    frame.assign(fraud=frame.fraud.map(labels)).to_csv("other.csv", index=False)
    found = evaluate.json("other.csv", "--label", "fraud", *words)
    assert found["auroc"] == evaluate.json("new.csv", "--label", "fraud")["auroc"]


def test_people_read_the_promise_and_the_tables(evaluate: Prompt) -> None:
    text = evaluate("new.csv", "--label", "fraud", "--by", "site").stdout
    assert text.startswith("300 rows judged: 30 anomalies and 270 normal, by column 'fraud'\n")
    for shown in (
        "AUROC",
        "average precision",
        "best in hindsight",
        "north",
        "promised at most 1.00%",
    ):
        assert shown in text


def test_segments_add_up(evaluate: Prompt) -> None:
    found = evaluate.json("new.csv", "--label", "fraud", "--by", "site")
    assert sorted(part["value"] for part in found["segments"]) == ["north", "south", "west"]
    assert sum(part["rows"] for part in found["segments"]) == 300
    assert (
        sum(part["at_threshold"]["caught"] for part in found["segments"]) == found["at_threshold"]["caught"]
    )


def test_many_segments_are_cut_to_the_largest(evaluate: Prompt) -> None:
    frame = labelled().assign(customer=[f"c{index % 70}" for index in range(300)])
    frame.loc[0, "customer"] = None
    frame.to_csv("many.csv", index=False)
    found = evaluate.json("many.csv", "--label", "fraud", "--by", "customer")
    assert len(found["segments"]) == 51
    assert found["segments"][-1]["value"] == "(others)"
    assert sum(part["rows"] for part in found["segments"]) == 300


def test_two_models_side_by_side(evaluate: Prompt, tiny_model: Path) -> None:
    same = evaluate.json("new.csv", "--label", "fraud", "--compare", str(tiny_model))["comparison"]
    assert same["auroc_difference"]["value"] == 0
    assert (same["only_first_right"], same["only_second_right"], same["verdicts_p_value"]) == (0, 0, 1.0)
    text = evaluate("new.csv", "--label", "fraud", "--compare", str(tiny_model)).stdout
    assert "The verdicts of the two models are the same." in text


def test_a_broken_promise_is_said(evaluate: Prompt) -> None:
    frame = tiny_frame(200, seed=3)
    frame.assign(temp=frame.temp + 60, fraud=0).to_csv("moved.csv", index=False)
    result = evaluate("moved.csv", "--label", "fraud")
    assert "NOT kept; these normal rows are not like those of the training" in result.stdout
    assert result.stderr.endswith("warning: no row is labelled as an anomaly in column 'fraud'\n")


def test_rows_without_label_or_score_are_counted(evaluate: Prompt) -> None:
    frame = labelled().astype({"fraud": object, "temp": object})
    frame.loc[[0, 1], "fraud"] = None
    frame.loc[5, "temp"] = "?"
    frame.to_csv("gaps.csv", index=False)
    found = evaluate.json("gaps.csv", "--label", "fraud")
    assert (found["rows"], found["judged"], found["unlabelled"], found["unscorable"]) == (300, 297, 2, 1)
    assert "left out: 2 without a label, 1 without a score" in evaluate(
        "gaps.csv", "--label", "fraud"
    ).stdout  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "which column marks the anomalies? give --label COLUMN"),
        (
            ["--label", "x"],
            2,
            "--label: no column named 'x' in new.csv; there are: temp, load, site, open, fraud, kind",
        ),
        (["--label", "fraud", "--by", "x"], 2, "--by: no column named 'x' in new.csv"),
        (["--label", "kind"], 3, "error: new.csv: row 1 (line 2), column 'kind': 'usual' is not a boolean; "),
        (["--label", "site"], 2, "--label: the model learned column 'site', so its scores already tell the"),
        (["--label", "fraud", "--at", "2"], 2, "--at '2': '2' is no rate between 0 and 1"),
        (["--label", "fraud", "--compare", "none.aed"], 4, "error: none.aed: cannot read the model file"),
        (["--label", "fraud", "--threshold", "3", "--alert-rate", "0.1"], 2, "exclude each other"),
    ],
)
def test_mistakes_are_named(evaluate: Prompt, words: list[str], code: int, said: str) -> None:
    result = evaluate("new.csv", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_positive_value_that_is_not_there(evaluate: Prompt) -> None:
    result = evaluate("new.csv", "--label", "kind", "--positive", "ODD")
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "",
        "warning: new.csv: column 'fraud' is not known to the model and ignored\n"
        "error: new.csv: no row has 'ODD' (--positive) in column 'kind'; the labels are 'usual' (270) and "
        "'odd' (30); did you mean --positive odd?\n",
    )


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (pa.array([bytes(15) + bytes([row % 2]) for row in range(300)], pa.uuid()),
         ["00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"]),
        (pa.array([["a", str(row % 2)] for row in range(300)]), ['["a", "0"]', '["a", "1"]']),
        (pa.array([{"a": row % 2} for row in range(300)]), ['{"a": 0}', '{"a": 1}']),
        (pa.array([[("a", row % 2)] for row in range(300)], pa.map_(pa.string(), pa.int8())),
         ['[["a", 0]]', '[["a", 1]]']),
        (pa.array([[b"Y", b"\xff"][row % 2] for row in range(300)]), ["Y", "ff"]),
        (pa.array([Decimal(row % 2) for row in range(300)], pa.decimal128(5, 1)), ["0.0", "1.0"]),
        (pa.array([timedelta(seconds=row % 2) for row in range(300)]), ["0:00:00", "0:00:01"]),
        (pa.array([time(row % 2) for row in range(300)]), ["00:00:00", "01:00:00"]),
        (pa.nulls(300), ["(missing)"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)  # fmt: skip
def test_segments_of_any_type(evaluate: Prompt, values: pa.Array, names: list[str]) -> None:
    table = pa.Table.from_pandas(labelled(), preserve_index=False).append_column("of", values)
    parquet.write_table(table, "typed.parquet")
    found = evaluate.json("typed.parquet", "--label", "fraud", "--by", "of")
    assert sorted(entry["value"] for entry in found["segments"]) == names


def test_no_word_is_broken_on_a_narrow_terminal(evaluate: Prompt, tiny_model: Path) -> None:
    words = ["new.csv", "--label", "fraud", "--by", "site", "--compare", str(tiny_model)]
    result = evaluate(*words, width=80)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    tables = [line for line in lines if "──" in line]
    assert max(map(len, tables)) <= 80
    heads = [lines[place - 1].split() for place, line in enumerate(lines) if "──" in line]
    assert ["at", "threshold", "flagged", "caught", "missed", "false", "alarms"] in heads
    assert ["at", "precision", "recall", "F1"] in heads
    assert ["site", "rows", "anomalies", "AUROC", "AP", "precision", "recall"] in heads
    assert ["site", "false", "alarms,", "95%", "interval"] in heads
    assert sum(line.startswith("best in hindsight ") for line in lines) == 2


def test_the_label_is_not_called_unknown(evaluate: Prompt) -> None:
    labelled().assign(more=1, kind="x").to_csv("more.csv", index=False)
    result = evaluate("more.csv", "--label", "fraud", "--by", "site")
    assert result.exit_code == 0
    assert result.stderr == (
        "warning: more.csv: columns 'more', 'kind' are not known to the model and ignored\n"
    )
