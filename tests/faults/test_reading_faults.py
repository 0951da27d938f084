"""Bad and odd inputs, each met at the command line as a user meets it (numbers as in FAULTS.md)."""

from __future__ import annotations

import gzip
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

HEADER = "temp,load,site,open\n"
ROW = "20,40,north,true\n"


@pytest.fixture
def normal(prompt: Any) -> pd.DataFrame:
    return pd.read_csv("normal.csv", dtype=str)


def results(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [(row["anomaly_score"], row["anomaly_p_value"], row["is_anomaly"]) for row in rows]


def by_name(prompt: Any, columns: dict[str, Any]) -> dict[str, str]:
    """Roles that training gives to the columns of a Parquet file."""
    parquet.write_table(pa.table(columns), "typed.parquet")
    roles: dict[str, str] = prompt.roles("typed.parquet")
    return roles


class TestNothingToRead:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "in.csv: the file is empty"),
            ("\n\n", "in.csv: the file is empty"),
            ("\ufeff", "in.csv: the file is empty"),
            (HEADER, "in.csv: holds no rows"),
        ],
    )
    def test_01_empty(self, prompt: Any, content: str, message: str) -> None:
        prompt.both_refuse(prompt.write("in.csv", content), message=message)

    def test_02_one_row_cannot_train(self, prompt: Any) -> None:
        name = prompt.write("in.csv", HEADER + ROW)
        prompt.train_refuses(name, message="in.csv: 1 usable row; training needs at least 8")

    def test_02_one_row_can_be_scored(self, prompt: Any) -> None:
        assert len(prompt.scored(prompt.write("in.csv", HEADER + ROW))) == 1

    def test_23_directory_without_data(self, prompt: Any) -> None:
        prompt.write("folder/notes.txt", "hello")
        prompt.both_refuse(
            "folder",
            message="folder: no data file in this directory "
            "(looked for .csv, .tsv, .parquet, .pq, .arrow, .feather, .jsonl, .ndjson)",
        )

    def test_23_glob_without_match(self, prompt: Any) -> None:
        prompt.both_refuse("2024-*.csv", message="2024-*.csv: no file matches this pattern")

    def test_missing_file(self, prompt: Any) -> None:
        prompt.both_refuse("gone.csv", message="gone.csv: no such file or directory")

    def test_empty_stdin(self, prompt: Any) -> None:
        prompt.score_refuses("-", message="<stdin>: the file is empty")


