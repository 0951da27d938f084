"""`aedetect score --expect` and `--silence`: what is said of dumps, and of series without rows."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.prompt import Prompt
from support.sensors import readings
from support.tables import tiny_frame

NEW = ("--new-only", "--state", "s.db")
EXPECT = (*NEW, "--expect", "auto")
SCHEMA = json.loads(resources.files("aedetect").joinpath("engine/assets/score_summary.json").read_text())
NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
# When in a day dumps come: a minute before now, so that whenever tests run, the last one due is not yet late.
COMING = NOW - TODAY - timedelta(minutes=1)


def dump(days_ago: int, rows: int = 60, **columns: Any) -> str:
    """The dump of a day, which came in the course of the next."""
    day = TODAY - timedelta(days=days_ago)
    path = Path("in", f"{day:%Y-%m-%d}.csv")
    path.parent.mkdir(exist_ok=True)
    tiny_frame(rows, seed=days_ago).assign(**columns).to_csv(path, index=False)
    at = (day + timedelta(days=1) + COMING).timestamp()
    os.utime(path, (at, at))
    return str(path)


@pytest.fixture
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """Scoring with m.aed, where `in` holds ten dumps, up to the day before yesterday."""
    prompt.write("m.aed", tiny_model.read_bytes())
    for days_ago in range(11, 1, -1):
        dump(days_ago)
    return prompt.command("score", "in", after=("-m", "m.aed"))


def findings(score: Prompt, *words: object, exit_code: int = 0) -> list[dict[str, Any]]:
    summary = score.json(*words, exit_code=exit_code)
    jsonschema.validate(summary, SCHEMA)
    found = summary["health"]
    assert isinstance(found, list)
    return found


class TestExpect:
    def test_all_is_as_before(self, score: Prompt) -> None:
        score(*NEW)
        dump(1)
        result = score(*EXPECT, "--fail-on-health", "-v")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == "health: all is as before"

    def test_a_sick_dump(self, score: Prompt) -> None:
        score(*NEW)
        path = dump(1, 9, load=None)
        result = score(*EXPECT, "--fail-on-health", "--metrics", "m.prom")
        assert result.exit_code == 12
        lines = [line for line in result.stdout.splitlines() if line.startswith("health: ")]
        assert lines[0] == f"health: {path}: 9 rows; the 10 files before it had 60 (limits 31 to 115)"
        samples = {
            sample.labels["kind"]: sample.value
            for family in text_string_to_metric_families(Path("m.prom").read_text())
            for sample in family.samples
            if sample.name == "aedetect_health_findings"
        }
        assert samples["rows"] == 1
        assert samples["silence"] == 0
        # It was scored, and is not told again.
        assert findings(score, *EXPECT, "--fail-on-health") == []

    def test_an_empty_column_and_an_entity_that_stopped(self, score: Prompt) -> None:
        words = (*EXPECT, "--expect-entity", "site")
        assert findings(score, *words) == []
        dump(1, load=None, site="north")
        found = {one["kind"]: one for one in findings(score, *words, "--fail-on-health", exit_code=12)}
        assert (found["empty"]["column"], found["empty"]["value"]) == ("load", 1.0)
        assert found["entity"]["entity"] == ["west"]

    def test_a_day_without_a_file(self, score: Prompt) -> None:
        score(*NEW)
        Path(dump(2)).unlink()
        dump(1)
        Path("in").joinpath(f"{TODAY - timedelta(days=3):%Y-%m-%d}.csv").unlink()
        assert findings(score, *EXPECT) == []

    def test_a_dump_that_was_left_out_is_told_with_the_next(self, score: Prompt) -> None:
        Path(dump(2)).unlink()
        score(*NEW)
        dump(1)
        (one,) = findings(score, *EXPECT, "--fail-on-health", exit_code=12)
        day = f"{TODAY - timedelta(days=2):%Y-%m-%d}"
        assert (one["kind"], one["input"], one["value"]) == ("missing", "in/<date>.csv", 1)
        assert one["text"].startswith(f"in/<date>.csv: no file for {day} came before in/")

    def test_a_late_dump_is_told_though_nothing_is_new(self, score: Prompt) -> None:
        Path(dump(2)).unlink()
        Path(dump(3)).unlink()
        assert [one["kind"] for one in findings(score, *EXPECT)] == ["late"]
        result = score(*EXPECT, "--fail-on-health")
        assert result.exit_code == 12
        assert result.stdout.startswith("nothing new: 8 files already scored")

    def test_a_late_dump_of_a_folder_that_is_emptied(self, score: Prompt) -> None:
        Path(dump(2)).unlink()
        Path(dump(3)).unlink()
        score(*NEW)
        for path in Path("in").iterdir():
            path.unlink()
        tiny_frame(30).to_csv("in/other.csv", index=False)
        assert [one["kind"] for one in findings(score, *EXPECT)] == ["late"]

    def test_too_few_files_are_said_to_be_too_few(self, score: Prompt) -> None:
        for days_ago in range(2, 9):
            Path(dump(days_ago)).unlink()
        summary = score.json(*EXPECT, "--fail-on-health")
        assert (summary["health"], summary["health_unjudged"]) == (
            [],
            ["nothing is said of in/<date>.csv: 2 files came before, and at least 7 are needed"],
        )

    def test_nothing_is_said_unless_asked_for(self, score: Prompt) -> None:
        summary = score.json(*NEW)
        assert (summary["health"], summary["health_unjudged"], summary["silences"]) == (None, None, None)

    def test_failures_and_other_findings_come_first(self, score: Prompt) -> None:
        score(*NEW)
        dump(1, 9)
        assert score(*EXPECT, "--fail-on-health", "--fail-over", "0").exit_code in (10, 12)
        Path("in/bad.csv").write_text("temp\n1\n")
        assert score(*EXPECT, "--fail-on-health").exit_code == 6

    @pytest.mark.slow
    def test_side_by_side_the_same_is_seen(self, score: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("aedetect.engine.executors.WORTHWHILE_BYTES", 1)
        score(*NEW, "--jobs", 2)
        dump(1, load=None)
        assert "empty" in {one["kind"] for one in findings(score, *EXPECT)}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (
                ("--expect", "auto"),
                "--expect auto needs --new-only --state FILE, which knows what came before",
            ),
            ((*NEW, "--fail-on-health"), "--fail-on-health goes with --expect auto or --silence TIME"),
            ((*NEW, "--expect-entity", "site"), "--expect-entity COLUMN goes with --expect auto"),
            (
                (*EXPECT, "--expect-entity", "sites"),
                "--expect-entity: no column named 'sites' in in/",
            ),
            (("--silence", "2h"), "m.aed: no model of time series, which --silence is for"),
            ((*NEW, "--expect", "always"), "--expect = 'always': not auto, the only choice"),
            (("--silence", "soon"), "--silence = 'soon': not a duration; write it like 90s, 10m or 2h"),
        ],
    )
    def test_wrong_use(self, score: Prompt, words: tuple[str, ...], message: str) -> None:
        result = score(*words)
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr


class TestState:
    def test_show(self, score: Prompt, prompt: Prompt) -> None:
        score(*NEW)
        first, last = (f"{TODAY - timedelta(days=days):%Y-%m-%d}" for days in (11, 2))
        assert prompt("state", "show", "s.db").stdout.splitlines()[-1] == (
            f"{os.path.realpath('in')}/<date>.csv: 10 files of {first} to {last}, 60 rows"
        )
        (stream,) = prompt.json("state", "show", "s.db", exit_code=0)["streams"]
        assert (stream["files"], stream["least_rows"], stream["most_rows"]) == (10, 60, 60)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two machines, and three days of them: m1 says nothing for hours, m0 stops."""
    path = tmp_path_factory.mktemp("silences")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    new = readings(3, 2, seed=5, start="2026-02-01")
    when = new["time"].astype(str)
    pause = (new["machine"] == "m1") & (when >= "2026-02-01 22:00") & (when < "2026-02-02 03:00")
    end = (new["machine"] == "m0") & (when > "2026-02-02 12:00:00")
    new = new[~pause & ~end]
    new.to_csv(path / "new.csv", index=False)
    for day in ("02-01", "02-02", "02-03"):
        new[new["time"].astype(str).str.contains(day)].to_csv(path / f"{day}.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", "4h", "--epochs", 1)
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path


