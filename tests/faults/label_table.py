"""Faults of labels, and of columns in types that are no numbers: one row each, as in `faults.table`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import time, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as pa
from faults.kit import (
    SCORE,
    TRAIN,
    Check,
    Fault,
    Files,
    normal,
    roles,
    says,
    warns,
    written,
)  # fmt: skip
from pyarrow import parquet
from support.prompt import Prompt, Result


def with_column(name: str, values: Callable[[int], object]) -> Callable[[Prompt], None]:
    """normal.csv and one more column, whose values the row numbers (from 0) give."""

    def make(_: Prompt) -> None:
        frame = normal()
        frame.assign(**{name: [values(row) for row in range(len(frame))]}).to_csv("in.csv", index=False)

    return make


def both(*checks: Check) -> Check:
    def check(prompt: Prompt, result: Result) -> None:
        for one in checks:
            one(prompt, result)

    return check


def left_out(name: str, remedy: str) -> Check:
    said = f"column {name!r} looks like a label and is left out; give {remedy}"
    return both(roles(**{name: "ignored"}), warns(said, only=False))


def warned(said: str) -> Check:
    return warns(said, only=False)


def learned_as(role: str, name: str) -> Check:
    def check(_: Prompt, result: Result) -> None:
        entry = next(entry for entry in result.json()["columns"] if entry["name"] == name)
        assert entry["role"] == role
        assert not any("looks like a label" in text for text in result.json()["warnings"])

    return check


RARE = [row % 50 == 7 for row in range(200)]
LEFT_AMONG_THE_COLUMNS = [
    Fault(0, "label among the columns", with_column("is_fraud", lambda row: int(RARE[row])), (TRAIN,),
          "in.csv --json", 0,
          holds=left_out("is_fraud", "--label is_fraud to use it as one, or "
                                     "--role is_fraud=boolean to learn it")),
    Fault(0, "label that is always 0", with_column("isFraud", lambda _: 0), (TRAIN,), "in.csv --json", 0,
          holds=left_out("isFraud", "--label isFraud to use it as one, or "
                                    "--role isFraud=boolean to learn it")),
    Fault(0, "label of two words", with_column("class", lambda row: "anomaly" if RARE[row] else "normal"),
          (TRAIN,), "in.csv --json", 0,
          holds=left_out("class", "--label class --positive anomaly to use it as one, or "
                                  "--role class=categorical to learn it")),
    Fault(0, "label learned by its role", with_column("is_fraud", lambda row: int(RARE[row])), (TRAIN,),
          "in.csv --role is_fraud=boolean --json", 0, holds=learned_as("boolean", "is_fraud")),
    Fault(0, "label learned as a column asked for", with_column("target", lambda row: int(RARE[row])),
          (TRAIN,), "in.csv --columns temp,load,target --json", 0, holds=learned_as("boolean", "target")),
    Fault(0, "class of passengers", with_column("class", lambda row: 1 + row % 3), (TRAIN,),
          "in.csv --json", 0, holds=learned_as("numeric", "class")),
]  # fmt: skip

# --- labels by their words

COUNTED = says(rows=196, rows_left_out={"labelled": 4, "infinite": 0, "empty": 0})
EVALUATE = ("evaluate", "-m", "tiny.aed")


def worded(anomaly: object, usual: object) -> Files:
    return with_column("state", lambda row: anomaly if RARE[row] else usual)


WORDS = [
    *(Fault(0, f"labels {anomaly} and {usual}", worded(anomaly, usual), (TRAIN,),
            ("in.csv", "--label", "state", *positive, "--json"), 0, holds=COUNTED)
      for anomaly, usual, *positive in (
          ("yes", "no"), ("True", "False"), ("1.0", "0.0"), ("anomaly", "normal"), ("Fraud", "Legit"),
          ("odd", "usual", "--positive", "odd"), ("1.0", "0.0", "--positive", "1"),
      )),
    Fault(0, "value of labels in another case", worded("Fraud", "Legit"), (TRAIN, EVALUATE),
          "in.csv --label state --positive fraud", 3,
          "in.csv: no row has 'fraud' (--positive) in column 'state'; the labels are 'Legit' (196) and "
          "'Fraud' (4); did you mean --positive Fraud?"),
    Fault(0, "value that no label has", worded("1", "0"), (TRAIN, EVALUATE),
          "in.csv --label state --positive 2", 3,
          "in.csv: no row has '2' (--positive) in column 'state'; the labels are '0' (196) and '1' (4)"),
    Fault(0, "labels of three kinds", with_column("state", lambda row: ("ok", "dos", "scan")[row % 50 % 3]),
          (TRAIN, EVALUATE), "in.csv --label state", 3,
          "in.csv: row 1 (line 2), column 'state': 'ok' is not a boolean; the labels are 'dos' (68), "
          "'ok' (68) and 'scan' (64); say with --positive which value marks an anomaly"),
]  # fmt: skip

# --- labels, ids and segments in types that are neither numbers nor text

UUIDS = [uuid.UUID(int=(row + 1) << 64) for row in range(200)]


def beside(name: str, values: Callable[[int], object], type_: pa.DataType | None = None) -> Files:
    """in.parquet: the rows of normal.csv and one more column."""

    def make(_: Prompt) -> None:
        table = pa.Table.from_pandas(pd.read_csv("normal.csv"), preserve_index=False)
        column = pa.array([values(row) for row in range(len(table))], type_)
        parquet.write_table(table.append_column(name, column), "in.parquet")

    return make


def written_as(name: str, *cells: str) -> Check:
    def check(_: Prompt, __: Result) -> None:
        assert [row[name] for row in written()][: len(cells)] == list(cells)

    return check


def same_type(_: Prompt, __: Result) -> None:
    """The Parquet output has the columns of the input as they were."""
    before, after = parquet.read_table("in.parquet"), parquet.read_table("new.parquet")
    assert after.select(before.schema.names).equals(before)


TYPES: dict[str, tuple[Callable[[int], object], pa.DataType | None, str, str]] = {
    "uuid": (lambda row: UUIDS[row % 2].bytes, pa.uuid(), str(UUIDS[0]), str(UUIDS[1])),
    "list": (lambda row: ["a", str(row % 2)], None, '["a", "0"]', '["a", "1"]'),
    "struct": (lambda row: {"a": row % 2}, None, '{"a": 0}', '{"a": 1}'),
    "map": (lambda row: [("a", row % 2)], pa.map_(pa.string(), pa.int64()), '[["a", 0]]', '[["a", 1]]'),
    "bytes": (lambda row: bytes([254, row % 2]), None, "fe00", "fe01"),
    "span": (lambda row: timedelta(hours=30, seconds=row % 2), None, "30:00:00", "30:00:01"),
    "time": (lambda row: time(14, 30, row % 2), None, "14:30:00", "14:30:01"),
    "decimal": (lambda row: Decimal(7 + row % 2), pa.decimal256(50, 2), "7.00", "8.00"),
}
ANY_TYPE = [
    *(Fault(0, f"label of binary {yes}", beside("state", lambda row, yes=yes: yes if RARE[row] else b"N"),
            (TRAIN,), "in.parquet --label state --json", 0, holds=COUNTED)
      for yes in (b"Y", b"yes")),
    *(Fault(0, f"label of type {title}", beside("state", values, type_), (TRAIN, EVALUATE),
            "in.parquet --label state", 3,
            f"in.parquet: row 1, column 'state': {first!r} is not a boolean; the labels are {first!r} (100) "
            f"and {second!r} (100); say with --positive which value marks an anomaly")
      for title, (values, type_, first, second) in TYPES.items()),
    *(Fault(0, f"label of type {title} and its value", beside("state", values, type_), (TRAIN,),
            ("in.parquet", "--label", "state", "--positive", second, "--json"), 0, holds=says(rows=100))
      for title, (values, type_, _, second) in TYPES.items()),
    *(Fault(0, f"{title} written as text", beside("state", values, type_), (SCORE,), "in.parquet", 0,
            holds=written_as("state", first, second))
      for title, (values, type_, first, second) in TYPES.items()),
    *(Fault(0, f"{title} written as it was", beside("state", values, type_), (SCORE,),
            "in.parquet -o new.parquet", 0, holds=same_type)
      for title, (values, type_, *_) in TYPES.items()),
    Fault(0, "empty column written", beside("state", lambda _: None), (SCORE,), "in.parquet", 0,
          holds=written_as("state", "", "")),
    Fault(0, "empty column written as it was", beside("state", lambda _: None), (SCORE,),
          "in.parquet -o new.parquet", 0, holds=same_type),
]  # fmt: skip

# --- text and whole numbers that float64 does not hold

BIG = 9007199254740993


def learn_key(prompt: Prompt) -> None:
    """key.aed, which knows a column that is always the same."""
    with_column("key", lambda _: BIG)(prompt)
    assert prompt(*TRAIN, "in.csv", "-o", "key.aed").exit_code == 0


def changed_key(prompt: Prompt) -> None:
    learn_key(prompt)
    with_column("key", lambda row: BIG - (row == 3))(prompt)


EXACT = [
    Fault(0, "hexadecimal codes that look like numbers",
          with_column("code", lambda row: ("49018e16", "12e45", str(40_000 + row))[min(row, 2)]), (TRAIN,),
          "in.csv --json", 0, holds=roles(code="id")),
    Fault(0, "constant beyond float64", with_column("key", lambda _: BIG), (TRAIN,), "in.csv --json", 0,
          holds=warned(f"column 'key' is left out: always {BIG}; a change will be noticed")),
    Fault(0, "constant beyond float64 in parquet", beside("key", lambda _: BIG), (TRAIN,),
          "in.parquet --json", 0,
          holds=warned(f"column 'key' is left out: always {BIG}; a change will be noticed")),
    Fault(0, "constant beyond float64 that changed by one",
          changed_key, (SCORE,), "in.csv -m key.aed --json", 0,
          holds=warned(f"in.csv: column 'key' was always '{BIG}' in training; 1 of 200 rows differ")),
]  # fmt: skip

LABEL_FAULTS: Sequence[Fault] = (*LEFT_AMONG_THE_COLUMNS, *WORDS, *ANY_TYPE, *EXACT)
