"""Bad cells and odd columns, as a user meets them at the prompt (numbers as in FAULTS.md)."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompts import HEADER, ROW, results_of


def by_name(prompt: Any, columns: dict[str, Any]) -> dict[str, str]:
    """Roles that training gives to the columns of a Parquet file."""
    parquet.write_table(pa.table(columns), "typed.parquet")
    roles: dict[str, str] = prompt.roles("typed.parquet")
    return roles


class TestCells:
    @pytest.mark.parametrize("text", ["n/a?", "--"])
    def test_12_bad_cell_far_down(self, prompt: Any, text: str) -> None:
        prompt.write("in.csv", "a,b\n" + "1.5,2\n2.5,3\n" * 100_000 + f"{text},3\n")
        prompt.train_refuses(
            "in.csv",
            message=f"in.csv: row 200001 (line 200002), column 'a': '{text}' is not a number; repair it, "
            f"give --na-values '{text}' if it means 'missing', or --role a=categorical if the column "
            "holds codes",
        )

    def test_12_bad_cell_named_as_missing(self, prompt: Any) -> None:
        prompt.write("in.csv", HEADER + ROW * 20 + "21,--,south,false\n" * 3 + "22,41,south,false\n" * 20)
        assert prompt.roles("in.csv", "--na-values", "--")["load"] == "numeric"
        assert prompt.summary("in.csv", model="new.aed")["unscorable"] == 0

    def test_12_bad_cell_in_scoring(self, prompt: Any) -> None:
        prompt.write("in.csv", HEADER + ROW + "20,n/a?,north,true\n" + ROW)
        summary = prompt.summary("in.csv")
        assert (summary["rows"], summary["unscorable"]) == (3, 1)
        assert summary["warnings"] == [
            "in.csv: column 'load': 1 cell cannot be read as numeric, the first in row 2 (line 3); "
            "this row is unscorable"
        ]
        row = prompt.scored("in.csv")[1]
        assert (row["load"], row["anomaly_score"], row["is_anomaly"], row["anomaly_status"]) == (
            "n/a?", "", "", "unscorable",
        )  # fmt: skip

    def test_12_bad_cell_names_the_right_file(self, prompt: Any) -> None:
        prompt.write("b.csv", HEADER + ROW * 20 + "oops,40,north,true\n")
        prompt.train_refuses(
            "normal.csv",
            "b.csv",
            message="b.csv: row 21 (line 22), column 'temp': 'oops' is not a number; repair it, give "
            "--na-values 'oops' if it means 'missing', or --role temp=categorical if the column holds codes",
        )

    def test_13_missing_and_constant_columns(self, prompt: Any, normal: pd.DataFrame) -> None:
        normal.assign(gap="", unit="C", level=5, sure="True").to_csv("in.csv", index=False)
        result = prompt.train("in.csv", "-q", "--json")
        assert json.loads(result.stdout)["warnings"][:4] == [
            "column 'gap' is left out: every value is missing",
            "column 'unit' is left out: always C; a change will be noticed",
            "column 'level' is left out: always 5; a change will be noticed",
            "column 'sure' is left out: always True; a change will be noticed",
        ]

    @pytest.mark.parametrize(
        ("column", "value"), [("unit", "F"), ("level", "6"), ("sure", "False"), ("unit", "")]
    )
    def test_13_constant_that_moves_is_flagged(
        self, prompt: Any, normal: pd.DataFrame, column: str, value: str
    ) -> None:
        same = normal.assign(unit="C", level=5, sure="True")
        same.to_csv("in.csv", index=False)
        prompt.train("in.csv")
        same.assign(**{column: [value] + same[column].astype(str).tolist()[1:]}).to_csv("in.csv", index=False)
        rows = prompt.scored("in.csv", model="new.aed")
        assert rows[0]["is_anomaly"] == "true"
        assert next(iter(json.loads(rows[0]["anomaly_features"]))) == column

    @pytest.mark.parametrize("text", ["inf", "-inf", "Infinity", "1e300", "1e400", "-1E400"])
    def test_14_infinite_numbers(self, prompt: Any, text: str) -> None:
        prompt.write("in.csv", Path("normal.csv").read_text() + f"{text},40,north,true\n")
        trained = json.loads(prompt.train("in.csv", "--json").stdout)
        assert trained["rows"] == 200
        assert trained["rows_left_out"] == {"labelled": 0, "infinite": 1, "empty": 0}
        assert (
            "left out of training: 1 row with a number that is infinite or beyond 3.4e38"
            in trained["warnings"]
        )
        row = prompt.scored("in.csv", model="new.aed")[-1]
        assert row["is_anomaly"] == "true"
        assert np.isfinite(float(row["anomaly_score"]))

    def test_17_many_categories_are_capped(self, prompt: Any) -> None:
        codes = [f"c{number}" for number in range(10_000)] * 3
        pd.DataFrame({"code": codes, "x": np.arange(30_000) % 7}).to_csv("in.csv", index=False)
        trained = json.loads(prompt.train("in.csv", "--json").stdout)
        assert (
            "column 'code': 10,000 distinct values, of which the 1,000 most frequent are kept; "
            "the rest count as rare"
        ) in trained["warnings"]

    def test_17_unseen_category_is_counted(self, prompt: Any) -> None:
        prompt.write("in.csv", HEADER + ROW + ROW.replace("north", "atlantis"))
        summary = prompt.summary("in.csv")
        assert summary["unscorable"] == 0
        assert summary["warnings"] == ["in.csv: column 'site': 1 row with a rare category or one never seen"]

    def test_18_codes_stay_codes(self, prompt: Any, normal: pd.DataFrame) -> None:
        normal.assign(code=["01", "A1"] * 100, zip=["01234", "98765"] * 100).to_csv("in.csv", index=False)
        roles = prompt.roles("in.csv")
        assert (roles["code"], roles["zip"]) == ("categorical", "categorical")
        normal.assign(code="1", zip="01234").to_csv("in.csv", index=False)
        warnings = prompt.summary("in.csv", model="new.aed")["warnings"]
        assert warnings == ["in.csv: column 'code': 200 rows with a rare category or one never seen"]

    def test_18_big_integers_with_nulls_go_out_as_they_came(self, prompt: Any, normal: pd.DataFrame) -> None:
        big = [2**53 + 1, None] * 100
        parquet.write_table(
            pa.table({**{name: normal[name].tolist() for name in ("site", "open")},
                      "temp": [float(x) for x in normal["temp"]], "load": [float(x) for x in normal["load"]],
                      "big": pa.array(big, pa.int64())}),
            "in.parquet",
        )  # fmt: skip
        prompt.train("in.parquet")
        assert [row["big"] for row in prompt.scored("in.parquet", model="new.aed")[:2]] == [
            str(2**53 + 1),
            "",
        ]


class TestColumns:
    def test_15_typed_columns(self, prompt: Any) -> None:
        random = np.random.default_rng(0)
        numbers = random.integers(0, 1000, 100).tolist()
        truths = (random.random(100) < 0.5).tolist()
        roles = by_name(
            prompt,
            {
                "flag": truths,
                "flag with nulls": [
                    None if number < 300 else truth for number, truth in zip(numbers, truths, strict=True)
                ],
                "price": [Decimal(number) / 100 for number in numbers],
                "kind": pa.array([f"k{number % 3}" for number in numbers]).dictionary_encode(),
                "nothing": pa.nulls(100),
                "day": [date(2024, 1, 1) + timedelta(days=number) for number in numbers],
                "hour": [time(number % 24, number % 60) for number in numbers],
                "took": [timedelta(seconds=number) for number in numbers],
            },
        )
        assert roles == {
            "flag": "boolean",
            "flag with nulls": "boolean",
            "price": "numeric",
            "kind": "categorical",
            "nothing": "ignored",
            "day": "datetime",
            "hour": "numeric",
            "took": "numeric",
        }
        summary = prompt.summary("typed.parquet", model="new.aed")
        assert (summary["rows"], summary["unscorable"]) == (100, 0)

    NESTED: ClassVar = {"list": [[1], [2]] * 50, "struct": [{"a": 1}] * 100, "bytes": [b"\xff"] * 100}
    SAID: ClassVar = {"list": "list<element: int64>", "struct": "struct<a: int64>", "bytes": "binary"}

    def test_16_nested_columns_are_left_out(self, prompt: Any) -> None:
        parquet.write_table(
            pa.table({"x": np.random.default_rng(0).normal(size=100), **self.NESTED}), "in.parquet"
        )
        trained = json.loads(prompt.train("in.parquet", "--json").stdout)
        assert trained["warnings"][:3] == [
            f"column '{name}' is left out: {self.SAID[name]} values cannot be learned" for name in self.NESTED
        ]
        assert len(prompt.scored("in.parquet", model="new.aed")) == 100

    @pytest.mark.parametrize("name", list(NESTED))
    def test_16_nested_column_asked_for(self, prompt: Any, name: str) -> None:
        parquet.write_table(pa.table({"x": range(100), **self.NESTED}), "in.parquet")
        prompt.train_refuses(
            "in.parquet",
            "--columns",
            f"x,{name}",
            message=f"in.parquet: column '{name}' holds {self.SAID[name]} values, which cannot be learned",
        )

    def test_19_missing_column(self, prompt: Any, normal: pd.DataFrame) -> None:
        normal.drop(columns=["load", "open"]).to_csv("in.csv", index=False)
        prompt.score_refuses(
            "in.csv",
            code=4,
            message="in.csv: columns 'load', 'open' are missing, which the model was trained on; "
            "score a file with the same columns, or retrain",
        )

    def test_19_extra_column(self, prompt: Any, normal: pd.DataFrame) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        normal.assign(note="hello").to_csv("in.csv", index=False)
        assert prompt.summary("in.csv")["warnings"] == [
            "in.csv: column 'note' is not known to the model and ignored"
        ]
        rows = prompt.scored("in.csv")
        assert results_of(rows) == expected
        assert rows[0]["note"] == "hello"

    def test_19_reordered_columns(self, prompt: Any, normal: pd.DataFrame) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        normal[["open", "site", "load", "temp"]].to_csv("in.csv", index=False)
        assert results_of(prompt.scored("in.csv")) == expected

    def test_19_type_changed_in_text(self, prompt: Any) -> None:
        prompt.write("in.csv", HEADER + "warm,40,north,true\ncold,40,north,true\n")
        prompt.score_refuses(
            "in.csv",
            message="in.csv: column 'temp': no cell can be read as numeric, as it was in training "
            "(the first is in row 1 (line 2)); has its type changed?",
        )

    def test_19_type_changed_to_a_list(self, prompt: Any) -> None:
        parquet.write_table(
            pa.table({"temp": [1.0], "load": [2.0], "site": [["north"]], "open": [True]}), "in.parquet"
        )
        prompt.score_refuses(
            "in.parquet",
            message="in.parquet: column 'site' holds list<element: string> values, which cannot be read as "
            "categorical, as it was in training; has its type changed?",
        )

    def test_same_scores_from_every_format(self, prompt: Any) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        frame = pd.read_csv("normal.csv")
        frame.to_parquet("normal.parquet")
        frame.to_feather("normal.feather")
        frame.to_json("normal.jsonl", orient="records", lines=True)
        frame.to_csv("normal.tsv", sep="\t", index=False)
        for suffix in ("parquet", "feather", "jsonl", "tsv"):
            assert results_of(prompt.scored(f"normal.{suffix}")) == expected, suffix
