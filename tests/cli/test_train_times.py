"""Time columns as people write them, from the shell: what is read, said and answered."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from support.prompt import Prompt, Result
from support.sensors import readings

FAST = ("--window", "24", "--seed", "0")


def written(name: str, times: pd.Series | pd.Index | list[object], **columns: object) -> None:
    """A file of one number, which has a daily rhythm of 144 steps, under these times."""
    frame = readings(len(times) / 144)[["temp"]][: len(times)]
    pd.DataFrame({**columns, "when": list(times), "temp": frame["temp"]}).to_csv(name, index=False)


def fault(result: Result, code: int) -> str:
    assert result.exit_code == code, result.stderr
    return result.stderr.strip().rpartition("\n")[2]


def spiked(source: str, name: str, first: int, last: int) -> None:
    frame = pd.read_csv(source, dtype={"when": str})
    frame.loc[first:last, "temp"] = 60.0
    frame.to_csv(name, index=False)


def test_whole_numbers_that_are_dates(prompt: Prompt) -> None:
    days = pd.date_range("2024-01-01", periods=500).strftime("%Y%m%d")
    written("days.csv", days)
    spiked("days.csv", "new.csv", 300, 305)
    result = prompt("train", "days.csv", "-o", "m.aed", "--time", "when", *FAST)
    assert result.exit_code == 0
    assert (
        "warning: column 'when': '20240101' is read as 2024-01-01 00:00, written like %Y%m%d; if that is "
        "wrong, say how timestamps are written (--time-format)\n"
    ) in result.stderr
    assert prompt("score", "new.csv", "-m", "m.aed", "--events", "e.csv").exit_code == 0
    peak = pd.read_csv("e.csv").sort_values("peak_score")["peak"].iloc[-1]
    assert "2024-10-27" <= peak[:10] <= "2024-11-01"


def test_a_running_number_is_shown_as_it_is(prompt: Prompt) -> None:
    written("steps.csv", list(range(500)))
    spiked("steps.csv", "new.csv", 300, 305)
    result = prompt("train", "steps.csv", "-o", "m.aed", "--time", "when", *FAST)
    assert (
        "warning: column 'when': numbers from 0 to 499 are taken for steps of a second and not for dates; if "
        "they are dates, say how they are written, e.g. --time-format '%Y%m%d', excel or epoch\n"
    ) in result.stderr
    (event,) = prompt.json("explain", "new.csv", "-m", "m.aed", "--top", "1")["explained"]
    assert 300 <= int(event["columns"][0]["time"]) <= 305
    quiet = prompt("train", "steps.csv", "-o", "m.aed", "--time", "when", "--time-format", "steps", *FAST)
    assert "taken for steps" not in quiet.stderr


@pytest.fixture
def autumn(prompt: Prompt) -> Prompt:
    """m.aed of a.csv and new.csv with a peak at noon of 26 October, by the clock of Berlin."""
    times = pd.date_range("2026-10-20", periods=1200, freq="10min", tz="Europe/Berlin")
    texts = times.strftime("%Y-%m-%d %H:%M")
    written("a.csv", texts)
    first = list(texts).index("2026-10-26 12:00")
    spiked("a.csv", "new.csv", first, first + 5)
    result = prompt("train", "a.csv", "-o", "m.aed", "--time", "when", "--time-zone", "Europe/Berlin", *FAST)
    assert result.exit_code == 0
    assert "repeat the timestamp" not in result.stderr
    return prompt


def test_the_hour_that_comes_twice_repeats_no_timestamp(autumn: Prompt) -> None:
    result = autumn("score", "new.csv", "-m", "m.aed")
    assert (result.exit_code, "repeat the timestamp" in result.stderr) == (0, False)


def test_a_file_may_end_between_the_passes(autumn: Prompt) -> None:
    frame = pd.read_csv("new.csv")
    places = frame.index[frame["when"].str.startswith("2026-10-25 02:")]
    cuts = [0, int(places[0]), int(places[6]), len(frame)]
    for number, (first, last) in enumerate(pairwise(cuts)):
        frame[first:last].to_csv(f"part{number}.csv", index=False)
    parts = [f"part{number}.csv" for number in range(3)]
    autumn("score", "new.csv", "-m", "m.aed", "-o", "whole.csv")
    result = autumn("score", *parts, "-m", "m.aed", "-o", "parts.csv")
    assert (result.exit_code, "repeat the timestamp" in result.stderr) == (0, False)
    apart = pd.read_csv("parts.csv").drop(columns="source_file")
    pd.testing.assert_frame_equal(apart, pd.read_csv("whole.csv"))
    for part in parts:
        flags = ("--new-only", "--state", "s.db", "-o", "out/")
        result = autumn("score", part, "-m", "m.aed", *flags)
        assert (result.exit_code, "repeat the timestamp" in result.stderr) == (0, False)


def test_explain_answers_in_the_zone_that_was_given(autumn: Prompt) -> None:
    told = autumn.json("explain", "new.csv", "-m", "m.aed", "--top", "1")
    (event,) = told["explained"]
    assert told["zone"] == "Europe/Berlin"
    assert "2026-10-26 12:00" <= event["columns"][0]["time"] <= "2026-10-26 12:50"
    assert f" at {event['columns'][0]['time']} Europe/Berlin, where " in event["sentence"]
    text = autumn("explain", "new.csv", "-m", "m.aed", "--top", "1").stdout
    assert f"{event['start']} to {event['end']} Europe/Berlin (" in text
    assert " when, " in text


def test_events_bear_their_zone(autumn: Prompt) -> None:
    for name in ("e.csv", "e.parquet", "e.jsonl"):
        assert autumn("score", "new.csv", "-m", "m.aed", "--events", name).exit_code == 0
    peaks = pd.read_csv("e.csv")["peak"]
    assert peaks.str.match(r"2026-\d\d-\d\d \d\d:\d\d:00\.000\+0[12]00$").all()
    lines = [json.loads(line) for line in Path("e.jsonl").read_text().splitlines()]
    assert all("+0" in line["peak"] for line in lines)
    table = pq.read_table("e.parquet")
    assert str(table.schema.field("peak").type) == "timestamp[ms, tz=Europe/Berlin]"
    same = pd.to_datetime(peaks, utc=True) == table["peak"].to_pandas().dt.tz_convert("UTC")
    assert same.all()


def test_reports_show_the_time_of_the_zone(autumn: Prompt) -> None:
    for name in ("r.html", "r.md"):
        assert autumn("report", "new.csv", "-m", "m.aed", "-o", name).exit_code == 0
    page = Path("r.html").read_text()
    assert 'data-zone="Europe/Berlin"' in page
    assert "all times are Europe/Berlin" in page
    assert " Europe/Berlin | " in Path("r.md").read_text()


def split(rows: int = 600) -> None:
    """two.csv: a date and a time of day, every minute, from 14 December on."""
    times = pd.date_range("2025-12-14 20:00", periods=rows, freq="min")
    written("two.csv", times.strftime("%H:%M:%S"), Date=times.strftime("%d/%m/%Y"))


def test_a_date_and_a_time_of_day_are_joined(prompt: Prompt) -> None:
    split()
    result = prompt("train", "two.csv", "-o", "m.aed", "--time", "Date", "--time", "when", *FAST)
    assert result.exit_code == 0
    assert (
        "warning: column 'Date when': '15/12/2025 00:00:00' is read as 2025-12-15 00:00, written like "
        "%d/%m/%Y %H:%M:%S; if that is wrong, say how timestamps are written (--time-format)\n"
    ) in result.stderr
    spiked("two.csv", "new.csv", 300, 310)
    (event,) = prompt.json("explain", "new.csv", "-m", "m.aed", "--top", "1")["explained"]
    assert [reason["column"] for reason in event["columns"]] == ["temp"]
    assert "2025-12-15 01:00" <= event["columns"][0]["time"] <= "2025-12-15 01:10"


def test_they_may_come_from_a_configuration(prompt: Prompt) -> None:
    split()
    Path("c.toml").write_text('[series]\ntime = ["Date", "when"]\ntime_format = "%d/%m/%Y %H:%M:%S"\n')
    assert prompt("train", "two.csv", "-o", "m.aed", "--config", "c.toml", *FAST).exit_code == 0
    assert prompt("score", "two.csv", "-m", "m.aed").exit_code == 0


def test_dates_alone_of_many_rows_a_day_are_refused(prompt: Prompt) -> None:
    split()
    flags = ("--time", "Date", "--time-format", "%d/%m/%Y", "--exclude", "when")
    assert fault(prompt("train", "two.csv", "-o", "m.aed", *flags), 3) == (
        "error: two.csv: column 'Date': 598 of 600 rows repeat the timestamp of another row, so their order "
        "in time is not known; give the time of day as well (--time Date --time when, with the --time-format "
        "of both, joined by a space), or the column that tells series apart (--entity COLUMN)"
    )
    frame = pd.read_csv("two.csv").drop(columns="when")
    frame.to_csv("one.csv", index=False)
    assert fault(prompt("train", "one.csv", "-o", "m.aed", "--time", "Date"), 3) == (
        "error: one.csv: column 'Date': 598 of 600 rows repeat the timestamp of another row, so their order "
        "in time is not known; give the time of day as well, where it is in a column of its own (--time Date "
        "--time COLUMN), or the column that tells series apart (--entity COLUMN)"
    )


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--time", "Date", "--time", "Date"), "--time Date: given twice"),
        (
            ("--time", "Date", "--time", "when", "--entity", "when"),
            "--entity when: the timestamps (--time) do not tell series apart",
        ),
    ],
)
def test_time_columns_are_told_apart(prompt: Prompt, flags: tuple[str, ...], told: str) -> None:
    split()
    assert fault(prompt("train", "two.csv", "-o", "m.aed", *flags), 2).endswith(told)


def test_text_of_hundreds_of_words_is_few_channels(prompt: Prompt) -> None:
    times = pd.date_range("2026-01-01", periods=600, freq="10min")
    words = [f"state {number % 200}" for number in range(600)]
    written("words.csv", times, word=words)
    result = prompt("train", "words.csv", "-o", "m.aed", "--time", "when", *FAST)
    assert result.exit_code == 0
    assert (
        "warning: column 'word': 200 distinct values, of which the 20 most frequent are kept; the rest count "
        "as rare\n"
    ) in result.stderr
    assert prompt("score", "words.csv", "-m", "m.aed").exit_code == 0


def test_numbers_named_as_missing_are_so_however_they_are_spelled(prompt: Prompt) -> None:
    times = pd.date_range("2026-01-01", periods=600, freq="10min")
    written("a.csv", times)
    flags = ("--time", "when", "--na-values=-999", *FAST)
    assert prompt("train", "a.csv", "-o", "m.aed", *flags).exit_code == 0
    texts = {}
    for name, cell in (("whole.csv", "-999"), ("float.csv", "-999.0")):
        frame = pd.read_csv("a.csv", dtype=str)
        frame.loc[300:309, "temp"] = cell
        frame.to_csv(name, index=False)
        prompt("score", name, "-m", "m.aed", "-o", f"{name}.out.csv")
        texts[name] = Path(f"{name}.out.csv").read_text().replace("-999.0", "-999")
    assert texts["whole.csv"] == texts["float.csv"]
    assert not np.isin(pd.read_csv("float.csv.out.csv")["is_anomaly"][300:310], [True]).any()


@pytest.mark.parametrize(
    ("ending", "zone", "written_so"),
    [("", "", ""), ("Z", " UTC", "Z"), ("+05:30", " +05:30", "+0530"), ("-03:00", " -03:00", "-0300")],
)
def test_times_are_written_as_they_came(prompt: Prompt, ending: str, zone: str, written_so: str) -> None:
    times = pd.date_range("2026-03-01", periods=600, freq="10min").strftime("%Y-%m-%d %H:%M:%S") + ending
    written("a.csv", times)
    spiked("a.csv", "new.csv", 300, 305)
    trained = prompt("train", "a.csv", "-o", "m.aed", "--time", "when", *FAST)
    line = f"2026-03-01 00:00 to 2026-03-05 03:50{zone}, every 10 min, 1 series, no gaps"
    assert line in trained.stdout.splitlines()
    assert prompt("score", "new.csv", "-m", "m.aed", "--events", "e.csv").exit_code == 0
    peaks = pd.read_csv("e.csv", dtype=str)["peak"]
    assert peaks.str.match(r"2026-03-0\d \d\d:\d\d:00\.000" + re.escape(written_so) + "$").all()
    told = prompt.json("explain", "new.csv", "-m", "m.aed", "--top", "1")
    assert told["zone"] == (zone.strip() or None)
    assert "2026-03-03 02:00" <= told["explained"][0]["start"] <= "2026-03-03 02:50"
    assert prompt("report", "new.csv", "-m", "m.aed", "-o", "r.md").exit_code == 0
    assert f"| 2026-03-03 02:00{zone} |" in Path("r.md").read_text()


def test_counted_steps_are_written_as_they_came(prompt: Prompt) -> None:
    written("a.csv", list(range(500)))
    spiked("a.csv", "new.csv", 300, 305)
    assert prompt("train", "a.csv", "-o", "m.aed", "--time", "when", *FAST).exit_code == 0
    assert prompt("score", "new.csv", "-m", "m.aed", "--events", "e.csv").exit_code == 0
    assert pd.read_csv("e.csv")["peak"].between(300, 305).any()


def hosts(count: int, times: int, step: str) -> None:
    """hosts.csv: so many machines, a line each at each of the times."""
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-02-01", periods=times, freq=step).strftime("%Y-%m-%d %H:%M:%S")
    names = [f"h{number:02d}" for number in range(count)]
    frame = pd.DataFrame({"at": np.repeat(when, count), "my host": names * times})
    frame.assign(cpu=rng.normal(40, 3, len(frame)).round(1)).to_csv("hosts.csv", index=False)


def test_the_column_that_tells_mixed_series_apart_is_named(prompt: Prompt) -> None:
    hosts(3, 300, "min")
    result = prompt("train", "hosts.csv", "-o", "m.aed", "--time", "at", "--epochs", "1", *FAST)
    assert (
        "warning: 600 rows repeat the timestamp of another row: column 'my host' tells series apart that are "
        "mixed up here; --entity 'my host' learns each by itself\n"
    ) in result.stderr
    flags = ("--time", "at", "--entity", "my host", "--epochs", "1")
    result = prompt("train", "hosts.csv", "-o", "m.aed", *flags, *FAST)
    assert (result.exit_code, "repeat the timestamp" in result.stderr) == (0, False)
    assert "every 1 min, 3 series, no gaps" in result.stderr + result.stdout


def test_it_is_named_where_hardly_a_row_has_a_time_of_its_own(prompt: Prompt) -> None:
    hosts(30, 40, "D")
    assert fault(prompt("train", "hosts.csv", "-o", "m.aed", "--time", "at", *FAST), 3) == (
        "error: hosts.csv: column 'at': 1,160 of 1,200 rows repeat the timestamp of another row: column "
        "'my host' tells series apart; give --time at --entity 'my host'"
    )
