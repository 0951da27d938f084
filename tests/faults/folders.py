"""Folders, parts and files of one dump: of no rows, unlike one another, named in other ways."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
from faults.kit import BOTH, HEADER, ROW, SCORE, TRAIN, Check, Fault, Files, roles, rows, says, warns, written
from faults.table import learned
from support.prompt import Prompt, Result

# --- 37: files of no rows


def part_without_rows(_: Prompt) -> None:
    """Two parts of one dump, the second of which has no row and, of its text, no type."""
    frame = pd.read_csv("normal.csv")
    Path("in").mkdir()
    frame.to_parquet("in/p0.parquet")
    frame[:0].to_parquet("in/p1.parquet")


def with_outputs(**heads: str) -> Check:
    """The folder of outputs holds these, which begin so."""

    def check(_: Prompt, __: Result) -> None:
        assert {path.name for path in Path("out").iterdir()} == set(heads)
        for name, head in heads.items():
            assert (Path("out") / name).read_text().startswith(head)

    return check


def done_once(prompt: Prompt, result: Result) -> None:
    """The ledger knows the file of no rows: the next night it is skipped, and nothing is said of it."""
    assert result.json()["warnings"] == ["in/b.csv: holds no rows"]
    assert [(entry["status"], entry["rows"]) for entry in result.json()["files"]] == [
        ("scored", 200), ("scored", 0)
    ]  # fmt: skip
    again = prompt.json(*SCORE, "in", "-o", "out/", "--new-only", "--state", "s.db")
    assert [entry["status"] for entry in again["files"]] == ["known", "known"]
    assert again["warnings"] == []


def does_not_warn(word: str) -> Check:
    """No warning of --json holds the word."""

    def check(_: Prompt, result: Result) -> None:
        assert not [text for text in result.json()["warnings"] if word in text]

    return check


def with_normal(files: dict[str, str]) -> Files:
    def make(prompt: Prompt) -> None:
        prompt.write("in/a.csv", Path("normal.csv").read_bytes())
        for name, content in files.items():
            prompt.write(name, content)

    return make


RESULTS = "anomaly_score,anomaly_p_value,is_anomaly,anomaly_features,anomaly_status\n"
NO_ROWS = [
    Fault(37, "part of no rows", part_without_rows, (TRAIN,), "in --json", 0,
          holds=warns("in/p1.parquet holds no rows and is left out", only=False)),
    Fault(37, "two files of no rows", with_normal({"in/b.csv": HEADER, "in/c.csv": ""}), (TRAIN,),
          "in --json", 0,
          holds=warns("2 files (in/b.csv, in/c.csv) hold no rows and are left out", only=False)),
    Fault(37, "no file has a row", {"in/b.csv": HEADER, "in/c.csv": ""}, (TRAIN,), "in", 3,
          "2 files (in/b.csv, in/c.csv) hold no rows, and there are no others"),
    Fault(37, "no file has a row", {"in/b.csv": HEADER, "in/c.csv": ""}, (SCORE,), "in", 3,
          "none of 2 inputs can be used: in/b.csv: holds no rows; in/c.csv: the file is empty"),
    Fault(37, "header among others", with_normal({"in/b.csv": HEADER}), (SCORE,), "in -o out/ --json", 0,
          holds=with_outputs(**{"a.csv": "temp", "b.csv": HEADER.strip() + "," + RESULTS})),
    Fault(37, "no byte among others", with_normal({"in/b.csv": ""}), (SCORE,), "in -o out/ --json", 0,
          holds=with_outputs(**{"a.csv": "temp", "b.csv": RESULTS})),
    Fault(37, "empty JSON lines among others", with_normal({"in/b.jsonl": "\n"}), (SCORE,), "in --json", 0,
          holds=says(rows=200, warnings=["in/b.jsonl: holds no rows"])),
    Fault(37, "part of no rows into one file", part_without_rows, (SCORE,), "in", 0, holds=rows(200)),
    Fault(37, "noted in the ledger", with_normal({"in/b.csv": HEADER}), (SCORE,),
          "in -o out/ --new-only --state s.db --json", 0, holds=done_once),
]  # fmt: skip

# --- 38: files that differ


def column_added_later(_: Prompt) -> None:
    """Two parts, the second of which has one column more."""
    frame = pd.read_csv("normal.csv")
    Path("in").mkdir()
    frame[:100].to_parquet("in/p0.parquet")
    frame[100:].assign(gain=frame["load"] % 7 / 3).to_parquet("in/p1.parquet")


def column_renamed(_: Prompt) -> None:
    frame = pd.read_csv("normal.csv")
    frame[:100].to_csv("a.csv", index=False)
    frame[100:].set_axis([f"{name}2" for name in frame], axis=1).to_csv("b.csv", index=False)


def null_typed(*names: str) -> Files:
    """Two parts; in the first of `names` the column `note` has no type, as nothing stands in it."""

    def make(_: Prompt) -> None:
        frame = pd.read_csv("normal.csv")
        for name, note in zip(names, (None, ["ok", "late"] * 50), strict=True):
            frame[:100].assign(note=note).to_parquet(name)

    return make


GAIN = (
    "column 'gain' is missing in 1 of 2 files (in/p0.parquet); its cells there count as missing "
    "(--exclude gain does without it)"
)
DIFFERENT = [
    Fault(38, "column added later", column_added_later, (TRAIN,), "in --json", 0,
          holds=warns(GAIN, only=False)),
    *(Fault(38, f"column added later and {option}", column_added_later, (TRAIN,),
            f"in {option} --json", 0, holds=does_not_warn("gain"))
      for option in ("--exclude gain", "--columns temp,load", "--id gain", "--role gain=ignored")),
    Fault(38, "scored without the column", learned(column_added_later, "in"), (SCORE,),
          "in/p0.parquet -m new.aed --json", 0,
          holds=warns("in/p0.parquet: column 'gain' is missing, as in some files of the training data",
                      only=False)),
    Fault(38, "no column in common", column_renamed, (TRAIN,), "a.csv b.csv", 3,
          "a.csv: has no column in common with b.csv (not 'temp', 'load', 'site', 'open'); train on files of "
          "one kind"),
    *(Fault(0, f"column without a type in {first}", null_typed(first, second), (TRAIN,),
            f"{first} {second} --json", 0, holds=roles(note="categorical"))
      for first, second in (("p0.parquet", "p1.parquet"), ("p1.parquet", "p0.parquet"))),
]  # fmt: skip

# --- names that say no format, or one that nothing is written in

LEFT_OUT = "in: {}, whose {} no format of data: {}; name {} to have {} read"
ONE_LEFT_OUT = LEFT_OUT.format("1 file left out", "name says", "b.txt", "it", "it")
FOUR_LEFT_OUT = LEFT_OUT.format(
    "4 files left out", "names say", "b.txt, dump.dat, part-00000 and 1 more", "them", "them"
)
BESIDE = dict.fromkeys(("in/b.txt", "in/dump.dat", "in/part-00000", "in/sub/part-00001"), HEADER + ROW)
HIDDEN = {"in/_SUCCESS": "", "in/.x": "", "in/.a.csv.crc": "", "in/b.csv.crc": "", "in/m.aed": "x"}


def packed_twice(*names: str) -> Files:
    """Parquet files packed with gzip, beside normal.csv."""

    def make(prompt: Prompt) -> None:
        prompt.write("in/a.csv", Path("normal.csv").read_bytes())
        pd.read_csv("normal.csv").to_parquet("whole.parquet")
        data = Path("whole.parquet").read_bytes()
        for name in names:
            prompt.write(f"in/{name}", gzip.compress(data) if name.endswith("gz") else data)

    return make


def outputs(*names: str) -> Check:
    """All inputs were scored, under these names."""

    def check(_: Prompt, result: Result) -> None:
        assert {entry["status"] for entry in result.json()["files"]} == {"scored"}
        assert {path.name for path in Path("out").iterdir()} == set(names)

    return check


NAMES = [
    *(Fault(0, "named as left out", with_normal({"in/b.txt": HEADER + ROW}), (command,), "in --json", 0,
            holds=warns(ONE_LEFT_OUT, only=False))
      for command in BOTH),
    *(Fault(0, f"named as left out by {command}", with_normal({"in/b.txt": HEADER + ROW}),
            ((command, "-m", "tiny.aed", "-o", "out.html"),), "in --json", 0,
            holds=warns(ONE_LEFT_OUT, only=False))
      for command in ("report", "calibrate")),
    Fault(0, "many left out", with_normal(BESIDE), (SCORE,), "in --json", 0, holds=warns(FOUR_LEFT_OUT)),
    Fault(0, "what is no data goes unsaid", with_normal(HIDDEN), (SCORE,), "in --json", 0, holds=warns()),
    Fault(0, "left out but named", with_normal({"in/part-00000": HEADER + ROW}), (SCORE,),
          "in in/part-00000 -o out/ --json", 0, holds=outputs("a.csv", "part-00000.csv")),
    Fault(0, "Parquet that was packed", packed_twice("b.parquet.gz"), (SCORE,), "in -o out/ --json", 0,
          holds=outputs("a.csv", "b.parquet")),
    Fault(0, "Parquet packed and not", packed_twice("b.parquet.gz", "b.parquet"), (SCORE,),
          "in -o out/ --json", 0, holds=outputs("a.csv", "b.parquet", "b.parquet.gz.parquet")),
    Fault(0, "two inputs of one name", with_normal({"b/a.csv": HEADER + ROW}), (SCORE,),
          "in/a.csv b/a.csv -o out/", 2,
          "two inputs would both be written to out/a.csv; score them apart"),
]  # fmt: skip

# --- Hive folders


def hive(*folders: str, rest: str | None = None) -> Files:
    """normal.csv cut into a part for each folder; the rows of the last go to `rest`, if it is named."""

    def make(_: Prompt) -> None:
        frame = pd.read_csv("normal.csv")
        for place, folder in enumerate(folders):
            path = Path(rest if rest and place == len(folders) - 1 else "in") / folder
            path.mkdir(parents=True)
            frame.iloc[place :: len(folders)].to_parquet(path / "p.parquet")

    return make


def few_flagged(_: Prompt, result: Result) -> None:
    assert result.json()["anomalies"] <= 0.04 * result.json()["rows"]
    assert result.json()["rows"] > 0


def part_of_folder(prompt: Prompt, _: Result) -> None:
    """One file scores as it does among all of its folder, and has the same columns."""
    prompt(*SCORE, "in", "-m", "new.aed", "-o", "whole.csv")
    whole = [row for row in written("whole.csv") if row.pop("source_file") == "in/kind=b/p.parquet"]
    assert written() == whole


TIMES = "column {0!r} is left out: its folders name times ({1}); the next is always new (--role {0}={2})"
LEARNS = "categorical learns it"
HIVE = [
    *(Fault(39, f"folders of {name}", hive(*(f"{name}={value}" for value in values)), (TRAIN,),
            "in --json", 0,
            holds=warns(TIMES.format(name, f"{values[0]} to {values[-1]}", LEARNS), only=False))
      for name, values in (("month", ("01", "02", "03")), ("dt", ("2026-01-05", "2026-01-06")),
                           ("hour", ("9", "10")), ("snapshot", ("20260105", "20260106")),
                           ("order_year", ("2025", "2026")))),
    Fault(39, "folders of numbers", hive("batch=9", "batch=10"), (TRAIN,), "in --json", 0,
          holds=warns("column 'batch' is left out: each file has a folder of its own (9 to 10); the next is "
                      "always new (--role batch=categorical learns it)", only=False)),
    Fault(39, "folders of kinds", hive("kind=a", "kind=b"), (TRAIN,), "in --json", 0,
          holds=roles(kind="categorical")),
    Fault(39, "folders of months by hand", hive("month=01", "month=02"), (TRAIN,),
          "in --role month=categorical --json", 0, holds=roles(month="categorical")),
    Fault(39, "the next month", learned(hive("month=01", "month=02", "month=03", rest="next"), "in"),
          (SCORE,), "next -m new.aed --json", 0, holds=few_flagged),
    Fault(0, "one file of a Hive folder", learned(hive("kind=a", "kind=b"), "in"), (SCORE,),
          "in/kind=b/p.parquet -m new.aed", 0, holds=part_of_folder),
    Fault(0, "a folder of a Hive folder", learned(hive("kind=a", "kind=b"), "in"), (SCORE,),
          "in/kind=b -m new.aed", 0, holds=part_of_folder),
]  # fmt: skip

# --- 19: columns renamed


def with_names(**names: str) -> Files:
    return lambda _: pd.read_csv("normal.csv").rename(columns=names).to_csv("in.csv", index=False)


RENAMED = [
    Fault(19, f"renamed {number}", with_names(**names), (SCORE,), "in.csv", 4,
          f"in.csv: {lacks} missing, which the model was trained on; {remedy}")
    for number, names, lacks, remedy in (
        ("one", {"temp": "Temp"}, "column 'temp' is",
         "the file has 'Temp', which the model does not know: is that 'temp'? rename it, or retrain"),
        ("two", {"temp": "temp_c", "load": "Load"}, "columns 'temp', 'load' are",
         "the file has 'temp_c', 'Load', which the model does not know: are those 'temp', 'load'? "
         "rename them, or retrain"),
        ("one beyond recognition", {"temp": "warmth"}, "column 'temp' is",
         "the file has 'warmth', which the model does not know: is that 'temp'? rename it, or retrain"),
        ("two beyond recognition", {"temp": "warmth", "load": "x"}, "columns 'temp', 'load' are",
         "the file has columns 'warmth', 'x', which the model does not know; "
         "score a file with the same columns, or retrain"),
    )
]  # fmt: skip

FOLDERS: list[Fault] = [*RENAMED, *NO_ROWS, *DIFFERENT, *NAMES, *HIVE]