class TestText:
    def test_03_header_names_a_column_twice(self, prompt: Any) -> None:
        name = prompt.write("in.csv", "temp,load,temp\n1,2,3\n")
        prompt.both_refuse(
            name, message="in.csv: the column name 'temp' stands twice in the header; rename one"
        )

    @pytest.mark.parametrize(
        "changed",
        [
            lambda text: b"\xef\xbb\xbf" + text,
            lambda text: text.replace(b"\n", b"\r\n"),
            lambda text: text.replace(b"\n", b"\r"),
            lambda text: text.rstrip(b"\n"),
            gzip.compress,
        ],
        ids=["byte-order mark", "CRLF", "CR", "no newline at the end", "11: gzip named .csv"],
    )
    def test_04_same_scores(self, prompt: Any, changed: Any) -> None:
        expected = results(prompt.scored("normal.csv"))
        prompt.write("changed.csv", changed(Path("normal.csv").read_bytes()))
        assert results(prompt.scored("changed.csv")) == expected

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_05_utf_16_is_named(self, prompt: Any, encoding: str) -> None:
        name = prompt.write("in.csv", (HEADER + ROW).encode(encoding))
        prompt.both_refuse(
            name, message="in.csv: the file is UTF-16, not UTF-8; convert it, or give --encoding utf-16"
        )

    def test_05_utf_16_can_be_asked_for(self, prompt: Any) -> None:
        expected = results(prompt.scored("normal.csv"))
        prompt.write("wide.csv", Path("normal.csv").read_text().encode("utf-16"))
        assert results(prompt.scored("wide.csv", "--encoding", "utf-16")) == expected

    def test_latin_1_is_named_with_its_place(self, prompt: Any) -> None:
        name = prompt.write("in.csv", (HEADER + ROW + ROW.replace("north", "Köln")).encode("latin-1"))
        prompt.both_refuse(
            name,
            message="in.csv: row 2 (line 3), column 'site': not UTF-8 text; "
            "name its encoding with --encoding, e.g. --encoding latin-1",
        )

    def test_latin_1_in_the_header(self, prompt: Any) -> None:
        name = prompt.write("in.csv", "größe,b\n1,2\n".encode("latin-1"))
        prompt.both_refuse(
            name,
            message="in.csv: the header is not UTF-8 text; "
            "name its encoding with --encoding, e.g. --encoding latin-1",
        )

    def test_latin_1_can_be_asked_for(self, prompt: Any) -> None:
        prompt.write("in.csv", (HEADER + ROW.replace("north", "Köln")).encode("latin-1"))
        assert prompt.scored("in.csv", "--encoding", "latin-1")[0]["site"] == "Köln"

    def test_unknown_encoding_is_wrong_use(self, prompt: Any) -> None:
        result = prompt.score("normal.csv", "--encoding", "klingon")
        assert result.exit_code == 2
        assert "--encoding klingon: not known" in result.stderr

    @pytest.mark.parametrize("mark", [";", "\t", "|"])
    def test_06_other_delimiters(self, prompt: Any, mark: str) -> None:
        expected = results(prompt.scored("normal.csv"))
        prompt.write("in.csv", Path("normal.csv").read_text().replace(",", mark))
        assert results(prompt.scored("in.csv")) == expected

    def test_06_unusual_delimiter(self, prompt: Any) -> None:
        expected = results(prompt.scored("normal.csv"))
        prompt.write("in.csv", Path("normal.csv").read_text().replace(",", "^"))
        assert results(prompt.scored("in.csv", "--delimiter", "^")) == expected

    def test_06_wrong_delimiter_suggests_the_option(self, prompt: Any) -> None:
        name = prompt.write("in.csv", "a,b\n1;2\n")
        prompt.train_refuses(
            name,
            message="in.csv: row 1 (line 2) has 1 field where the header has 2; mend or remove this row, "
            "or name the delimiter with --delimiter if it is not ','",
        )

    def test_07_decimal_comma_is_noticed(self, prompt: Any) -> None:
        name = prompt.write("in.csv", "a;b\n" + "1,5;x\n2,5;y\n" * 10)
        prompt.train_refuses(
            name,
            message="in.csv: row 1 (line 2), column 'a': '1,5' seems to have a decimal comma; "
            "give --decimal , to read it so, or --role a=categorical if it is no number",
        )

    def test_07_decimal_comma_is_remembered_by_the_model(self, prompt: Any) -> None:
        text = Path("normal.csv").read_text()
        prompt.write("comma.csv", text.replace(",", ";").replace(".", ","))
        assert prompt.roles("comma.csv", "--decimal", ",")["temp"] == "numeric"
        assert prompt.summary("comma.csv", model="new.aed")["unscorable"] == 0

    def test_08_quoted_newline(self, prompt: Any) -> None:
        name = prompt.write("in.csv", HEADER + '20,40,"no\nrth",true\n' + ROW)
        assert [row["site"] for row in prompt.scored(name)] == ["no\nrth", "north"]

    @pytest.mark.parametrize("row", ['20,40,"north,true\n', '20,40,north,"true\n', '20,40,north,"true'])
    def test_08_unclosed_quote(self, prompt: Any, row: str) -> None:
        name = prompt.write("in.csv", HEADER + ROW + row)
        prompt.both_refuse(
            name, message="in.csv: line 3: a quote is opened and never closed; close it or double it"
        )

    @pytest.mark.parametrize(
        ("row", "fields"), [("1,2\n", "2 fields"), ("1\n", "1 field"), ("1,2,3,4,5\n", "5 fields")]
    )
    def test_09_ragged_row(self, prompt: Any, row: str, fields: str) -> None:
        name = prompt.write("in.csv", HEADER + '20,40,"no\nrth",true\n\n' + row + ROW)
        prompt.both_refuse(
            name,
            message=f"in.csv: row 2 (line 5) has {fields} where the header has 4; mend or remove this row, "
            "or name the delimiter with --delimiter if it is not ','",
        )

    @pytest.mark.parametrize(
        "page", ["<!DOCTYPE html>\n<html>404</html>", "\n <HTML><body>", "<?xml version='1.0'?>"]
    )
    def test_10_web_page(self, prompt: Any, page: str) -> None:
        prompt.both_refuse(
            prompt.write("in.csv", page),
            message="in.csv: this is an HTML or XML page, not a table; was it saved from a failed download?",
        )

    def test_11_cut_gzip(self, prompt: Any) -> None:
        packed = gzip.compress(Path("normal.csv").read_bytes())
        prompt.both_refuse(
            prompt.write("in.csv.gz", packed[: len(packed) // 2]),
            message="in.csv.gz: cannot be read: Truncated compressed stream",
        )

    def test_workbook(self, prompt: Any) -> None:
        prompt.both_refuse(
            prompt.write("in.csv", b"PK\x03\x04" + bytes(100)),
            message="in.csv: a ZIP archive or an Excel workbook, which cannot be read; "
            "unpack it or save it as CSV or Parquet",
        )


class TestCells:
    @pytest.mark.parametrize("text", ["n/a?", "--"])
    def test_12_bad_cell_far_down(self, prompt: Any, text: str) -> None:
        prompt.write("in.csv", "a,b\n" + "1.5,2\n2.5,3\n" * 100_000 + f"{text},3\n")
        prompt.train_refuses(
            "in.csv",
            message=f"in.csv: row 200001 (line 200002), column 'a': '{text}' is not a number; mend it, give "
            f"--na-values '{text}' if it means 'missing', or --role a=categorical if the column holds codes",
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
            message="b.csv: row 21 (line 22), column 'temp': 'oops' is not a number; mend it, give "
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
            "score a file with the same columns, or train anew",
        )

    def test_19_extra_column(self, prompt: Any, normal: pd.DataFrame) -> None:
        expected = results(prompt.scored("normal.csv"))
        normal.assign(note="hello").to_csv("in.csv", index=False)
        assert prompt.summary("in.csv")["warnings"] == [
            "in.csv: column 'note' is not known to the model and ignored"
        ]
        rows = prompt.scored("in.csv")
        assert results(rows) == expected
        assert rows[0]["note"] == "hello"

    def test_19_reordered_columns(self, prompt: Any, normal: pd.DataFrame) -> None:
        expected = results(prompt.scored("normal.csv"))
        normal[["open", "site", "load", "temp"]].to_csv("in.csv", index=False)
        assert results(prompt.scored("in.csv")) == expected

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
        expected = results(prompt.scored("normal.csv"))
        frame = pd.read_csv("normal.csv")
        frame.to_parquet("normal.parquet")
        frame.to_feather("normal.feather")
        frame.to_json("normal.jsonl", orient="records", lines=True)
        frame.to_csv("normal.tsv", sep="\t", index=False)
        for suffix in ("parquet", "feather", "jsonl", "tsv"):
            assert results(prompt.scored(f"normal.{suffix}")) == expected, suffix


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "in.parquet: the file is empty"),
            (b"PAR", "in.parquet: not a Parquet file; it starts with 'PAR'"),
            (HEADER.encode(), "in.parquet: not a Parquet file; it starts with 'temp,loa'"),
        ],
    )
    def test_22_not_parquet(self, prompt: Any, content: bytes, message: str) -> None:
        prompt.both_refuse(prompt.write("in.parquet", content), message=message)

    def test_22_cut_parquet(self, prompt: Any) -> None:
        parquet.write_table(pa.table({"x": [1, 2]}), "in.parquet")
        prompt.write("in.parquet", Path("in.parquet").read_bytes()[:-20])
        prompt.both_refuse(
            "in.parquet",
            message="in.parquet: cannot be read: Parquet magic bytes not found in footer. "
            "Either the file is corrupted or this is not a parquet file.",
        )

    @pytest.mark.parametrize("target", ["out.csv", "out/"])
    def test_24_one_bad_file_among_good_ones(self, prompt: Any, target: str) -> None:
        prompt.write("bad.csv", "<html>")
        result = prompt.score("normal.csv", "bad.csv", output=target)
        assert result.exit_code == 6
        message = "bad.csv: this is an HTML or XML page, not a table; was it saved from a failed download?"
        assert result.stderr == f"error: {message}\n"
        written = pd.read_csv("out.csv" if target == "out.csv" else "out/normal.csv")
        assert len(written) == 200
        assert not Path("out/bad.csv").exists()

    def test_24_all_files_bad(self, prompt: Any) -> None:
        prompt.write("bad.csv", "")
        prompt.write("worse.csv", "")
        prompt.score_refuses(
            "bad.csv",
            "worse.csv",
            message="none of 2 inputs can be used: bad.csv: the file is empty; worse.csv: the file is empty",
        )

    def test_hive_partitions_are_columns(self, prompt: Any, normal: pd.DataFrame) -> None:
        for site, rows in normal.groupby("site"):
            rows.drop(columns="site").to_csv(prompt.write(f"data/site={site}/part.csv", ""), index=False)
        assert prompt.roles("data")["site"] == "categorical"
        assert prompt.summary("data")["rows"] == 200

    def test_stdin(self, prompt: Any) -> None:
        content = Path("normal.csv").read_bytes()
        assert prompt.train("-", stdin=content).exit_code == 0
        result = prompt.score("-", model="new.aed", stdin=content)
        assert result.stdout.startswith("<stdin>: 200 rows, ")

    def test_file_uri(self, prompt: Any) -> None:
        assert len(prompt.scored(Path("normal.csv").resolve().as_uri())) == 200

    def test_same_file_twice_is_one_input(self, prompt: Any) -> None:
        assert prompt.summary("normal.csv", "./normal.csv")["rows"] == 200


