"""Forms of single files: what stands above, in and below the header, and files that are something else."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from faults.kit import (
    BOTH,
    HEADER,
    ROW,
    SCORE,
    TRAIN,
    Fault,
    roles,
    rows,
    same_rows,
    same_scores,
    says,
    warns,
    written,
)
from faults.table import learn, learned, like_normal, named, swapped
from pyarrow import parquet
from support.prompt import Prompt, Result

ABOVE = "give --skip-rows {} to skip what is above"
LOOKS_LIKE_DATA = (
    "looks like data, not like a header; give --no-header to read it so, or --header if these are the names "
    "of the columns"
)
UNITS = "holds units, not data; give --units-row to skip it, or --header if it is a row as others are"


def above(text: str) -> Callable[[bytes], bytes]:
    return lambda table: text.encode() + table


def without_header(table: bytes) -> bytes:
    return table.partition(b"\n")[2]


def with_units(table: bytes) -> bytes:
    return table.replace(b"\n", "\n°C,kW,,\n".encode(), 1)


def semicolons(table: bytes) -> bytes:
    return b"sep=;\n" + table.replace(b",", b";")


HEADERS = [
    Fault(0, "separator line", like_normal(semicolons), (TRAIN,), "in.csv --json", 0,
          holds=roles(temp="numeric", load="numeric", site="categorical")),
    Fault(0, "separator line", like_normal(semicolons), (SCORE,), "in.csv", 0, holds=same_scores),
    Fault(0, "separator line and a bad row", {"in.csv": "sep=;\na;b\n1;2\n3\n"}, (TRAIN,), "in.csv", 3,
          "in.csv: row 2 (line 4) has 1 field where the header has 2; repair or remove this row, or name the "
          "delimiter with --delimiter if it is not ';'"),
    Fault(0, "title above the header", like_normal(above("Report 2026\n\n")), BOTH, "in.csv", 3,
          f"in.csv: line 1 ('Report 2026') is no header: the columns begin in line 3; {ABOVE.format(2)}"),
    Fault(0, "title of a spreadsheet", like_normal(above("Report 2026,,,\n,,,\n")), BOTH, "in.csv", 3,
          f"in.csv: line 1 ('Report 2026,,,') is no header: the columns begin in line 3; {ABOVE.format(2)}"),
    Fault(0, "title skipped", like_normal(above("Report 2026\n\n")), (SCORE,), "in.csv --skip-rows 2", 0,
          holds=same_scores),
    Fault(0, "title remembered by the model",
          learned(like_normal(above("Report 2026\n\n")), "in.csv", "--skip-rows", "2"), (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(rows=200)),
    Fault(0, "title remembered is overruled",
          learned(like_normal(above("Report 2026\n\n")), "in.csv", "--skip-rows", "2"), (SCORE,),
          "normal.csv -m new.aed --json --skip-rows 0", 0, holds=says(rows=200)),
    Fault(0, "more skipped than there is", {"in.csv": HEADER + ROW}, BOTH, "in.csv --skip-rows 9", 3,
          "in.csv: holds nothing below the 9 lines that are skipped"),
    Fault(0, "comment above the header", like_normal(above("# exported by X\n")), BOTH, "in.csv", 3,
          "in.csv: line 1 ('# exported by X') is a comment, not the header; "
          "give --comment '#' to leave it out"),
    Fault(0, "comments left out",
          like_normal(lambda table: b"# by X\n" + table.replace(b"\n", b"\n# here\n")), (SCORE,),
          "in.csv --comment #", 0, holds=same_scores),
    Fault(0, "comments remembered by the model",
          learned(like_normal(above("# exported by X\n")), "in.csv", "--comment", "#"), (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(rows=200)),
    Fault(0, "comment that is no mark", {}, BOTH, ("normal.csv", "--comment", " "), 2,
          "--comment = ' ': no mark of a comment; give what such lines begin with, e.g. '#'"),
    Fault(0, "no header", like_normal(without_header), BOTH, "in.csv", 3,
          lambda _: f"in.csv: line 1 ({Path('in.csv').read_text().splitlines()[0]!r}) {LOOKS_LIKE_DATA}"),
    Fault(0, "no header but numbers", {"in.csv": "1.5,2\n2.5,3\n"}, BOTH, "in.csv", 3,
          f"in.csv: line 1 ('1.5,2') {LOOKS_LIKE_DATA}"),
    Fault(0, "no header asked for", like_normal(without_header), (TRAIN,), "in.csv --no-header --json", 0,
          holds=roles(column_1="numeric", column_2="numeric", column_3="categorical", column_4="boolean")),
    Fault(0, "no header remembered by the model",
          learned(like_normal(without_header), "in.csv", "--no-header"), (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(rows=200, unscorable=0)),
    Fault(0, "a header of numbers", {"in.csv": "2019,2020\n" + "1.5,2\n2.5,3\n3.5,9\n" * 20}, (TRAIN,),
          "in.csv --header --json", 0, holds=roles(**{"2019": "numeric", "2020": "numeric"})),
    Fault(0, "units below the header", like_normal(with_units), BOTH, "in.csv", 3,
          f"in.csv: line 2 ('°C,kW,,') {UNITS}"),
    Fault(0, "units skipped", like_normal(with_units), (SCORE,), "in.csv --units-row", 0, holds=same_rows),
    Fault(0, "units remembered by the model", learned(like_normal(with_units), "in.csv", "--units-row"),
          (SCORE,), "normal.csv -m new.aed --json", 0, holds=says(rows=200, unscorable=0)),
]  # fmt: skip

# --- JSON


def as_json(prompt: Prompt) -> None:
    prompt.write("in.json", pd.read_csv("normal.csv").to_json(orient="records", indent=2))


def packed_json(prompt: Prompt) -> None:
    prompt.write("in.json.gz", gzip.compress(pd.read_csv("normal.csv").to_json(orient="records").encode()))


def one_after_the_other(prompt: Prompt) -> None:
    rows = pd.read_csv("normal.csv").to_dict(orient="records")
    prompt.write("in.json", "\n".join(json.dumps(row, indent=2) for row in rows))


def nested(prompt: Prompt) -> None:
    rows = pd.read_csv("normal.csv").to_dict(orient="records")
    lines = [{"at": {"site": row.pop("site"), "more": {"n": 1}}, "tags": ["a"], **row} for row in rows]
    prompt.write("in.jsonl", "\n".join(map(json.dumps, lines)))


OF_COLUMNS = (
    "one JSON object of columns; write one object for each row, as frame.to_json(orient='records', "
    "lines=True) does"
)

JSON = [
    *(Fault(0, title, files, (SCORE,), name, 0, holds=same_scores)
      for title, files, name in (("JSON list", as_json, "in.json"),
                                 ("packed JSON list", packed_json, "in.json.gz"),
                                 ("JSON over many lines", one_after_the_other, "in.json"))),
    Fault(0, "nested JSON", nested, (TRAIN,), "in.jsonl --json", 0,
          holds=roles(**{"at.site": "categorical", "at.more.n": "constant", "tags": "ignored"})),
    Fault(0, "nested JSON left out by name", nested, (TRAIN,), "in.jsonl --json", 0,
          holds=warns("column 'tags' is left out: list or object values cannot be learned", only=False)),
    *(Fault(0, f"JSON {title}", {"in.json": text}, BOTH, "in.json", 3, f"in.json: {said}")
      for title, text, said in (
          ("of numbers", "[1, 2]", "line 1: not a JSON object but a list"),
          ("list of lists", "[[1, 2], [3, 4]]", "line 1: not a JSON object but a list"),
          ("list of numbers and objects", '[{"a": 1},\n2]', "line 2: not a JSON object but a number"),
          ("cut list", '[{"a": 1},\n{"a": 2}', "line 2: not JSON: Expecting ',' delimiter"),
          ("empty list", "[]", "the file is empty"),
          ("of columns", '{"a": {"0": 1, "1": 2}, "b": {"0": 1, "1": 2}}', OF_COLUMNS),
          ("of rows below a key", '{"count": 2, "data": [{"a": 1}, {"a": 2}]}',
           "one JSON object, whose rows are under 'data'; write this list to a file of its own"))),
    *(Fault(0, f"JSON {title} that is no UTF-8", {"in.json": text}, BOTH, "in.json", 3,
            "in.json: line 2: not UTF-8 text; name its encoding with --encoding, e.g. --encoding cp1252")
      for title, text in (("list", b'[{"a": "x"},\n{"a": "\xe9"}]'),
                          ("lines", b'{"a": "x"}\n{"a": "\xe9"}\n'))),
]  # fmt: skip

# --- files that are something else


def as_zstd(prompt: Prompt) -> None:
    prompt.write("in.csv.gz", pa.compress(Path("normal.csv").read_bytes(), "zstd", asbytes=True))


def as_parquet(prompt: Prompt) -> None:
    prompt.write("in.csv", "")
    pd.read_csv("normal.csv").to_parquet("in.csv")


OTHERS = [
    *(Fault(0, f"{title} as {name}", {name: content}, BOTH, name, 3,
            f"{name}: {title}, which cannot be read; {remedy}")
      for title, name, content, remedy in (
          ("an SQLite database", "in.csv", b"SQLite format 3\0" + bytes(100),
           "write a table of it to CSV: sqlite3 -csv -header"),
          ("an SQLite database", "in.parquet", b"SQLite format 3\0" + bytes(100),
           "write a table of it to CSV: sqlite3 -csv -header"),
          ("an Excel workbook", "in.xlsx", b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml",
           "save its sheet as CSV"),
          ("a PDF document", "in.pdf", b"%PDF-1.7\n%\xe2\xe3", "save its table as CSV or Parquet"),
          ("a Python pickle", "in.csv", b"\x80\x04\x95\x10\0\0", "in pandas, write it with frame.to_parquet"),
          ("an ORC file", "in.orc", b"ORC\x0a\x0b", "write it as Parquet"),
          ("a PNG image", "in.csv", b"\x89PNG\r\n\x1a\n", "name a file with a table"),
          ("a file that is packed twice", "in.csv.gz", gzip.compress(gzip.compress(b"a,b\n")),
           "unpack it once: gunzip"))),
    Fault(0, "zstd named as gzip", as_zstd, (SCORE,), "in.csv.gz", 0, holds=same_scores),
    Fault(0, "Parquet named as CSV", as_parquet, (SCORE,), "in.csv", 0, holds=same_scores),
    Fault(0, "web address", {}, BOTH, "https://example.com/a.csv", 2,
          "https://example.com/a.csv: a web address, from which nothing is read; download it first "
          "(curl -LO https://example.com/a.csv) and name the file"),
    Fault(0, "address of a database", {}, BOTH, "mysql://host/table", 2,
          "mysql://host/table: mysql is none of the stores that are read (file, s3, gs, gcs, abfs, abfss, "
          "hdfs, viewfs); write what it holds to a file and name that"),
]  # fmt: skip

# --- damage, and text that is not marked as such

ZERO = "holds a zero byte (NUL), which is no text; was the file damaged? repair or remove this row"


def damaged_page(_: Prompt) -> None:
    table = pa.table({"temp": np.arange(500.0)})
    parquet.write_table(
        table, "in.parquet", use_dictionary=False, compression="none", write_page_checksum=True
    )
    data = bytearray(Path("in.parquet").read_bytes())
    data[200] ^= 1
    Path("in.parquet").write_bytes(data)


def unmarked(_: Prompt) -> None:
    table = pa.Table.from_pandas(pd.read_csv("normal.csv"))
    site = table["site"].combine_chunks().cast(pa.string()).cast(pa.binary())
    parquet.write_table(table.set_column(table.schema.names.index("site"), "site", site), "in.parquet")


DAMAGE = [
    Fault(0, "zero byte in a cell", {"in.csv": HEADER + ROW + ROW.replace("north", "no\0th")}, BOTH,
          "in.csv", 3, f"in.csv: row 2 (line 3), column 'site': {ZERO}"),
    Fault(0, "zero byte far down", {"in.csv": HEADER + ROW * 200_000 + ROW.replace("20", "2\0")}, (TRAIN,),
          "in.csv", 3, f"in.csv: row 200001 (line 200002), column 'temp': {ZERO}"),
    Fault(0, "zero bytes at the end", {"in.csv": HEADER + ROW * 20 + "\0\0\0\0"}, BOTH, "in.csv", 3,
          f"in.csv: row 21 (line 22) {ZERO}"),
    Fault(0, "zero byte in JSON", {"in.jsonl": '{"a": "x"}\n{"a": "\0"}\n'}, BOTH, "in.jsonl", 3,
          "in.jsonl: line 2: not JSON: Invalid control character at character 8"),
    Fault(0, "damaged page of Parquet", damaged_page, (TRAIN,), "in.parquet", 3,
          "in.parquet: cannot be read: could not verify page integrity, CRC checksum verification failed for "
          "page_ordinal 0"),
    Fault(0, "text without its mark", unmarked, (SCORE,), "in.parquet", 0, holds=same_scores),
    Fault(0, "text without its mark", unmarked, (TRAIN,), "in.parquet --json", 0,
          holds=roles(site="categorical")),
    Fault(0, "text without its mark as label", unmarked, (TRAIN,),
          "in.parquet --label site --positive north --json", 0, holds=roles(site="label")),
]  # fmt: skip

# --- marks of missing cells

MARKED = HEADER + "21,--,south,false\n" + ROW * 40 + "21,n/a?,south,false\n" + "22,--,south,false\n" * 2
BACKSLASHES = MARKED.replace("--", "\\N").replace("n/a?", "3")
DASHED = MARKED.replace("--", "-").replace("n/a?", "?").replace("20,40", "20,41", 7)

MARKS = [
    Fault(0, "several marks of missing cells", {"in.csv": MARKED}, (TRAIN,), "in.csv", 3,
          "in.csv: row 1 (line 2), column 'load': the first of 4 cells that are not numbers: '--' (3 cells), "
          "'n/a?' (1 cell); repair them, give --na-values '--,n/a?' if they mean 'missing', or --role "
          "load=categorical if the column holds codes"),
    Fault(0, "several marks of missing cells named", {"in.csv": MARKED}, (TRAIN,),
          "in.csv --na-values --,n/a? --json", 0, holds=roles(load="numeric")),
    Fault(0, "dash and question mark in a column of numbers", {"in.csv": DASHED}, (TRAIN,),
          "in.csv --json", 0,
          holds=warns("column 'load': '-' (3 cells) and '?' (1 cell) are read as missing, here and in the "
                      "other columns; give --role load=categorical if they mean something", only=False)),
    Fault(0, "dash and question mark are missing numbers", {"in.csv": DASHED}, (TRAIN,), "in.csv --json", 0,
          holds=roles(load="numeric")),
    Fault(0, "dash and question mark remembered by the model",
          learned(lambda prompt: prompt.write("in.csv", DASHED), "in.csv"), (SCORE,),
          "in.csv -m new.aed --json", 0, holds=says(unscorable=0)),
    Fault(0, "question mark in a column that is numeric by hand", {"in.csv": DASHED.replace("-", "?")},
          (TRAIN,), "in.csv --role load=numeric", 3,
          "in.csv: row 1 (line 2), column 'load': '?' is not a number; repair it, give --na-values '?' if it "
          "means 'missing', or --role load=categorical if the column holds codes"),
    Fault(0, "mark with a backslash", {"in.csv": BACKSLASHES}, (TRAIN,),
          "in.csv", 3,
          "in.csv: row 1 (line 2), column 'load': '\\N' is not a number; repair it, give --na-values '\\N' "
          "if it means 'missing', or --role load=categorical if the column holds codes"),
    Fault(0, "mark with a backslash named", {"in.csv": BACKSLASHES}, (TRAIN,),
          ("in.csv", "--na-values", "\\N", "--json"), 0, holds=roles(load="numeric")),
]  # fmt: skip

# --- the dialect of outputs


def european(table: bytes) -> bytes:
    return table.replace(b",", b";").replace(b".", b",")


def in_its_dialect(_: Prompt, __: Result) -> None:
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0].startswith("temp;load;site;open;anomaly_score;")
    assert re.fullmatch(r"[^.]*;\d+,\d+;(0,\d+|1,0);(true|false);.*", lines[1])


def same_as_with_points(prompt: Prompt, _: Result) -> None:
    prompt(*SCORE, "in.csv", "-m", "new.aed", "-o", "expected.csv")
    given = [row["anomaly_score"] for row in written()]
    assert given == [row["anomaly_score"].replace(",", ".") for row in written("expected.csv")]


def comma_model_and_points(prompt: Prompt) -> None:
    like_normal(european)(prompt)  # type: ignore[operator]
    learn(prompt, "in.csv", "--decimal", ",")


def codes_of_commas(prompt: Prompt) -> None:
    comma_model_and_points(prompt)
    assert prompt("encode", "in.csv", "-m", "new.aed", "-o", "codes.csv").exit_code == 0


DIALECTS = [
    Fault(0, "output in the dialect of the input", learned(like_normal(european), "in.csv", "--decimal", ","),
          (SCORE,), "in.csv -m new.aed", 0, holds=in_its_dialect),
    Fault(0, "output of semicolons", like_normal(swapped((",", ";"))), (SCORE,), "in.csv", 0,
          holds=same_scores),
    Fault(0, "codes in the dialect of the input", codes_of_commas,
          (("decode", "-m", "new.aed", "-o", "out.csv"),), "codes.csv", 0, holds=rows(200)),
    Fault(0, "decimal mark overruled", comma_model_and_points, (SCORE,),
          "normal.csv -m new.aed --decimal .", 0, holds=same_as_with_points),
    Fault(0, "decimal mark that is none", {}, BOTH, "normal.csv --decimal ;", 2,
          "--decimal = ';': not one of '.' or ','"),
]  # fmt: skip

# --- long names

LONG = "n" * 2000 + "z" * 2000
SHORT = "n" * 30 + "…" + "z" * 29

LENGTHS = [
    Fault(0, "long column twice", {"in.csv": f"{LONG},{LONG}\nx,y\n"}, BOTH, "in.csv", 3,
          f"in.csv: the column name '{SHORT}' appears twice in the header; rename one"),
    Fault(0, "long column missing", learned(named(LONG), "in.csv"), (SCORE,), "normal.csv -m new.aed", 4,
          f"normal.csv: column '{SHORT}' is missing, which the model was trained on; the file has 'temp', "
          f"which the model does not know: is that '{SHORT}'? rename it, or retrain"),
    Fault(0, "long cell", {"in.csv": HEADER + ROW * 40 + ROW.replace("20", LONG)}, (TRAIN,), "in.csv", 3,
          "in.csv: row 41 (line 42), column 'temp': 'nnnnnnnnnnnnnnnnnnnnnnnnn…zzzzzzzzzzzzzz' is not a "
          "number; repair it, or give --role temp=categorical if the column holds codes"),
    Fault(0, "long column asked for", {}, (TRAIN,), f"normal.csv --exclude {LONG}", 2,
          f"--exclude: no column named '{SHORT}' in the data; there are: temp, load, site, open"),
]  # fmt: skip

FORMS: list[Fault] = [*HEADERS, *JSON, *OTHERS, *DAMAGE, *MARKS, *DIALECTS, *LENGTHS]
