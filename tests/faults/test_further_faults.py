"""Faults that the list names in passing, and some that it does not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.tables import tiny_frame
from typer.testing import CliRunner

import aedetect
from aedetect.cli.main import app

HEADER = "temp,load,site,open\n"


def test_11_gzip_content_under_any_name_is_read(prompt: Any) -> None:
    expected = prompt.scored("normal.csv")
    Path("packed.csv").write_bytes(gzip.compress(Path("normal.csv").read_bytes()))
    assert prompt.scored("packed.csv") == expected


def test_12_and_19_a_column_without_a_readable_cell_is_3_even_with_one_row(prompt: Any) -> None:
    """One bad cell makes its row unscorable (12), but the whole column of bad ones is a changed type."""
    prompt.score_refuses(
        prompt.write("in.csv", HEADER + "?,40,north,true\n"),
        message="in.csv: column 'temp': no cell can be read as numeric, as it was in training "
        "(the first is in row 1 (line 2)); has its type changed?",
    )


def test_12_one_readable_cell_is_enough(prompt: Any) -> None:
    rows = prompt.scored(prompt.write("in.csv", HEADER + "?,40,north,true\n20,40,north,true\n"))
    assert [row["anomaly_status"] for row in rows] == ["unscorable", "ok"]


def test_empty_lines_of_a_one_column_file_are_rows(prompt: Any) -> None:
    tiny_frame(200)[["temp"]].to_csv("one.csv", index=False)
    assert prompt.train("one.csv").exit_code == 0
    summary = prompt.summary(prompt.write("in.csv", "temp\n20\n\n21\n\n"), model="new.aed")
    assert (summary["rows"], summary["normal"], summary["unscorable"]) == (4, 2, 2)
    statuses = [row["anomaly_status"] for row in prompt.scored("in.csv", model="new.aed")]
    assert statuses == ["ok", "unscorable", "ok", "unscorable"]


def test_empty_lines_between_rows_of_several_columns_are_none(prompt: Any) -> None:
    assert prompt.summary(prompt.write("in.csv", HEADER + "20,40,north,true\n\n"))["rows"] == 1


def test_a_row_longer_than_the_reader_holds_is_3(prompt: Any) -> None:
    prompt.score_refuses(
        prompt.write("in.csv", HEADER + "20,40," + "x" * (9 << 20) + ",true\n"),
        message="in.csv: cannot be read: a row is longer than 4 MiB",
    )


@pytest.fixture
def stern(prompt: Any) -> str:
    """A model trained with an alert rate of 0.2 and one blamed column."""
    Path("c.toml").write_text("[threshold]\nalert_rate = 0.2\n[scoring]\ntop_features = 1\n")
    assert prompt.train("normal.csv", "--config", "c.toml").exit_code == 0
    return "new.aed"


@pytest.mark.parametrize(
    "text", ["", "[threshold]\n", "[scoring]\nbatch_rows = 64\n", "[training]\nepochs = 3\n"]
)
def test_a_config_file_changes_only_what_it_sets(prompt: Any, stern: str, text: str) -> None:
    prompt.write("score.toml", text)
    plain, told = (
        prompt.summary("normal.csv", *words, model=stern) for words in ([], ["--config", "score.toml"])
    )
    assert told["threshold"] == plain["threshold"] == aedetect.load(stern).threshold
    rows = prompt.scored("normal.csv", "--config", "score.toml", model=stern)
    assert {len(json.loads(row["anomaly_features"])) for row in rows if row["anomaly_features"]} == {1}


def test_an_alert_rate_overrules_a_trained_fixed_threshold(prompt: Any) -> None:
    Path("c.toml").write_text("[threshold]\nvalue = 5.0\n")
    assert prompt.train("normal.csv", "--config", "c.toml").exit_code == 0
    assert prompt.summary("normal.csv", model="new.aed")["threshold"] == 5
    assert prompt.summary("normal.csv", "--alert-rate", "0.2", model="new.aed")["threshold"] != 5


def test_22_a_parquet_file_with_a_damaged_page_is_3(prompt: Any) -> None:
    parquet.write_table(pa.Table.from_pandas(tiny_frame(5000)), "in.parquet", compression="none")
    data = bytearray(Path("in.parquet").read_bytes())
    data[4:60] = b"\xff" * 56
    prompt.write("in.parquet", bytes(data))
    prompt.write("out.csv", "old")
    result = prompt.score("in.parquet")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: in.parquet: ")
    assert len(result.stderr.splitlines()) == 1
    assert Path("out.csv").read_text() == "old"


def test_30_every_command_that_takes_a_model_refuses_a_bad_one(prompt: Any) -> None:
    prompt.write("bad.aed", Path("tiny.aed").read_bytes()[:-1])
    before = prompt.files()
    for words in (
        ["score", "normal.csv", "-m", "bad.aed", "-o", "x.csv"],
        ["drift", "normal.csv", "-m", "bad.aed"],
        ["calibrate", "normal.csv", "-m", "bad.aed", "-o", "x.aed"],
        ["train", "normal.csv", "--from", "bad.aed", "-o", "x.aed"],
        ["inspect", "bad.aed"],
    ):
        result = CliRunner().invoke(app, words)
        assert (result.exit_code, result.stdout) == (4, ""), words
        assert result.stderr.startswith("error: bad.aed: the model file is damaged")
        assert prompt.files() == before


def test_30_a_drift_reference_that_does_not_fit_is_4(prompt: Any) -> None:
    from aedetect.scoring.model_file import pack, read_model_file

    manifest, tensors, _ = read_model_file("tiny.aed")
    tensors["drift.counts"] = tensors["drift.counts"][:-1]
    data = pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors)
    prompt.score_refuses(
        "normal.csv",
        model=prompt.write("bad.aed", data),
        code=4,
        message="bad.aed: the model file is damaged (what it says of its training values does not fit its "
        "columns)",
    )


def test_31_hostile_names_reach_neither_metrics_nor_summary_unescaped(prompt: Any) -> None:
    name = '"}\x1b[31m 1\n.aed'
    Path("tiny.aed").rename(name)
    result = prompt.score("normal.csv", "--metrics", "m.prom", "--summary", "s.json", model=name)
    assert result.exit_code == 0
    from prometheus_client.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(Path("m.prom").read_text()))
    assert {sample.labels["model"] for family in families for sample in family.samples} == {name}
    assert json.loads(Path("s.json").read_text())["model"]["path"] == name


def test_24_a_file_that_vanishes_meanwhile_is_one_failure(
    prompt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt.write("gone.csv", HEADER + "20,40,north,true\n")
    from aedetect.tasks import score_run as runs

    plan = runs.plan_outputs

    def vanish(*words: Any, **more: Any) -> Any:
        planned = plan(*words, **more)
        Path("gone.csv").unlink()
        return planned

    monkeypatch.setattr(runs, "plan_outputs", vanish)
    words = ("normal.csv", "gone.csv", "--new-only", "--state", "s.db")
    result = prompt.score(*words, output="scored/")
    assert result.exit_code == 6
    assert "error: gone.csv: cannot be read: No such file or directory" in result.stderr
    assert len(pd.read_csv("scored/normal.csv")) == 200