class TestSilence:
    @pytest.fixture(autouse=True)
    def _here(self, series: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(series)

    @pytest.fixture
    def run(self, series: Path) -> Prompt:
        return Prompt(series).command("score", after=("-m", "m.aed"))

    def test_silences_are_events_of_their_own(self, run: Prompt) -> None:
        plain = run.json("new.csv")
        found = run.json("new.csv", "--silence", "2h", "--events", "e.csv", "-o", "out.csv")
        jsonschema.validate(found, SCHEMA)
        assert (found["events"], found["silences"]) == (plain["events"], 2)
        assert [one["text"] for one in found["health"]] == [
            "machine m0: no row since 2026-02-02 12:00, while others go on until 2026-02-03 23:50 "
            "(1 d 11 h; limit 2 h)",
            "machine m1: no row from 2026-02-01 21:50 to 2026-02-02 03:00 (5 h 10 min; limit 2 h)",
        ]
        events = pd.read_csv("e.csv")
        assert events["kind"].value_counts().get("anomaly", 0) == found["events"]
        silent = events[events["kind"] == "silence"]
        assert silent[["machine", "start", "end", "rows"]].fillna("").to_numpy().tolist() == [
            ["m0", "2026-02-02 12:00:00.000", "", 0],
            ["m1", "2026-02-01 21:50:00.000", "2026-02-02 03:00:00.000", 0],
        ]
        assert silent["anomaly_event"].isna().all()
        # Scores and verdicts are as without.
        run("new.csv", "-o", "plain.csv")
        assert Path("out.csv").read_bytes() == Path("plain.csv").read_bytes()

    def test_for_people(self, run: Prompt) -> None:
        result = run("new.csv", "--silence", "2h", "--fail-on-health")
        assert result.exit_code == 12
        assert ", 2 silences\n" in result.stdout
        assert "\nsilence: machine m1: no row from 2026-02-01 21:50 to 2026-02-02 03:00 " in result.stdout

    def test_over_runs_a_silence_is_the_same(self, run: Prompt) -> None:
        words = ("-o", "out/", "--new-only", "--state", "l.db", "--silence", "2h")
        texts = [
            [one["text"] for one in run.json(f"{day}.csv", *words)["health"]] for day in ("02-01", "02-02")
        ]
        m1 = "machine m1: no row from 2026-02-01 21:50 to 2026-02-02 03:00 (5 h 10 min; limit 2 h)"
        assert texts == [
            [],
            ["machine m0: no row since 2026-02-02 12:00, while others go on until 2026-02-02 23:50 "
             "(11 h 50 min; limit 2 h)", m1],
        ]  # fmt: skip
        (last,) = run.json("02-03.csv", *words)["health"]
        assert last["text"].startswith("machine m0: no row since 2026-02-02 12:00, while others go on until ")

    def test_history_is_looked_at_too(self, run: Prompt) -> None:
        found = run.json("02-03.csv", "--history", "02-02.csv", "--silence", "2h")
        assert [one["entity"] for one in found["health"]] == [["m0"]]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--silence", "5min"), "--silence 5 min: rows come every 10 min anyway; name a longer time"),
            (
                ("--silence", "2h", *EXPECT, "--expect-entity", "machine"),
                "--expect-entity is for tables; the series of this model are told apart by its --entity",
            ),
        ],
    )
    def test_wrong_use(self, run: Prompt, words: tuple[str, ...], message: str) -> None:
        result = run("new.csv", *words)
        assert result.exit_code == 2
        assert message in result.stderr