class TestOptions:
    def test_roles_by_hand(self, prompt: Any) -> None:
        roles = prompt.roles("normal.csv", "--role", "open=categorical", "--id", "site", "--exclude", "load")
        assert roles == {"temp": "numeric", "load": "ignored", "site": "id", "open": "categorical"}

    def test_columns(self, prompt: Any) -> None:
        assert prompt.roles("normal.csv", "--columns", "temp,load") == {
            "temp": "numeric", "load": "numeric", "site": "ignored", "open": "ignored",
        }  # fmt: skip

    def test_labelled_anomalies_are_left_out(self, prompt: Any, normal: pd.DataFrame) -> None:
        normal.assign(state=["bad"] * 5 + ["good"] * 195).to_csv("in.csv", index=False)
        result = prompt.train("in.csv", "--label", "state", "--positive", "bad", "--json")
        trained = json.loads(result.stdout)
        assert (trained["rows"], trained["rows_left_out"]["labelled"]) == (195, 5)

    def test_label_that_is_no_truth_value(self, prompt: Any, normal: pd.DataFrame) -> None:
        normal.assign(state=["0"] * 5 + ["good"] * 195).to_csv("in.csv", index=False)
        prompt.train_refuses(
            "in.csv",
            "--label",
            "state",
            message="in.csv: row 6 (line 7), column 'state': 'good' is no truth value; "
            "say with --positive which value marks an anomaly",
        )

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--columns", "tmp"),
            ("--exclude", "tmp"),
            ("--id", "tmp"),
            ("--label", "tmp"),
            ("--role", "tmp=id"),
        ],
    )
    def test_unknown_column_is_wrong_use(self, prompt: Any, arguments: tuple[str, str]) -> None:
        result = prompt.train("normal.csv", *arguments)
        assert result.exit_code == 2
        assert (
            f"{arguments[0]}: no column named 'tmp' in the data; there are: temp, load, site, open"
            in result.stderr
        )


