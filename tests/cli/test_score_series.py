"""Time series from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from support.prompt import Prompt, Result
from support.sensors import DAY, broken, readings


def table(path: str) -> pd.DataFrame:
    """A scored file without event numbers; no matter whether a verdict is missing somewhere in it."""
    return pd.read_csv(path, dtype={"is_anomaly": object}).drop(columns="anomaly_event")


def fault(result: Result, code: int = 3) -> str:
    assert result.exit_code == code, result.stderr
    return result.stderr.strip().rpartition("\n")[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """normal.csv, a model of it, and new.csv with one event on each of two machines."""
    path = tmp_path_factory.mktemp("series")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    new = readings(3, 2, seed=5, start="2026-02-01")
    broken(broken(new, 200, 260), 3 * DAY + 300, 3 * DAY + 350).to_csv(path / "new.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", "4h", "--alert-rate", "0.001")
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path


@pytest.fixture(autouse=True)
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """Any command, in the folder that these tests share."""
    monkeypatch.chdir(folder)
    return Prompt(folder)


def test_train_says_what_the_columns_are(run: Prompt, folder: Path) -> None:
    result = run(
        "train", "normal.csv", "-o", "again.aed", "--time", "time", "--entity", "machine", "--window", 24
    )
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["time", "time", "when;", "not", "learned"] in [line[:5] for line in lines]
    assert Path("again.aed").read_bytes()[8:12] == Path("m.aed").read_bytes()[8:12]


def test_score_counts_events(run: Prompt) -> None:
    result = run("score", "new.csv", "-m", "m.aed", "-o", "scored.csv", "--events", "events.csv")
    assert result.exit_code == 0
    assert "warmup" not in result.stdout
    assert "2 events" in result.stdout
    scored, events = pd.read_csv("scored.csv"), pd.read_csv("events.csv")
    assert scored.columns[-1] == "anomaly_event"
    assert scored["anomaly_status"].value_counts().to_dict() == {"ok": 6 * DAY}
    assert events[["machine", "anomaly_event"]].to_numpy().tolist() == [["m0", 1], ["m1", 1]]
    assert list(events) == [
        *["anomaly_event", "machine", "start", "end", "peak", "rows", "peak_score", "p_value", "features"],
        *["adopted_after_seconds", "kind"],
    ]


def test_explain_says_of_one_odd_row_when_it_was(run: Prompt) -> None:
    new = readings(3, 2, seed=5, start="2026-02-01")
    new.loc[250, "temp"] = 90.0
    new.to_csv("one.csv", index=False)
    result = run("explain", "one.csv", "-m", "m.aed", "--event", 1)
    assert (
        f"one.csv: event 1, machine m0: {new.loc[250, 'time']:%Y-%m-%d %H:%M} (1 row flagged), "
        in result.stdout
    )


def test_the_summary_counts_them_too(run: Prompt) -> None:
    found = run.json("score", "new.csv", "-m", "m.aed")
    assert (found["events"], found["warmup"]) == (2, 0)
    assert found["normal"] + found["anomalies"] + found["unscorable"] == found["rows"] == 6 * DAY


def test_history_makes_a_dump_in_two_files_one(run: Prompt) -> None:
    new = pd.read_csv("new.csv")
    early = new["time"] < "2026-02-02 12:00"
    new[early].to_csv("early.csv", index=False)
    new[~early].to_csv("late.csv", index=False)
    run("score", "new.csv", "-m", "m.aed", "-o", "whole.csv")
    run("score", "late.csv", "-m", "m.aed", "-o", "part.csv", "--history", "early.csv")
    whole, part = table("whole.csv")[~early].reset_index(drop=True), table("part.csv")
    assert (part["anomaly_status"] == "ok").all()
    pd.testing.assert_frame_equal(*(found.astype({"is_anomaly": str}) for found in (part, whole)))


def test_new_files_are_judged_with_those_scored_before(run: Prompt) -> None:
    new = pd.read_csv("new.csv")
    Path("dumps").mkdir()
    flags = ("dumps", "-m", "m.aed", "-o", "out/", "--new-only", "--state", "ledger.db", "--json")
    for day in ("02-01", "02-02", "02-03"):
        new[new["time"].str.contains(day)].to_csv(f"dumps/{day}.csv", index=False)
        found = json.loads(run("score", *flags).stdout)
        assert found["rows"] == 2 * DAY
        assert found["warmup"] == 0
    run("score", "new.csv", "-m", "m.aed", "-o", "whole.csv")
    whole = table("whole.csv")
    last = whole[whole["time"].str.contains("02-03")].reset_index(drop=True)
    judged = table("out/02-03.csv")
    pd.testing.assert_frame_equal(*(found.astype({"is_anomaly": str}) for found in (judged, last)))


def test_unsorted_rows_come_back_in_their_order(run: Prompt) -> None:
    mixed = pd.read_csv("new.csv").sample(frac=1, random_state=1)
    mixed.to_csv("mixed.csv", index=False)
    run("score", "mixed.csv", "-m", "m.aed", "-o", "mixed_scored.csv")
    run("score", "new.csv", "-m", "m.aed", "-o", "whole.csv")
    found = pd.read_csv("mixed_scored.csv")
    assert found["time"].tolist() == mixed["time"].tolist()
    whole = pd.read_csv("whole.csv").loc[mixed.index].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, whole)


def test_repeated_timestamps_are_counted(run: Prompt) -> None:
    new = pd.read_csv("new.csv")
    pd.concat([new, new[100:103]]).to_csv("twice.csv", index=False)
    found = run.json("score", "twice.csv", "-m", "m.aed")
    assert "twice.csv: 3 rows repeat the timestamp of another row" in found["warnings"]


def test_alarms_per_day_are_a_promise_in_words(run: Prompt) -> None:
    flags = ("--time", "time", "--entity", "machine", "--window", "24", "--alarms-per-day", "0.1")
    result = run("train", "normal.csv", "-o", "calm.aed", *flags)
    assert result.exit_code == 0
    assert (
        " are flagged, at most 0.1 false events a day on each series, and at most 1% of normal rows"
        in result.stdout
    )


def test_alarms_per_day_and_rate_exclude_each_other(run: Prompt) -> None:
    flags = ("--time", "time", "--alert-rate", "0.1", "--alarms-per-day", "1")
    assert run("train", "normal.csv", "-o", "x.aed", *flags).usage() == (
        "--alert-rate and --alarms-per-day exclude each other; choose one"
    )


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--entity", "machine"], "--entity goes with --time COLUMN, which makes time series of the rows"),
        (
            ["--positive", "fraud"],
            "--positive goes with --label COLUMN, which names the column of the labels",
        ),
        (["--window", "6h"], "--window goes with --time COLUMN, which makes time series of the rows"),
        (["--every", "5min"], "--every goes with --time COLUMN, which makes time series of the rows"),
        (["--adapt", "off"], "--adapt goes with --time COLUMN, which makes time series of the rows"),
        (["--causal"], "--causal goes with --time COLUMN, which makes time series of the rows"),
        (
            ["--alarms-per-day", "1"],
            "--alarms-per-day goes with --time COLUMN, which makes time series of the rows",
        ),
        (
            ["--time", "time", "--entity", "time"],
            "--entity time: the timestamps (--time) do not tell series apart",
        ),
    ],
)
def test_flags_of_series_are_not_passed_over(run: Prompt, flags: list[str], told: str) -> None:
    assert run("train", "normal.csv", "-o", "x.aed", *flags).usage() == told


def test_the_column_of_time_may_come_from_a_configuration(run: Prompt) -> None:
    Path("series.toml").write_text('[series]\ntime = "time"\n')
    flags = ("--config", "series.toml", "--entity", "machine", "--window", "24", "--epochs", "1")
    assert run("train", "normal.csv", "-o", "x.aed", *flags).exit_code == 0


def test_mixed_zones_ask_for_one(run: Prompt) -> None:
    Path("zones.csv").write_text("time,x\n" + "2026-01-01T10:00:00Z,1\n2026-01-01T11:00:00,2\n" * 10)
    assert fault(run("train", "zones.csv", "-o", "x.aed", "--time", "time")) == (
        "error: zones.csv: row 2 (line 3), column 'time': '2026-01-01T11:00:00' has no zone while other "
        "timestamps have one; give --time-zone, the zone of those without one, e.g. UTC"
    )


def test_ambiguous_dates_ask_for_a_format(run: Prompt) -> None:
    rows = [f"0{day}/02/2024,{day}" for day in range(1, 10)]
    Path("dates.csv").write_text("time,x\n" + "\n".join(rows) + "\n")
    assert fault(run("train", "dates.csv", "-o", "x.aed", "--time", "time")) == (
        "error: dates.csv: row 1 (line 2), column 'time': '01/02/2024' may be read in more than one way; say "
        "how timestamps are written, e.g. --time-format '%d/%m/%Y'"
    )
    flags = ("--time", "time", "--time-format", "%d/%m/%Y", "--window", "4")
    assert run("train", "dates.csv", "-o", "x.aed", *flags).exit_code == 0


def test_a_series_shorter_than_a_window(run: Prompt) -> None:
    pd.read_csv("normal.csv")[:20].to_csv("short.csv", index=False)
    assert fault(run("train", "short.csv", "-o", "x.aed", "--time", "time", "--window", "24")) == (
        "error: short.csv: the longest segment without a gap has 20 steps, and a window 24; give more rows "
        "or a shorter --window"
    )
    found = run.json("score", "short.csv", "-m", "m.aed")
    assert (found["warmup"], found["unscorable"], found["rows"]) == (20, 20, 20)


def test_unknown_columns_are_named(run: Prompt) -> None:
    assert (
        run("train", "normal.csv", "-o", "x.aed", "--time", "when")
        .usage()
        .startswith("--time: no column named 'when' in the data; there are: time, machine, temp")
    )
    assert (
        run("train", "normal.csv", "-o", "x.aed", "--time", "time", "--entity", "who")
        .usage()
        .startswith("--entity: no column named 'who' in the data")
    )


def test_history_and_events_are_for_series(run: Prompt, tiny_model: Path, tiny_csv: Path) -> None:
    assert (
        run("score", tiny_csv, "-m", tiny_model, "--events", "e.csv")
        .usage()
        .endswith("no model of time series, which --history and --events are for")
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "x.csv", "--events", "x.csv"), "x.csv: both -o and --events go there; name two files"),
        (("-o", "x.csv", "--events", "./x.csv"), "./x.csv: both -o and --events go there; name two files"),
        (
            ("--events", "x.csv", "--new-only", "--state", "x.csv"),
            "x.csv: the state file is also an input, an output or the model; name another",
        ),
        (("--events", "new/"), "--events new/: a folder; name a file"),
    ],
)
def test_events_go_to_a_file_of_their_own(run: Prompt, words: tuple[str, ...], message: str) -> None:
    assert run("score", "new.csv", "-m", "m.aed", *words).usage() == message
    assert not Path("x.csv").exists()


def test_what_is_scored_is_no_history_of_itself(run: Prompt) -> None:
    run("score", "new.csv", "-m", "m.aed", "-o", "whole.csv")
    result = run("score", "new.csv", "-m", "m.aed", "-o", "part.csv", "--history", "[n]ew.csv")
    assert result.exit_code == 0
    assert Path("part.csv").read_text() == Path("whole.csv").read_text()


@pytest.mark.parametrize(
    ("given", "told"),
    [("%Q", "'Q' is a bad directive in format '%Q'"), ("%d/%", "stray % in format '%d/%'")],
)
def test_a_time_format_that_is_none(run: Prompt, given: str, told: str) -> None:
    flags = ("--time", "time", "--time-format", given)
    assert run("train", "normal.csv", "-o", "x.aed", "-q", *flags).usage() == (
        f"--time-format: {told}; write it like '%d/%m/%Y %H:%M'"
    )


def test_evaluate_judges_series_by_event(run: Prompt) -> None:
    new = pd.read_csv("new.csv").assign(fault=0)
    new.loc[200:259, "fault"] = 1
    new.to_csv("labelled.csv", index=False)
    found = run.json("evaluate", "labelled.csv", "-m", "m.aed", "--label", "fault")
    assert (found["series"]["events"], found["series"]["caught"], found["series"]["false"]) == (1, 1, 1)
    shown = run("evaluate", "labelled.csv", "-m", "m.aed", "--label", "fault").stdout
    assert "events caught, of 1" in shown
    assert "delay, in hindsight " in shown
    assert "false alarms: " in shown
    assert "1 false event in 5." in shown


def test_explain_tells_events_the_strangest_first(run: Prompt) -> None:
    result = run("explain", "new.csv", "-m", "m.aed")
    assert result.exit_code == 0
    heads = [line for line in result.stdout.splitlines() if line.startswith("new.csv: event 1, machine m")]
    assert len(heads) == 2
    assert " was expected" in result.stdout
    assert "  clearly off from 2026-02-0" in result.stdout
    assert "temp, seen      " in result.stdout


def test_explain_takes_one_event_or_row(run: Prompt) -> None:
    found = run.json("explain", "new.csv", "-m", "m.aed", "--event", 1, "--entity", "m1")
    (event,) = found["explained"]
    assert (found["events"], event["anomaly_event"], event["entity"]) == (2, 1, {"machine": "m1"})
    assert event["columns"][0]["column"] == "temp"
    assert event["start"] <= event["clearest"][0] <= event["clearest"][1] <= event["end"]
    found = run.json("explain", "new.csv", "-m", "m.aed", "--row", 231, "--row", 1)
    assert [row["is_anomaly"] for row in found["explained"]] == [True, False]
    assert [row["row"] for row in found["explained"]] == [231, 1]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ("--event", "1"),
            "--event 1: 2 series have an event of that number; add --entity and one of: m0, m1",
        ),
        (("--event", "1", "--row", "2"), "--event excludes --row, --id and --top; choose one"),
        (("--id", "x"), "--id is for models of tables; of time series give --event, --row or --entity"),
    ],
)
def test_explain_says_how_to_ask(run: Prompt, flags: tuple[str, ...], said: str) -> None:
    assert run("explain", "new.csv", "-m", "m.aed", *flags).usage() == said


def test_explain_names_what_is_not_there(run: Prompt) -> None:
    assert fault(run("explain", "new.csv", "-m", "m.aed", "--event", "9", "--entity", "m0")) == (
        "error: --event 9: there is no such event; the last is event 1"
    )
    assert fault(run("explain", "new.csv", "-m", "m.aed", "--row", "9999")) == (
        "error: new.csv: there is no row 9999; the last is row 864"
    )


def test_events_are_for_series(run: Prompt, tiny_model: Path, tiny_csv: Path) -> None:
    assert (
        run("explain", tiny_csv, "-m", tiny_model, "--event", "1")
        .usage()
        .endswith("no model of time series, which --event and --entity are for")
    )


def test_report_is_written_for_series(run: Prompt) -> None:
    result = run("report", "new.csv", "-m", "m.aed", "-o", "r.html")
    assert result.exit_code == 0
    assert result.stdout.startswith("2 events on 2 series in 2 d 23 h. The strangest, on m")
    page = Path("r.html").read_text(encoding="utf-8")
    assert page.count('class="panel"') == 2
    told = run("report", "new.csv", "-m", "m.aed", "--format", "md").stdout
    assert "| event | from | for | score | why |" in told
    assert "| m0 1 | 2026-02-0" in told


def test_calibrate_takes_series(run: Prompt) -> None:
    result = run("calibrate", "normal.csv", "-m", "m.aed", "-o", "c.aed", "--alert-rate", "0.05")
    assert result.exit_code == 0
    assert result.stdout == (
        "c.aed: rows with a p-value of at most 0.05 are flagged, 5% of normal rows; before, those of at most "
        "0.001\n"
    )
    assert run("score", "new.csv", "-m", "c.aed").exit_code == 0


def test_drift_is_measured_on_series(run: Prompt) -> None:
    moved = pd.read_csv("normal.csv")
    moved["load"] += 60
    moved.to_csv("moved.csv", index=False)
    steady = run.json("drift", "normal.csv", "-m", "m.aed")
    assert steady["verdict"] == "steady"
    result = run("drift", "moved.csv", "-m", "m.aed", "--json", "--fail-on-drift")
    assert result.exit_code == 11
    assert json.loads(result.stdout)["drifted"] == ["load"]


def test_a_short_stretch_is_too_little_to_tell_drift(run: Prompt) -> None:
    pd.read_csv("normal.csv")[:200].to_csv("short.csv", index=False)
    assert run.json("drift", "short.csv", "-m", "m.aed")["verdict"] == "too few rows"


@pytest.mark.parametrize(
    "words",
    [
        ("encode", "new.csv", "-o", "x.csv"),
        ("decode", "new.csv", "-o", "x.csv"),
        ("clean", "new.csv", "-o", "x.csv"),
        ("impute", "new.csv", "-o", "x.csv"),
        ("sample", "3", "-o", "x.csv"),
    ],
)
def test_what_is_for_tables_says_so(run: Prompt, words: tuple[str, ...]) -> None:
    assert fault(run(*words, "-m", "m.aed"), 4) == (
        "error: a model of time series has no codes and repairs; train one of tables, without --time"
    )


def test_training_goes_not_on_from_a_model_of_series(run: Prompt) -> None:
    flags = ("--time", "time", "--from", "m.aed")
    assert run("train", "normal.csv", "-o", "x.aed", *flags).usage() == (
        "--from goes with tables; a model of time series is retrained"
    )


@pytest.mark.parametrize("flags", [(), ("--json",), ("--format", "md")])
def test_inspect_shows_a_model_of_series(run: Prompt, flags: tuple[str, ...]) -> None:
    result = run("inspect", "m.aed", *flags)
    assert result.exit_code == 0
    assert "machine" in result.stdout
