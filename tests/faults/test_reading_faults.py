"""Inputs that are no tables, or odd ones, as a user meets them at the prompt (numbers as in FAULTS.md)."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompts import HEADER, ROW, results_of


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
            name, message="in.csv: the column name 'temp' appears twice in the header; rename one"
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
        expected = results_of(prompt.scored("normal.csv"))
        prompt.write("changed.csv", changed(Path("normal.csv").read_bytes()))
        assert results_of(prompt.scored("changed.csv")) == expected

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_05_utf_16_is_named(self, prompt: Any, encoding: str) -> None:
        name = prompt.write("in.csv", (HEADER + ROW).encode(encoding))
        prompt.both_refuse(
            name, message=f"in.csv: the file is UTF-16, not UTF-8; convert it, or give --encoding {encoding}"
        )

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_05_utf_16_can_be_asked_for(self, prompt: Any, encoding: str) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        prompt.write("wide.csv", Path("normal.csv").read_text().encode(encoding))
        assert results_of(prompt.scored("wide.csv", "--encoding", encoding)) == expected

    def test_05_utf_16_that_is_none(self, prompt: Any) -> None:
        prompt.both_refuse(
            prompt.write("in.csv", HEADER + ROW),
            "--encoding",
            "utf-16",
            message="in.csv: not utf-16 text (UTF-16 stream does not start with BOM); "
            "name its encoding with --encoding, e.g. --encoding utf-16-le",
        )

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

    @pytest.mark.parametrize("encoding", ["klingon", "hex", "idna", "undefined"])
    def test_unknown_encoding_is_wrong_use(self, prompt: Any, encoding: str) -> None:
        result = prompt.score("normal.csv", "--encoding", encoding)
        assert result.exit_code == 2
        assert f"--encoding {encoding}: not known" in result.stderr

    @pytest.mark.parametrize("mark", [";", "\t", "|"])
    def test_06_other_delimiters(self, prompt: Any, mark: str) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        prompt.write("in.csv", Path("normal.csv").read_text().replace(",", mark))
        assert results_of(prompt.scored("in.csv")) == expected

    def test_06_unusual_delimiter(self, prompt: Any) -> None:
        expected = results_of(prompt.scored("normal.csv"))
        prompt.write("in.csv", Path("normal.csv").read_text().replace(",", "^"))
        assert results_of(prompt.scored("in.csv", "--delimiter", "^")) == expected

    def test_06_wrong_delimiter_suggests_the_option(self, prompt: Any) -> None:
        name = prompt.write("in.csv", "a,b\n1;2\n")
        prompt.train_refuses(
            name,
            message="in.csv: row 1 (line 2) has 1 field where the header has 2; repair or remove this row, "
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
            message=f"in.csv: row 2 (line 5) has {fields} where the header has 4; repair or remove this row, "
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
            message="in.csv: row 6 (line 7), column 'state': 'good' is not a boolean; "
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