class TestHostileText:
    NAMES = (
        "[red]x[/foo]",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "\x1b[31mred",
        "n" * 5000,
        ":smile:",
    )

    @pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
    def test_31_column_names(self, prompt: Any, normal: pd.DataFrame, name: str) -> None:
        normal.rename(columns={"temp": name}).to_csv("in.csv", index=False)
        result = prompt.train("in.csv")
        assert result.exit_code == 0
        assert "\x1b" not in result.stdout + result.stderr
        assert name[:20].replace("\x1b", "\\x1b") in result.stdout
        assert next(iter(prompt.scored("in.csv", model="new.aed")[0])) == name

    @pytest.mark.parametrize("value", NAMES, ids=range(len(NAMES)))
    def test_31_values(self, prompt: Any, value: str) -> None:
        prompt.write(
            "in.csv", HEADER + ROW + ROW.replace("north", f'"{value}"') + ROW.replace("40", f'"{value}"')
        )
        result = prompt.score("in.csv")
        assert result.exit_code == 0
        assert "\x1b" not in result.stdout + result.stderr
        assert prompt.scored("in.csv")[1]["site"] == value

    def test_31_file_name(self, prompt: Any) -> None:
        prompt.score_refuses(
            prompt.write("[red]\x1b[31m.csv", ""), message="[red]\\x1b[31m.csv: the file is empty"
        )
