"""The faults and bad inputs that are survived: what is tried, how each ends, and what else must hold.

Numbered as in the list of RELIABILITY.md. Kills, full disks, signals and fuzzing are not tabular: they have
tests of their own beside this table.
"""

from __future__ import annotations

import gzip
import os
import pickle  # noqa: TID251 - a pickle is what must not be run
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from faults.kit import (
    BOTH,
    HEADER,
    ROW,
    SCORE,
    TRAIN,
    Check,
    Fault,
    Files,
    column,
    flagged,
    normal,
    roles,
    rows,
    same_rows,
    same_scores,
    says,
    warns,
    written,
)  # fmt: skip
from pyarrow import parquet
from support.prompt import Prompt, Result
from support.tables import tiny_frame

import aedetect
from aedetect.scoring.model_file import FORMAT_VERSION, pack, read_model_file

# --- ways to make files


def like_normal(change: Callable[[bytes], bytes], name: str = "in.csv") -> Files:
    """normal.csv, changed."""

    def make(prompt: Prompt) -> None:
        prompt.write(name, change(Path("normal.csv").read_bytes()))

    return make


def from_normal(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Files:
    """The rows of normal.csv, changed."""

    def make(_: Prompt) -> None:
        change(normal()).to_csv("in.csv", index=False)

    return make


def learn(prompt: Prompt, *words: str) -> None:
    result = prompt(*TRAIN, *words)
    assert result.exit_code == 0, result.stderr


def learned(files: Files, *words: str) -> Files:
    """The files, and new.aed trained on them."""

    def make(prompt: Prompt) -> None:
        assert callable(files)
        files(prompt)
        learn(prompt, *words)

    return make


def typed(**columns: Any) -> Files:
    """in.parquet with these columns."""

    def make(_: Prompt) -> None:
        parquet.write_table(pa.table(columns), "in.parquet")

    return make


def bad_model(change: Callable[[bytes], bytes]) -> Files:
    return lambda prompt: void(prompt.write("bad.aed", change(Path("tiny.aed").read_bytes())))


def void(*_: object) -> None:
    """For an expression that stands for its effects."""


def swapped(*pairs: tuple[str, str]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        for old, new in pairs:
            data = data.replace(old.encode(), new.encode())
        return data

    return change


# --- texts that stand in several rows

PAGE = "this is an HTML or XML page, not a table; was it saved from a failed download?"
NAME_ENCODING = "name its encoding with --encoding, e.g. --encoding"
NAME_DELIMITER = "repair or remove this row, or name the delimiter with --delimiter if it is not ','"
TYPE_CHANGED = (
    "no cell can be read as numeric, as it was in training (the first is in row 1 (line 2)); "
    "has its type changed?"
)
UTF_16 = ("utf-16", "utf-16-le", "utf-16-be")

# --- 1, 2, 23: nothing to read

NOTHING = [
    *(Fault(1, title, {"in.csv": content}, BOTH, "in.csv", 3, f"in.csv: {said}")
      for title, content, said in (
          ("empty file", "", "the file is empty"),
          ("empty lines only", "\n\n", "the file is empty"),
          ("byte-order mark only", "\ufeff", "the file is empty"),
          ("header only", HEADER, "holds no rows"),
          ("zero bytes only", bytes(5000),
           "holds nothing but zero bytes; was it cut off by a crash or a full disk?"),
      )),
    Fault(2, "one row", {"in.csv": HEADER + ROW}, (TRAIN,), "in.csv", 3,
          "in.csv: 1 usable row; training needs at least 8"),
    Fault(2, "one row", {"in.csv": HEADER + ROW}, (SCORE,), "in.csv", 0, holds=rows(1)),
    Fault(23, "folder without data", {"folder/notes.txt": "hello"}, BOTH, "folder", 3,
          "folder: no data file in this directory "
          "(looked for .csv, .tsv, .parquet, .pq, .arrow, .feather, .jsonl, .ndjson); "
          "1 file left out, whose name says no format of data: notes.txt; name it to have it read"),
    Fault(23, "glob without match", {}, BOTH, "2024-*.csv", 3, "2024-*.csv: no file matches this pattern"),
    Fault(0, "missing file", {}, BOTH, "gone.csv", 3, "gone.csv: no such file or directory"),
    Fault(0, "missing file with another's name nearly", {}, BOTH, "nromal.csv", 3,
          "nromal.csv: no such file or directory; did you mean 'normal.csv'?"),
    Fault(0, "empty standard input", {}, (SCORE,), "-", 3, "<stdin>: the file is empty"),
    Fault(0, "pipe as input", lambda _: os.mkfifo("in.csv"), BOTH, "in.csv", 3,
          "in.csv: is no regular file; pipe what it holds to standard input, and name -"),
]  # fmt: skip

# --- 3 to 11: text


def latin_1(text: str) -> bytes:
    return text.encode("latin-1")


CHANGED_TEXT: dict[str, Callable[[bytes], bytes]] = {
    "byte-order mark": lambda text: b"\xef\xbb\xbf" + text,
    "CRLF": swapped(("\n", "\r\n")),
    "CR": swapped(("\n", "\r")),
    "no newline at the end": lambda text: text.rstrip(b"\n"),
}
RAGGED = HEADER + '20,40,"no\nrth",true\n\n'

TEXT = [
    Fault(3, "name twice in the header", {"in.csv": "temp,load,temp\n1,2,3\n"}, BOTH, "in.csv", 3,
          "in.csv: the column name 'temp' appears twice in the header; rename one"),
    *(Fault(4, title, like_normal(change), (SCORE,), "in.csv", 0, holds=same_scores)
      for title, change in CHANGED_TEXT.items()),
    *(Fault(5, encoding, {"in.csv": (HEADER + ROW).encode(encoding)}, BOTH, "in.csv", 3,
            f"in.csv: the file is UTF-16, not UTF-8; convert it, or give --encoding {encoding}")
      for encoding in UTF_16),
    *(Fault(5, f"{encoding} asked for",
            like_normal(lambda text, encoding=encoding: text.decode().encode(encoding)),
            (SCORE,), f"in.csv --encoding {encoding}", 0, holds=same_scores)
      for encoding in UTF_16),
    Fault(5, "utf-16 that is none", {"in.csv": HEADER + ROW}, BOTH, "in.csv --encoding utf-16", 3,
          f"in.csv: not utf-16 text (UTF-16 stream does not start with BOM); {NAME_ENCODING} utf-16-le"),
    Fault(0, "latin-1", {"in.csv": latin_1(HEADER + ROW + ROW.replace("north", "Köln"))}, BOTH, "in.csv", 3,
          f"in.csv: row 2 (line 3), column 'site': not UTF-8 text; {NAME_ENCODING} cp1252"),
    Fault(0, "latin-1 header", {"in.csv": latin_1("größe,b\n1,2\n")}, BOTH, "in.csv", 3,
          f"in.csv: the header is not UTF-8 text; {NAME_ENCODING} cp1252"),
    Fault(0, "latin-1 asked for", {"in.csv": latin_1(HEADER + ROW.replace("north", "Köln"))}, (SCORE,),
          "in.csv --encoding latin-1", 0, holds=column("site", "Köln")),
    # What is advised suits a spreadsheet's euro signs as well, which Latin-1 has no place for.
    Fault(0, "cp1252 asked for", {"in.csv": (HEADER + ROW.replace("north", "5 €")).encode("cp1252")},
          (SCORE,), "in.csv --encoding cp1252", 0, holds=column("site", "5 €")),
    *(Fault(6, f"delimiter {mark!r}", like_normal(swapped((",", mark))), (SCORE,), "in.csv", 0,
            holds=same_scores)
      for mark in (";", "\t", "|")),
    Fault(6, "unusual delimiter", like_normal(swapped((",", "^"))), (SCORE,), "in.csv --delimiter ^", 0,
          holds=same_scores),
    Fault(6, "other delimiter below the header", {"in.csv": "a,b\n1;2\n"}, (TRAIN,), "in.csv", 3,
          f"in.csv: row 1 (line 2) has 1 field where the header has 2; {NAME_DELIMITER}"),
    Fault(7, "decimal comma", {"in.csv": "a;b\n" + "1,5;x\n2,5;y\n" * 10}, (TRAIN,), "in.csv", 3,
          "in.csv: row 1 (line 2), column 'a': '1,5' seems to have a decimal comma; "
          "give --decimal , to read it so, or --role a=categorical if it is no number"),
    Fault(7, "decimal comma asked for", like_normal(swapped((",", ";"), (".", ","))), (TRAIN,),
          "in.csv --decimal , --json", 0, holds=roles(temp="numeric")),
    Fault(7, "decimal comma remembered by the model",
          learned(like_normal(swapped((",", ";"), (".", ","))), "in.csv", "--decimal", ","),
          (SCORE,), "in.csv -m new.aed --json", 0, holds=says(unscorable=0)),
    Fault(0, "thousands marks are read and said", {"in.csv": "a;b\n" + "3,340;x\n799;y\n" * 10}, (TRAIN,),
          "in.csv --json", 0, holds=warns("column 'a': '3,340' is read as 3340", only=False)),
    Fault(0, "thousands or decimals", {"in.csv": "a;b\n" + "3,340;x\n1113;y\n" * 10}, (TRAIN,), "in.csv", 3,
          "in.csv: column 'a': '3,340' may be 3340 (--thousands ,) or 3.340 (--decimal ,); "
          "give one of them, or --role a=categorical if it is no number"),
    Fault(0, "thousands asked for", {"in.csv": "a;b\n" + "3,340;x\n1113;y\n" * 10}, (TRAIN,),
          "in.csv --thousands , --json", 0, holds=roles(a="numeric")),
    Fault(0, "numbers with units", {"in.csv": "a,b\n" + "12.5 kWh,$3\n7 kWh,$4.50\n" * 10}, (TRAIN,),
          "in.csv --json", 0, holds=roles(a="numeric", b="numeric")),
    Fault(0, "written numbers remembered by the model",
          learned(lambda prompt: prompt.write("in.csv", "a,b\n" + "12.5%,$3\n7%,$4.50\n3%,$2\n" * 10),
                  "in.csv"),
          (SCORE,), "in.csv -m new.aed --json", 0, holds=says(unscorable=0)),
    Fault(0, "a typed file of text alone is read as text files are",
          lambda prompt: parquet.write_table(
              pa.table({"a": ["1.5", "2"] * 100, "b": ["x", "y"] * 100,
                        "c": [f"{7 * n % 200}.5" for n in range(200)]}),
              "in.parquet"),
          (TRAIN,), "in.parquet --json", 0, holds=roles(a="numeric", b="categorical", c="numeric")),
    Fault(8, "quoted newline", {"in.csv": HEADER + '20,40,"no\nrth",true\n' + ROW}, (SCORE,), "in.csv", 0,
          holds=column("site", "no\nrth", "north")),
    *(Fault(8, f"unclosed quote {place}", {"in.csv": HEADER + ROW + row}, BOTH, "in.csv", 3,
            "in.csv: line 3: a quote is opened and never closed; close it or double it")
      for place, row in (("in a row", '20,40,"north,true\n'), ("in the last cell", '20,40,north,"true\n'),
                         ("at the end", '20,40,north,"true'))),
    *(Fault(9, f"row with {fields}", {"in.csv": RAGGED + row + ROW}, BOTH, "in.csv", 3,
            f"in.csv: row 2 (line 5) has {fields} where the header has 4; {NAME_DELIMITER}")
      for row, fields in (("1,2\n", "2 fields"), ("1\n", "1 field"), ("1,2,3,4,5\n", "5 fields"))),
    *(Fault(10, title, {"in.csv": page}, BOTH, "in.csv", 3, f"in.csv: {PAGE}")
      for title, page in (("HTML page", "<!DOCTYPE html>\n<html>404</html>"),
                          ("HTML without a type", "\n <HTML><body>"), ("XML", "<?xml version='1.0'?>"))),
    Fault(10, "line without end", {"in.csv": b"a" * (9 << 20)}, (TRAIN,), "in.csv", 3,
          "in.csv: cannot be read: a row is longer than 4 MiB"),
    Fault(0, "row longer than the reader holds",
          {"in.csv": HEADER + "20,40," + "x" * (9 << 20) + ",true\n"}, (SCORE,), "in.csv", 3,
          "in.csv: cannot be read: a row is longer than 4 MiB"),
    Fault(11, "gzip named .csv", like_normal(gzip.compress), (SCORE,), "in.csv", 0, holds=same_rows),
    Fault(11, "cut gzip", like_normal(lambda text: gzip.compress(text)[: len(gzip.compress(text)) // 2],
                                      "in.csv.gz"), BOTH, "in.csv.gz", 3,
          "in.csv.gz: cannot be read: Truncated compressed stream"),
    Fault(0, "workbook", {"in.csv": b"PK\x03\x04" + bytes(100)}, BOTH, "in.csv", 3,
          "in.csv: a ZIP archive, which cannot be read; unpack it first: unzip"),
    *(Fault(0, f"unknown encoding {encoding}", {}, (SCORE,), f"normal.csv --encoding {encoding}", 2,
            f"--encoding {encoding}: not known; try utf-8, latin-1, cp1252 or utf-16")
      for encoding in ("klingon", "hex", "idna", "undefined")),
    Fault(0, "empty lines between rows of several columns", {"in.csv": HEADER + ROW + "\n"}, (SCORE,),
          "in.csv --json", 0, holds=says(rows=1)),
]  # fmt: skip

# --- 12 to 14, 17, 18: cells

UNREADABLE = HEADER + ROW + "20,n/a?,north,true\n" + ROW


def with_bad_cells(prompt: Prompt) -> None:
    prompt.write("in.csv", HEADER + ROW * 20 + "21,--,south,false\n" * 3 + "22,41,south,false\n" * 20)


def with_constants(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(unit="C", level="5", sure="True")


def moved(name: str, value: str) -> Files:
    """A model that knows constant columns, of which one has moved in the first row."""

    def make(prompt: Prompt) -> None:
        frame = with_constants(normal())
        frame.to_csv("in.csv", index=False)
        learn(prompt, "in.csv")
        frame.loc[0, name] = value
        frame.to_csv("in.csv", index=False)

    return make


def with_infinite(text: str) -> Files:
    return like_normal(lambda rows: rows + f"{text},40,north,true\n".encode())


def left_out_as_infinite(_: Prompt, result: Result) -> None:
    trained = result.json()
    assert (trained["rows"], trained["rows_left_out"]) == (200, {"labelled": 0, "infinite": 1, "empty": 0})
    assert (
        "left out of training: 1 row with a number that is infinite or beyond 3.4e38; "
        "it is row 201 (line 202) of in.csv" in trained["warnings"]
    )


def with_codes(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(code=["01", "A1"] * 100, zip=["01234", "98765"] * 100)


def other_codes(prompt: Prompt) -> None:
    with_codes(normal()).to_csv("in.csv", index=False)
    learn(prompt, "in.csv")
    normal().assign(code="1", zip="01234").to_csv("in.csv", index=False)


def big_integers(prompt: Prompt) -> None:
    frame = pd.read_csv("normal.csv")
    big = pa.array([2**53 + 1, None] * 100, pa.int64())
    parquet.write_table(pa.Table.from_pandas(frame).append_column("big", big), "in.parquet")
    learn(prompt, "in.parquet")


def many_codes(_: Prompt) -> None:
    codes = [f"c{number}" for number in range(1_500)] * 3
    pd.DataFrame({"code": codes, "x": np.arange(4_500) % 7}).to_csv("in.csv", index=False)


def unscorable_row_is_given_back(_: Prompt, __: Result) -> None:
    row = written()[1]
    assert (row["load"], row["anomaly_score"], row["is_anomaly"], row["anomaly_status"]) == (
        "n/a?", "", "", "unscorable",
    )  # fmt: skip


def one_column(prompt: Prompt) -> None:
    tiny_frame(200)[["temp"]].to_csv("one.csv", index=False)
    learn(prompt, "one.csv")
    prompt.write("in.csv", "temp\n20\n\n21\n\n")


INFINITE = ("inf", "-inf", "Infinity", "1e300", "1e400", "-1E400")

CELLS = [
    *(Fault(12, f"bad cell far down {text}",
            {"in.csv": "a,b\n" + "1.5,2\n2.5,3\n" * 100_000 + f"{text},3\n"}, (TRAIN,), "in.csv", 3,
            f"in.csv: row 200001 (line 200002), column 'a': '{text}' is not a number; repair it, give "
            f"--na-values '{text}' if it means 'missing', or --role a=categorical if the column holds codes")
      for text in ("n/a?", "--")),
    Fault(12, "bad cell named as missing", with_bad_cells, (TRAIN,), "in.csv --na-values -- --json", 0,
          holds=roles(load="numeric")),
    Fault(12, "bad cell remembered as missing",
          learned(with_bad_cells, "in.csv", "--na-values", "--"), (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(unscorable=0)),
    Fault(12, "bad cell is counted", {"in.csv": UNREADABLE}, (SCORE,), "in.csv --json", 0,
          holds=says(rows=3, unscorable=1, warnings=[
              "in.csv: column 'load': 1 cell cannot be read as numeric, the first in row 2 (line 3); "
              "this row is unscorable"])),
    Fault(12, "bad cell is given back", {"in.csv": UNREADABLE}, (SCORE,), "in.csv", 0,
          holds=unscorable_row_is_given_back),
    Fault(12, "bad cell in the second file", {"b.csv": HEADER + ROW * 20 + "oops,40,north,true\n"}, (TRAIN,),
          "normal.csv b.csv", 3,
          "b.csv: row 21 (line 22), column 'temp': 'oops' is not a number; repair it, give "
          "--na-values 'oops' if it means 'missing', or --role temp=categorical if the column holds codes"),
    Fault(12, "one readable cell is enough", {"in.csv": HEADER + ROW.replace("20", "?") + ROW}, (SCORE,),
          "in.csv", 0, holds=column("anomaly_status", "unscorable", "ok")),
    Fault(0, "empty lines of one column are counted as rows", one_column, (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(rows=4, normal=2, unscorable=2)),
    Fault(0, "empty lines of one column are written as rows", one_column, (SCORE,), "in.csv -m new.aed", 0,
          holds=column("anomaly_status", "ok", "unscorable", "ok", "unscorable")),
    Fault(13, "missing and constant columns",
          from_normal(lambda frame: with_constants(frame.assign(gap=""))), (TRAIN,), "in.csv -q --json", 0,
          holds=warns(
              "column 'gap' is left out: every value is missing",
              "column 'unit' is left out: always C; a change will be noticed",
              "column 'level' is left out: always 5; a change will be noticed",
              "column 'sure' is left out: always True; a change will be noticed", only=False)),
    *(Fault(13, f"constant {name} becomes {value or 'missing'}", moved(name, value), (SCORE,),
            "in.csv -m new.aed", 0, holds=flagged(0, by=name))
      for name, value in (("unit", "F"), ("level", "6"), ("sure", "False"), ("unit", ""))),
    *(Fault(14, f"{text} left out", with_infinite(text), (TRAIN,), "in.csv --json", 0,
            holds=left_out_as_infinite)
      for text in INFINITE),
    *(Fault(14, f"{text} flagged", learned(with_infinite(text), "in.csv"), (SCORE,), "in.csv -m new.aed", 0,
            holds=flagged(-1))
      for text in INFINITE),
    Fault(17, "many categories are capped", many_codes, (TRAIN,), "in.csv --json", 0,
          holds=warns("column 'code': 1,500 distinct values, of which the 1,000 most frequent are kept; "
                      "the rest count as rare", only=False)),
    Fault(17, "unseen category is counted", {"in.csv": HEADER + ROW + ROW.replace("north", "atlantis")},
          (SCORE,), "in.csv --json", 0,
          holds=says(unscorable=0, warnings=[
              "in.csv: column 'site': 1 row with a rare category or one never seen: 'atlantis' in 1 row"])),
    Fault(18, "codes stay codes", from_normal(with_codes), (TRAIN,), "in.csv --json", 0,
          holds=roles(code="categorical", zip="categorical")),
    Fault(18, "codes are compared as text", other_codes, (SCORE,), "in.csv -m new.aed --json", 0,
          holds=warns("in.csv: column 'code': 200 rows with a rare category or one never seen: "
                      "'1' in 200 rows ('01' in another spelling?)")),
    Fault(18, "integers beyond 2^53 go out as they came", big_integers, (SCORE,), "in.parquet -m new.aed", 0,
          holds=column("big", *[str(2**53 + 1), ""] * 100)),
]  # fmt: skip

# --- 15, 16, 19: columns

NESTED: dict[str, tuple[list[Any], str]] = {
    "list": ([[1], [2]] * 50, "list<element: int64>"),
    "struct": ([{"a": 1}] * 100, "struct<a: int64>"),
    "bytes": ([b"\xff"] * 100, "binary"),
}
NUMBERS = np.random.default_rng(0).integers(0, 1000, 100).tolist()
TRUTHS = (np.random.default_rng(1).random(100) < 0.5).tolist()
TYPED = typed(
    flag=TRUTHS,
    gappy=[None if number < 300 else truth for number, truth in zip(NUMBERS, TRUTHS, strict=True)],
    price=[Decimal(37 * number % 101) / 100 for number in NUMBERS],
    kind=pa.array([f"k{number % 3}" for number in NUMBERS]).dictionary_encode(),
    nothing=pa.nulls(100),
    day=[date(2024, 1, 1) + timedelta(days=number) for number in NUMBERS],
    hour=[time(number % 24, number % 60) for number in NUMBERS],
    took=[timedelta(seconds=7 * number % 100) for number in NUMBERS],
)
WITH_NESTED = typed(
    x=np.random.default_rng(0).normal(size=100), **{name: cells for name, (cells, _) in NESTED.items()}
)


def extra_column_is_kept(prompt: Prompt, result: Result) -> None:
    same_scores(prompt, result)
    assert written()[0]["note"] == "hello"


def every_format(suffix: str) -> Files:
    def make(_: Prompt) -> None:
        frame = pd.read_csv("normal.csv")
        match suffix:
            case "parquet":
                frame.to_parquet("in.parquet")
            case "feather":
                frame.to_feather("in.feather")
            case "jsonl":
                frame.to_json("in.jsonl", orient="records", lines=True)
            case "tsv":
                frame.to_csv("in.tsv", sep="\t", index=False)

    return make


COLUMNS = [
    Fault(15, "typed columns", TYPED, (TRAIN,), "in.parquet --json", 0,
          holds=roles(flag="boolean", gappy="boolean", price="numeric", kind="categorical",
                      nothing="ignored", day="datetime", hour="numeric", took="numeric")),
    Fault(15, "typed columns", learned(TYPED, "in.parquet"), (SCORE,), "in.parquet -m new.aed --json", 0,
          holds=says(rows=100, unscorable=0)),
    Fault(16, "nested columns are left out", WITH_NESTED, (TRAIN,), "in.parquet --json", 0,
          holds=warns(*(f"column '{name}' is left out: {kind} values cannot be learned"
                        for name, (_, kind) in NESTED.items()), only=False)),
    Fault(16, "nested columns are passed on", learned(WITH_NESTED, "in.parquet"), (SCORE,),
          "in.parquet -m new.aed", 0, holds=rows(100)),
    *(Fault(16, f"{name} column asked for", WITH_NESTED, (TRAIN,), f"in.parquet --columns x,{name}", 3,
            f"in.parquet: column '{name}' holds {kind} values, which cannot be learned")
      for name, (_, kind) in NESTED.items()),
    Fault(19, "columns missing", from_normal(lambda frame: frame.drop(columns=["load", "open"])), (SCORE,),
          "in.csv", 4, "in.csv: columns 'load', 'open' are missing, which the model was trained on; "
          "score a file with the same columns, or retrain"),
    Fault(19, "extra column is told", from_normal(lambda frame: frame.assign(note="hello")), (SCORE,),
          "in.csv --json", 0, holds=warns("in.csv: column 'note' is not known to the model and ignored")),
    Fault(19, "extra column is kept", from_normal(lambda frame: frame.assign(note="hello")), (SCORE,),
          "in.csv", 0, holds=extra_column_is_kept),
    Fault(19, "columns reordered", from_normal(lambda frame: frame[["open", "site", "load", "temp"]]),
          (SCORE,), "in.csv", 0, holds=same_scores),
    Fault(19, "type changed in text", {"in.csv": HEADER + "warm,40,north,true\ncold,40,north,true\n"},
          (SCORE,), "in.csv", 3, f"in.csv: column 'temp': {TYPE_CHANGED}"),
    Fault(19, "type changed in the only row", {"in.csv": HEADER + "?,40,north,true\n"}, (SCORE,), "in.csv",
          3, f"in.csv: column 'temp': {TYPE_CHANGED}"),
    Fault(19, "type changed to a list", typed(temp=[1.0], load=[2.0], site=[["north"]], open=[True]),
          (SCORE,), "in.parquet", 3,
          "in.parquet: column 'site' holds list<element: string> values, which cannot be read as "
          "categorical, as it was in training; has its type changed?"),
    *(Fault(0, f"same scores from {suffix}", every_format(suffix), (SCORE,), f"in.{suffix}", 0,
            holds=same_scores)
      for suffix in ("parquet", "feather", "jsonl", "tsv")),
]  # fmt: skip

# --- 22, 24: files


def cut_parquet(prompt: Prompt) -> None:
    parquet.write_table(pa.table({"x": [1, 2]}), "in.parquet")
    prompt.write("in.parquet", Path("in.parquet").read_bytes()[:-20])


def partitions(prompt: Prompt) -> None:
    for site, part in normal().groupby("site"):
        part.drop(columns="site").to_csv(prompt.write(f"data/site={site}/part.csv", ""), index=False)


def with_a_pipe(prompt: Prompt) -> None:
    prompt.write("in/a.csv", Path("normal.csv").read_bytes())
    os.mkfifo("in/pipe.csv")


def the_others_are_scored(path: str) -> Check:
    def check(_: Prompt, __: Result) -> None:
        assert len(written(path)) == 200
        assert not Path("out/bad.csv").exists()

    return check


def only_a_csv(_: Prompt, result: Result) -> None:
    assert [Path(entry["path"]).name for entry in result.json()["files"]] == ["a.csv"]


FILES = [
    *(Fault(22, title, {"in.parquet": content}, BOTH, "in.parquet", 3, f"in.parquet: {said}")
      for title, content, said in (
          ("zero-byte Parquet", b"", "the file is empty"),
          ("start of Parquet", b"PAR",
           "not a Parquet file; it starts with 'PAR'; if it is a text file, give --format csv"),
          ("CSV as Parquet", HEADER,
           "not a Parquet file; it starts with 'temp,loa'; if it is a text file, give --format csv"))),
    Fault(22, "cut Parquet", cut_parquet, BOTH, "in.parquet", 3,
          "in.parquet: cannot be read: Parquet magic bytes not found in footer. "
          "Either the file is corrupted or this is not a parquet file."),
    Fault(24, "bad file among good ones", {"bad.csv": "<html>"}, (SCORE,), "normal.csv bad.csv", 6,
          f"bad.csv: {PAGE}", holds=the_others_are_scored("out.csv")),
    Fault(24, "bad file among good ones to a folder", {"bad.csv": "<html>"}, (SCORE,),
          "normal.csv bad.csv -o out/", 6, f"bad.csv: {PAGE}",
          holds=the_others_are_scored("out/normal.csv")),
    Fault(24, "missing file among good ones", {}, (SCORE,), "normal.csv none.csv -o out/", 6,
          "none.csv: cannot be read: No such file or directory"),
    Fault(24, "all files bad", {"bad.csv": "", "worse.csv": ""}, (SCORE,), "bad.csv worse.csv", 3,
          "none of 2 inputs can be used: bad.csv: the file is empty; worse.csv: the file is empty"),
    Fault(0, "Hive partitions are columns", partitions, (TRAIN,), "data --json", 0,
          holds=roles(site="categorical")),
    Fault(0, "Hive partitions are scored", learned(partitions, "data"), (SCORE,), "data --json", 0,
          holds=says(rows=200)),
    Fault(0, "same file twice is one input", {}, (SCORE,), "normal.csv ./normal.csv --json", 0,
          holds=says(rows=200)),
    Fault(0, "pipe in a folder", with_a_pipe, (SCORE,), "in --json", 0, holds=only_a_csv),
    Fault(0, "pipe that a glob matches", with_a_pipe, (SCORE,), "in/*.csv --json", 0, holds=only_a_csv),
]  # fmt: skip

# --- 25, 26: outputs

CLASH = "would replace an input, an output, the model or the state file; name another"
COPIES = like_normal(lambda text: text, "in/a.csv")


def still_a_device(_: Prompt, __: Result) -> None:
    assert Path("/dev/full").is_char_device()


OUTPUTS = [
    Fault(25, "output without a folder", {}, BOTH, "normal.csv -o missing/x.csv", 5,
          "missing/x.csv: cannot be written: its folder does not exist; create it first"),
    Fault(25, "output below a file", lambda prompt: void(prompt.write("file", "")), BOTH,
          "normal.csv -o file/x.csv", 5,
          lambda prompt: f"file/x.csv: cannot be written: {prompt.folder}/file is not a folder"),
    Fault(25, "output is looked at before the input and the model", {"bad.csv": "<html>", "bad.aed": ""},
          (SCORE,), "bad.csv -m bad.aed -o missing/x.csv", 5,
          "missing/x.csv: cannot be written: its folder does not exist; create it first"),
    Fault(25, "output is looked at before the input", {"bad.csv": "<html>"}, (TRAIN,),
          "bad.csv -o missing/x.aed", 5,
          "missing/x.aed: cannot be written: its folder does not exist; create it first"),
    Fault(25, "output is an input", {}, (SCORE,), "normal.csv -o normal.csv", 2,
          "normal.csv: the output is also an input; choose another name"),
    Fault(25, "model is an input", {}, (TRAIN,), "normal.csv -o normal.csv", 2,
          "normal.csv: the model would overwrite an input; choose another name"),
    *(Fault(25, f"{option} replaces {what}", COPIES, (SCORE,),
            f"{inputs} {option} {path} --new-only --state s.db", 2, f"{path}: {option} {CLASH}")
      for option in ("--summary", "--metrics")
      for what, path, inputs in (
          ("the model", "tiny.aed", "normal.csv"), ("an input", "normal.csv", "normal.csv"),
          ("a file of a folder", "in/a.csv", "in"),
          ("an input beside an empty glob", "normal.csv", "normal.csv nothing*.csv"),
          ("the output", "out.csv", "normal.csv"), ("the state file", "s.db", "normal.csv"))),
    *(Fault(0, f"{option} to stdout", {}, (SCORE,), f"normal.csv {option} -", 2,
            f"{option} -: this goes to a file, not to stdout, which --json is for")
      for option in ("--summary", "--metrics")),
    Fault(26, "full device", {}, BOTH, "normal.csv -q -o /dev/full", 5,
          "/dev/full: cannot be written: no space left on the device",
          holds=still_a_device),
]  # fmt: skip

# --- 30: models

NOT_ONE = "not an aedetect model file, or cut short"
DAMAGED = "the model file is damaged (its digest does not match); restore it or retrain"


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> object:
        return (open, ("executed", "w"))


def repacked(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """The model with other tensors, packed as the program does."""

    def repack(_: bytes) -> bytes:
        manifest, tensors, _ = read_model_file("tiny.aed")
        change(tensors)
        return pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors)

    return repack


def first_weight(tensors: dict[str, Any]) -> str:
    return min(name for name in tensors if name.startswith("members."))


def a_weight() -> str:
    return first_weight(read_model_file("tiny.aed")[1])


def spoil_weight(tensors: dict[str, Any]) -> None:
    tensors[first_weight(tensors)] = np.full_like(tensors[first_weight(tensors)], np.nan)


def cut_reference(tensors: dict[str, Any]) -> None:
    tensors["drift.counts"] = tensors["drift.counts"][:-1]


SCORE_BAD, INSPECT_BAD = (*SCORE, "normal.csv", "-m"), ("inspect",)
BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "not an aedetect model file (too short)"),
    "cut in the header": (lambda data: data[:500], NOT_ONE),
    "cut at the end": (lambda data: data[:-1], DAMAGED),
    "one byte flipped": (lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:], DAMAGED),
    "a CSV": (lambda _: b"temp,load\n1,2\n", NOT_ONE),
    "a pickle": (lambda _: pickle.dumps(Bomb()) + b" " * 100, NOT_ONE),
    "a newer format": (
        lambda data: data.replace(
            rb"\"format_version\":%d" % FORMAT_VERSION, rb"\"format_version\":9", 1
        ),
        f"format version 9, made by aedetect {aedetect.__version__}; this aedetect ({aedetect.__version__}) "
        f"reads up to version {FORMAT_VERSION}: upgrade aedetect",
    ),
}  # fmt: skip

MODELS = [
    *(Fault(30, title, bad_model(change), (SCORE_BAD, INSPECT_BAD), "bad.aed", 4, f"bad.aed: {said}")
      for title, (change, said) in BAD.items()),
    Fault(30, "NaN in a weight", bad_model(repacked(spoil_weight)), (SCORE_BAD,), "bad.aed", 4,
          lambda _: f"bad.aed: the model file is damaged (tensor {a_weight()!r} holds values that are not "
          "finite)"),
    Fault(30, "drift reference that does not fit", bad_model(repacked(cut_reference)), (SCORE_BAD,),
          "bad.aed", 4, "bad.aed: the model file is damaged (what it says of its training values does not "
          "fit its columns)"),
    *(Fault(30, "damaged file", bad_model(lambda data: data[:-1]), (command,), "bad.aed", 4,
            f"bad.aed: {DAMAGED}")
      for command in (("drift", "normal.csv", "-m"), ("calibrate", "normal.csv", "-o", "x.aed", "-m"),
                      ("train", "normal.csv", "-o", "x.aed", "--from"))),
    Fault(30, "model of other columns", {"in.csv": "temp,site,open\n1,north,true\n"}, (SCORE,), "in.csv", 4,
          "in.csv: column 'load' is missing, which the model was trained on; score a file with the same "
          "columns, or retrain"),
]  # fmt: skip

# --- 31: hostile text

HOSTILE = {
    "markup": "[red]x[/foo]",
    "script": "<script>alert(1)</script>",
    "formula": "=cmd|' /C calc'!A0",
    "escape": "\x1b[31mred",
    "long": "n" * 5000,
    "emoji code": ":smile:",
}


def shown_as_text(name: str) -> Check:
    def check(_: Prompt, result: Result) -> None:
        assert "\x1b" not in result.output
        assert name[:8].replace("\x1b", "\\x1b") in result.stdout

    return check


def first_column(name: str) -> Check:
    def check(_: Prompt, __: Result) -> None:
        assert next(iter(written()[0])) == name

    return check


def value_goes_through(value: str) -> Check:
    def check(_: Prompt, result: Result) -> None:
        assert "\x1b" not in result.output
        assert written()[1]["site"] == value

    return check


def named(name: str) -> Files:
    return from_normal(lambda frame: frame.rename(columns={"temp": name}))


TEXTS = [
    *(Fault(31, f"column named as {title}", named(name), (TRAIN,), "in.csv", 0, holds=shown_as_text(name))
      for title, name in HOSTILE.items()),
    *(Fault(31, f"column named as {title}", learned(named(name), "in.csv"), (SCORE,), "in.csv -m new.aed", 0,
            holds=first_column(name))
      for title, name in HOSTILE.items()),
    *(Fault(31, f"value of {title}",
            {"in.csv": HEADER + ROW + ROW.replace("north", f'"{value}"') + ROW.replace("40", f'"{value}"')},
            (SCORE,), "in.csv", 0, holds=value_goes_through(value))
      for title, value in HOSTILE.items()),
    Fault(31, "file name", {"[red]\x1b[31m.csv": ""}, (SCORE,), "[red]\x1b[31m.csv", 3,
          "[red]\\x1b[31m.csv: the file is empty"),
]  # fmt: skip

# --- options that name what is not there

OPTIONS = [
    Fault(0, "roles by hand", {}, (TRAIN,),
          "normal.csv --role open=categorical --id site --exclude load --json", 0,
          holds=roles(temp="numeric", load="ignored", site="id", open="categorical")),
    Fault(0, "columns", {}, (TRAIN,), "normal.csv --columns temp,load --json", 0,
          holds=roles(temp="numeric", load="numeric", site="ignored", open="ignored")),
    Fault(0, "labelled anomalies are left out",
          from_normal(lambda frame: frame.assign(state=["bad"] * 5 + ["good"] * 195)), (TRAIN,),
          "in.csv --label state --positive bad --json", 0,
          holds=says(rows=195, rows_left_out={"labelled": 5, "infinite": 0, "empty": 0})),
    Fault(0, "label that is not a boolean",
          from_normal(lambda frame: frame.assign(state=["0"] * 5 + ["good"] * 195)), (TRAIN,),
          "in.csv --label state", 3,
          "in.csv: row 6 (line 7), column 'state': 'good' is not a boolean; "
          "the labels are 'good' (195) and '0' (5); say with --positive which value marks an anomaly"),
    *(Fault(0, f"unknown column for {option}", {}, (TRAIN,), f"normal.csv {option} {value}", 2,
            f"{option}: no column named 'tmp' in the data; did you mean 'temp'? "
            "There are: temp, load, site, open")
      for option, value in (("--columns", "tmp"), ("--exclude", "tmp"), ("--id", "tmp"), ("--label", "tmp"),
                            ("--role", "tmp=id"))),
]  # fmt: skip

FAULTS: list[Fault] = [*NOTHING, *TEXT, *CELLS, *COLUMNS, *FILES, *OUTPUTS, *MODELS, *TEXTS, *OPTIONS]
