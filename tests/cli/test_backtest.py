"""`aedetect backtest`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.sensors import broken, readings
from support.tables import tiny_frame

DAYS = ("2026-03-01", "2026-03-02", "2026-03-04")
AROUND = {"TERM": "xterm", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def series_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("series")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", 24, "--epochs", 2, "--seed", 0)
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path / "m.aed"


@pytest.fixture
def backtest(prompt: Prompt, tiny_model: Path) -> Prompt:
    """In a folder with dumps of three days, of 100 rows each; of these 3, 0 and 5 are odd."""
    (prompt.folder / "dumps").mkdir()
    (prompt.folder / "t.aed").write_bytes(tiny_model.read_bytes())
    for place, (day, odd) in enumerate(zip(DAYS, (3, 0, 5), strict=True)):
        frame = tiny_frame(100, seed=20 + place)
        frame.loc[: odd - 1, "load"] = 9000.0
        times = pd.date_range(f"{day} 02:00", periods=100, freq="10min")
        frame.assign(at=times.strftime("%d/%m/%Y %H:%M")).to_csv(f"dumps/rows-{day}.csv", index=False)
    return prompt.command("backtest", after=("-m", "t.aed"))


@pytest.fixture
def of_series(prompt: Prompt, series_model: Path) -> Prompt:
    """In a folder with new.csv, which holds a fault on the first of three days."""
    broken(readings(3, 2, seed=5, start="2026-02-01"), 40, 70).to_csv("new.csv", index=False)
    (prompt.folder / "s.aed").write_bytes(series_model.read_bytes())
    return prompt


def test_what_a_person_reads_of_a_table(backtest: Prompt) -> None:
    result = backtest("dumps", "--rates", "1e-5,0.01", "--budget", "2/day", width=80)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "300 rows of 3 dumps, 3 days with rows, 2026-03-01 to 2026-03-04, by the dates in the names of the "
        "inputs"
    )
    assert max(len(line) for line in lines if not line.startswith(("300 rows", "budget"))) <= 80
    text = [" ".join(line.split()) for line in lines]
    assert text[2:6] == [
        "alert rate flagged rows share a day at most in",
        "─" * len(lines[3]),
        "1e-05 8 2.67% 2.67 5 2026-03-04",
        text[5],
    ]
    assert text[7] == "flagged rows a day:"
    # The third day has no dump.
    assert lines[8] == "1e-05    ▆▁ █  to 5"
    assert [line.split()[:3] for line in lines[13:16]] == [
        ["2026-03-01", "100", "3"], ["2026-03-02", "100", "0"], ["2026-03-04", "100", "5"]
    ]  # fmt: skip
    assert lines[-1].startswith("budget of 2 flagged rows a day: ")
    assert result.stderr.startswith("warning: ")
    assert (
        "warning: an alert rate of 1e-05 is finer than 200 calibration rows can show (at best 0.005); the "
        "threshold follows a fitted tail beyond them"
    ) in result.stderr


def test_the_object_is_the_contract(backtest: Prompt) -> None:
    found = backtest.json("dumps", "--budget", "3/day")
    assert list(found) == [
        *["schema_version", "aedetect_version", "command", "model", "unit", "rows", "unscorable", "rates"],
        *["days_by", "days_counted", "days", "untimed", "dumps", "budget", "warnings", "output"],
        *["started", "finished", "seconds", "exit_code"],
    ]
    assert (found["unit"], found["rows"], found["days_counted"], found["untimed"]) == ("rows", 300, 3, None)
    assert [day["day"] for day in found["days"]] == list(DAYS)
    assert [entry["path"] for entry in found["dumps"]] == [f"dumps/rows-{day}.csv" for day in DAYS]
    assert list(found["rates"][0]) == [
        *["alert_rate", "normal", "flagged", "events", "expected_per_day", "most", "most_at"]
    ]
    assert list(found["budget"]) == [
        *["count", "period", "unit", "periods", "alert_rate", "expected", "most", "most_at", "next_looser"],
        *["finest_tried", "warnings"],
    ]
    assert found["budget"]["expected"] <= 3 < found["budget"]["next_looser"]["expected"]


def test_a_rate_is_what_score_gives_with_it(backtest: Prompt) -> None:
    found = backtest.json("dumps", "--rates", "0.02,0.1%")
    score = Prompt(backtest.folder, backtest.environment)
    assert [rate["alert_rate"] for rate in found["rates"]] == [0.001, 0.02]
    for rate in found["rates"]:
        scored = score.json("score", "dumps", "-m", "t.aed", "--alert-rate", rate["alert_rate"])
        assert (rate["flagged"], rate["normal"]) == (scored["anomalies"], scored["normal"])


def test_events_are_what_score_gives_as_well(of_series: Prompt) -> None:
    found = of_series.json(
        "backtest", "new.csv", "-m", "s.aed", "--rates", "1e-4,0.002,0.05", "--adapt", "off"
    )
    for rate in found["rates"]:
        scored = of_series.json(
            "score", "new.csv", "-m", "s.aed", "--alert-rate", rate["alert_rate"], "--adapt", "off"
        )
        assert (rate["flagged"], rate["events"]) == (scored["anomalies"], scored["events"])
    assert (found["unit"], found["days_by"], found["days_counted"]) == ("events", "by time column 'time'", 3)


def test_what_a_person_reads_of_series(of_series: Prompt) -> None:
    result = of_series("backtest", "new.csv", "-m", "s.aed", "--rates", "0.001", "--budget", "7/week")
    assert result.exit_code == 0, result.output
    assert (
        "new.csv: 864 rows, 3 days with rows, 2026-02-01 to 2026-02-03, by time column 'time'\n"
        in result.stdout
    )
    text = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "alert rate flagged rows share events a day at most in" in text
    assert "day rows 0.001: events 0.001: rows" in text
    assert "budget of 7 events a week: --alert-rate " in result.stdout
    assert "over 0.4 weeks, at most " in result.stdout
    assert (
        "warning: the rows cover 0.43 of a week: what is said of a week is carried on from that; add older "
        "rows\n"
    ) in result.stderr


def test_a_dump_without_rows_is_a_dump_of_none(of_series: Prompt) -> None:
    whole = of_series.json("backtest", "new.csv", "-m", "s.aed")
    header, *rows = Path("new.csv").read_text().splitlines(keepends=True)
    of_series.write("empty.csv", header)
    of_series.write("first.csv", "".join([header, *rows[:60]]))
    of_series.write("last.csv", "".join([header, *rows[60:]]))
    parts = of_series.json("backtest", "last.csv", "empty.csv", "first.csv", "-m", "s.aed")
    assert [part["rows"] for part in parts["dumps"]] == [804, 0, 60]
    assert (parts["days"], parts["rates"]) == (whole["days"], whole["rates"])
    # The fault began in the first dump, and went on in the last.
    assert parts["dumps"][2]["rates"][0]["events"] == 1
    assert 0 < parts["dumps"][0]["rates"][0]["flagged"] < whole["rates"][0]["flagged"]


def test_of_many_days_those_with_most_are_shown(backtest: Prompt) -> None:
    frame = tiny_frame(400, seed=9).assign(at=pd.date_range("2026-01-01", periods=400, freq="D").astype(str))
    frame.loc[np.arange(400) % 16 == 5, "load"] = 9000.0
    frame.to_csv("year.csv", index=False)
    lines = backtest("year.csv", "--time-of", "at", "--rates", "1e-3").stdout.splitlines()
    assert "flagged rows a day, the most of 7 in each mark:" in lines
    assert lines[-1] == "of 400 days the 10 with most flagged rows; -o FILE or --json gives all"
    assert len([line for line in lines if line.startswith("2026-")]) == 10
    frame.assign(load=frame["temp"] * 2).to_csv("calm.csv", index=False)
    calm = backtest("calm.csv", "--time-of", "at", "--rates", "1e-6").stdout.splitlines()
    assert calm[-1] == "none of 400 days has flagged rows; -o FILE or --json gives all"


def test_days_of_a_column_go_before_those_of_names(backtest: Prompt) -> None:
    frame = pd.read_csv("dumps/rows-2026-03-01.csv")
    frame.loc[[0, 50], "at"] = ["soon", None]
    frame.to_csv("dumps/rows-2026-03-01.csv", index=False)
    flags = ("--time-of", "at", "--time-format", "%d/%m/%Y %H:%M", "--time-zone", "Europe/Berlin")
    found = backtest.json("dumps", *flags, "--rates", "0.001", "--budget", "1/hour")
    assert found["days_by"] == "by column 'at' (Europe/Berlin)"
    assert [(day["day"], day["rows"]) for day in found["days"]] == list(
        zip(DAYS, (98, 100, 100), strict=True)
    )
    assert (found["untimed"]["rows"], found["untimed"]["rates"][0]["flagged"]) == (2, 1)
    assert (
        "dumps/rows-2026-03-01.csv and others: column 'at': 2 rows are without a readable time, and on no day"
        in found["warnings"]
    )
    # A hundred rows every ten minutes begin in seventeen hours of each day.
    assert (found["budget"]["period"], found["budget"]["periods"]) == ("hour", 51)


def test_an_unread_dump_is_named(backtest: Prompt) -> None:
    frame = pd.read_csv("dumps/rows-2026-03-04.csv")
    frame.assign(at="later").to_csv("dumps/rows-2026-03-04.csv", index=False)
    result = backtest("dumps", "--time-of", "at", "--time-format", "%d/%m/%Y %H:%M")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[-1] == (
        "error: dumps/rows-2026-03-04.csv: column 'at': no cell can be read as a timestamp"
    )


def test_a_column_without_a_time_is_refused(backtest: Prompt) -> None:
    for day in DAYS:
        pd.read_csv(f"dumps/rows-{day}.csv").assign(at="").to_csv(f"dumps/rows-{day}.csv", index=False)
    result = backtest("dumps", "--time-of", "at")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[-1] == (
        "error: dumps/rows-2026-03-01.csv: column 'at' is empty in all rows; --time-of needs one with times"
    )


def test_days_go_to_a_file(backtest: Prompt) -> None:
    result = backtest("dumps", "-o", "days.csv", "--rates", "1e-5,0.5")
    assert result.stdout.splitlines()[-1] == "days: days.csv"
    table = pd.read_csv("days.csv")
    assert list(table) == ["day", "rows", "unscorable", "alert_rate", "flagged"]
    assert table["flagged"][table["alert_rate"] == 1e-5].tolist() == [3, 0, 5]
    assert len(table) == 6
    shown = backtest("dumps", "-o", "-")
    assert shown.stdout.splitlines()[0] == "day,rows,unscorable,alert_rate,flagged"
    assert len(shown.stdout.splitlines()) == 7
    before = Path("dumps/rows-2026-03-01.csv").read_bytes()
    for output in ("dumps/rows-2026-03-01.csv", "t.aed", "dumps"):
        assert backtest("dumps", "-o", output).exit_code == 2
    assert Path("dumps/rows-2026-03-01.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("--rates", "0.01,2"),
            "--rates '0.01,2': '2' is no rate between 0 and 1; write e.g. --rates 0.001,0.01 or --rates "
            "0.1%,1%",
        ),
        (
            ("--budget", "five a day"),
            "--budget 'five a day': not a number of alarms in a period; write it like 5/day, 2/week, 1/hour "
            "or 3/dump",
        ),
        (
            ("--budget", "5/dayy"),
            "--budget '5/dayy': 'dayy' is no period; did you mean 'day'?; write it like 5/day, 2/week, "
            "1/hour or 3/dump",
        ),
        (
            ("--budget", "5/hour"),
            "--budget 5/hour: dates in names tell days alone; name a time column (--time-of COLUMN), or give "
            "the budget for each input, as in 5/dump",
        ),
        (("--time-zone", "UTC"), "--time-zone says how --time-of COLUMN is read; give that column"),
        (
            ("--time-of", "att"),
            "--time-of: no column named 'att' in dumps/rows-2026-03-01.csv; did you mean 'at'? There are: "
            "temp, load, site, open, at",
        ),
        (("--adapt", "off"), "t.aed: no model of time series, which --adapt is for"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_line(backtest: Prompt, words: tuple[str, ...], error: str) -> None:
    assert backtest("dumps", *words).usage() == error


def test_one_thing_goes_to_stdout(backtest: Prompt) -> None:
    result = backtest("dumps", "--json", "-o", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json and -o - both write to stdout; choose one" in result.stderr


def test_settings_that_overrule_rates_are_refused(backtest: Prompt) -> None:
    for name in ("value", "alarms_per_day"):
        given = {f"AEDETECT_THRESHOLD_{name.upper()}": "3"}
        assert backtest("dumps", environment=given).usage() == (
            f"threshold.{name} is set, which overrules alert rates; leave it out to try some"
        )


def test_an_input_that_was_learned_from_is_said(prompt: Prompt) -> None:
    tiny_frame(200).to_csv("normal.csv", index=False)
    assert prompt("train", "normal.csv", "-o", "m.aed", "--epochs", 1, "--max-time", "5s").exit_code == 0
    said = prompt.json("backtest", "normal.csv", "-m", "m.aed")["warnings"]
    assert said[0] == (
        "normal.csv: the model was trained on an input of this name; on rows that it learned, less fires "
        "than on new ones"
    )


def test_the_next_steps_take_the_rate(backtest: Prompt) -> None:
    around = {"terminals": ["stdout"], "environment": AROUND}
    text = backtest("dumps", "--budget", "3/day", **around).stdout
    rate = text.partition("--alert-rate ")[2].split()[0]
    assert text.splitlines()[-2:] == [
        f"next: aedetect score dumps -m t.aed -o dumps-scored.csv --alert-rate {rate}",
        f"      aedetect calibrate -m t.aed -o t-new.aed --alert-rate {rate}",
    ]
    assert backtest("dumps", **around).stdout.splitlines()[-1] == (
        "next: aedetect backtest dumps -m t.aed --budget 5/day"
    )
