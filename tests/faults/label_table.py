"""Faults of labels, and of columns in types that are no numbers: one row each, as in `faults.table`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from faults.kit import TRAIN, Check, Fault, Files, normal, roles, warns
from support.prompt import Prompt, Result


def with_column(name: str, values: Callable[[int], object]) -> Files:
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

LABEL_FAULTS: Sequence[Fault] = (*LEFT_AMONG_THE_COLUMNS,)
