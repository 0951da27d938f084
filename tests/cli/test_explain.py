"""`aedetect explain`, as a user runs it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect import Detector


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned that `load` follows `temp`; `unit` never changes, `no` is an id."""
    path = tmp_path_factory.mktemp("explained") / "m.aed"
    frame = tiny_frame(600).assign(unit="C", no=[f"n{index}" for index in range(600)])
    Detector({"training.epochs": 60, "data.id": "no"}).fit(frame).save(path)
    return path


@pytest.fixture
def folder(prompt: Prompt) -> Path:
    """new.csv: row 3 has a wild load, row 5 an unseen site, row 7 another unit, row 9 no number."""
    frame = tiny_frame(40, seed=1).astype({"load": object})
    frame = frame.assign(unit="C", no=[f"id{index}" for index in range(40)])
    frame.loc[2, "load"] = 98.2
    frame.loc[4, "site"] = "atlantis"
    frame.loc[6, "unit"] = "F"
    frame.loc[8, "load"] = "?"
    frame.to_csv("new.csv", index=False)
    return prompt.folder


@pytest.fixture
def explain(prompt: Prompt, model: Path) -> Prompt:
    return prompt.command("explain", after=("-m", model))


def explained(explain: Prompt, *words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = explain.json(*words)["explained"]
    return found


def test_the_guilty_column_and_what_was_expected(explain: Prompt, folder: Path) -> None:
    (row,) = explained(explain, "new.csv", "--row", "3")
    temp = tiny_frame(40, seed=1).temp[2]
    first = row["columns"][0]
    assert (row["row"], row["place"], row["ids"], row["is_anomaly"]) == (
        3,
        "row 3 (line 4)",
        {"no": "id2"},
        True,
    )
    assert (first["column"], first["seen"]) == ("load", "98.2")
    assert first["expected"]["value"] == pytest.approx(2 * temp, abs=5)
    assert 0 < first["expected"]["spread"] < 8
    assert first["rarity"] == {
        "share": 0.0,
        "direction": "high",
        "text": first["rarity"]["text"],
    }
    assert row["sentence"].startswith("load is 98.200 (above all normal rows, whose highest is ")
    assert f"); rows like this have {first['expected']['text']}" in row["sentence"]
    assert sum(column["share"] for column in row["columns"]) == pytest.approx(1, abs=0.01)


def test_an_unseen_category_and_a_constant_that_moved(explain: Prompt, folder: Path) -> None:
    site, unit = explained(explain, "new.csv", "--row", "5", "--row", "7")
    column = next(entry for entry in site["columns"] if entry["column"] == "site")
    assert (column["seen"], column["rarity"]["share"]) == ("atlantis", 0.0)
    assert column["rarity"]["text"] == "never seen in training"
    assert column["expected"]["value"] in ("north", "south", "west")
    assert unit["columns"][0]["column"] == "unit"
    assert unit["sentence"].startswith("unit is F; it was always C in training")


def test_nearest_normal_rows_are_in_the_users_units(explain: Prompt, folder: Path) -> None:
    (row,) = explained(explain, "new.csv", "--row", "1")
    frame = tiny_frame(40, seed=1)
    assert len(row["nearest_normal_rows"]) == 3
    for near in row["nearest_normal_rows"]:
        assert set(near) == {"temp", "load", "open", "site", "unit"}
        assert float(near["temp"]) == pytest.approx(frame.temp[0], abs=4)
        assert near["site"] == frame.site[0]


@pytest.mark.parametrize(
    ("values", "typed", "shown"),
    [
        (pa.array([UUID(int=row << 64).bytes for row in range(40)], pa.uuid()),
         "00000000-0000-0002-0000-000000000000", None),
        (pa.array([UUID(int=0xABC + row).bytes for row in range(40)], pa.uuid()),
         "00000000000000000000000000000ABE", "00000000-0000-0000-0000-000000000abe"),
        (pa.array([["a", str(row)] for row in range(40)]), '["a", "2"]', None),
        (pa.array([{"a": row} for row in range(40)]), '{"a": 2}', None),
        (pa.array([f"id{row}".encode() for row in range(40)]), "id2", None),
        (pa.array([bytes([255, row]) for row in range(40)], pa.binary(2)), "ff02", None),
        (pa.array([timedelta(seconds=row) for row in range(40)]), "0:00:02", None),
        (pa.array([Decimal(row) for row in range(40)], pa.decimal256(50, 0)), "2", None),
        (pa.array([row + 2**63 for row in range(40)], pa.uint64()), str(2 + 2**63), None),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)  # fmt: skip
def test_rows_are_found_by_ids_of_any_type(
    explain: Prompt, folder: Path, values: pa.Array, typed: str, shown: str | None
) -> None:
    table = pa.Table.from_pandas(pd.read_csv("new.csv").drop(columns="no"), preserve_index=False)
    parquet.write_table(table.append_column("no", values), "new.parquet")
    (row,) = explained(explain, "new.parquet", "--id", typed)
    assert row["row"] == 3
    assert row["ids"] == {"no": shown or typed}
    assert explain("new.parquet", "--id", typed).exit_code == 0
    lacking = explain("new.parquet", "--id", "nobody")
    assert lacking.exit_code == 3
    assert lacking.stderr.endswith("\nerror: new.parquet: no row has the id 'nobody' in 'no'\n")


def test_rows_are_found_by_id(explain: Prompt, folder: Path) -> None:
    assert [row["row"] for row in explained(explain, "new.csv", "--id", "id2", "--id", "id6")] == [3, 7]


def test_without_a_wish_the_strangest_flagged_rows_are_explained(explain: Prompt, folder: Path) -> None:
    rows = explained(explain, "new.csv")
    scores = [row["anomaly_score"] for row in rows]
    assert {3, 7} <= {row["row"] for row in rows}
    assert scores == sorted(scores, reverse=True)
    assert all(row["is_anomaly"] for row in rows)
    assert len(explained(explain, "new.csv", "--top", "1")) == 1


def test_an_unscorable_row_says_why(explain: Prompt, folder: Path) -> None:
    (row,) = explained(explain, "new.csv", "--row", "9")
    assert (row["anomaly_score"], row["is_anomaly"]) == (None, None)
    assert row["sentence"] == "load is ?, which cannot be read as numeric"
    assert "unscorable" in explain("new.csv", "--row", "9").stdout


def test_people_read_a_sentence_and_tables(explain: Prompt, folder: Path) -> None:
    text = explain("new.csv", "--row", "3").stdout
    for shown in ("new.csv: row 3 (line 4), no id2: flagged, score", "how rare", "nearest", "this row"):
        assert shown in text


def test_nothing_flagged_names_the_strangest(explain: Prompt, tmp_path: Path) -> None:
    frame = tiny_frame(5, seed=1).assign(unit="C", no="x")
    frame.to_csv(tmp_path / "calm.csv", index=False)
    result = explain(str(tmp_path / "calm.csv"), "--threshold", "1e6")
    assert result.exit_code == 0
    assert result.stdout.startswith("5 rows, none flagged; the strangest is row ")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--row", "99"], 3, "error: new.csv: there is no row 99; the last is row 40\n"),
        (["--id", "nobody"], 3, "error: new.csv: no row has the id 'nobody' in 'no'\n"),
        (["--row", "0"], 2, "--row 0: rows are counted from 1"),
        (["--row", "1", "--top", "2"], 2, "--top excludes --row and --id; choose one"),
        (["--top", "0"], 2, "--top 0: must be at least 1"),
    ],
)
def test_mistakes_are_named(explain: Prompt, folder: Path, words: list[str], code: int, said: str) -> None:
    result = explain("new.csv", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_ids_need_an_id_column(prompt: Prompt, folder: Path, tiny_model: Path) -> None:
    result = prompt("explain", "new.csv", "--id", "id2", "-m", tiny_model)
    assert result.exit_code == 2
    assert "--id: the model knows no id column; give --row, or train with --id COLUMN" in result.stderr


def test_infinite_and_missing_values_are_explained(explain: Prompt, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(
        "temp,load,site,open,unit,no\ninf,40,north,true,C,1\n,40,north,true,C,2\n20,40,,true,C,3\n"
    )
    infinite, missing, unknown = explained(explain, str(path), "--row", "1", "--row", "2", "--row", "3")
    assert infinite["columns"][0]["column"] == "temp"
    assert missing["columns"][0]["seen"] == "missing"
    assert missing["columns"][0]["rarity"]["text"] == "never missing in training"
    assert np.isfinite([column["share"] for column in unknown["columns"]]).all()


def test_hostile_text_is_shown_as_text(prompt: Prompt, tmp_path: Path) -> None:
    name = "[red]x[/red]\x1b[31m"
    frame = tiny_frame(200).rename(columns={"site": name})
    detector = Detector({"training.epochs": 2, "training.folds": 2, "model.width": 16}).fit(frame)
    detector.save(tmp_path / "h.aed")
    frame.loc[0, name] = "<script>alert(1)</script>"
    pd.DataFrame(frame.head(2)).to_csv(tmp_path / "h.csv", index=False)
    result = prompt("explain", "h.csv", "--row", "1", "-v", "-m", "h.aed")
    assert result.exit_code == 0
    assert "\x1b[31m" not in result.output
    assert "[red]x[/red]" in result.output
