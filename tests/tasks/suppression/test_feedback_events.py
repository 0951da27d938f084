"""Events like one that somebody called normal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.prompt import Prompt
from support.sensors import DAY, broken, readings


def with_breaks(seed: int, *spans: tuple[int, int]) -> pd.DataFrame:
    """Three days of two machines, some stretches of which are broken; machine m1 begins at 3 * DAY."""
    frame = readings(3, 2, seed=seed, start="2026-02-01")
    for begin, end in spans:
        frame = broken(frame, begin, end)
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, new.csv with an event on each machine, and notes.json: that of the first is normal."""
    path = tmp_path_factory.mktemp("noted")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    with_breaks(5, (200, 260), (3 * DAY + 300, 3 * DAY + 350)).to_csv(path / "new.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", "4h", "--alert-rate", "0.001")
    run = Prompt(path)
    assert run("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    assert run("score", "new.csv", "-m", "m.aed", "-o", "scored.csv").exit_code == 0
    first = readings(1, 1)["machine"][0]
    said = run(
        *("feedback", "scored.csv", "--event", 1, "--entity", first, "--normal", "--note", "service"),
        *("-m", "m.aed", "--store", "notes.json"),
    )
    assert said.stdout == "notes.json: note 1: event 1 of scored.csv called normal\n", said.output
    return path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.chdir(folder)
    return Prompt(folder)


def test_an_event_alike_is_muted_as_a_whole(run: Prompt) -> None:
    with_breaks(9, (320, 370)).to_csv("later.csv", index=False)
    before = run.json("score", "later.csv", "-m", "m.aed", "-o", "before.csv")
    words = ("score", "later.csv", "-m", "m.aed", "-o", "after.csv", "--events", "events.csv")
    after = run.json(*words, "--feedback", "notes.json")
    assert (before["events"], before["muted_events"]) == (1, 0)
    assert (after["events"], after["muted_events"], after["anomalies"]) == (0, 1, 0)
    assert after["muted"] == before["anomalies"]
    assert after["muted_by"] == [{"kind": "feedback", "name": "note 1 (service)", "rows": after["muted"]}]
    assert len(pd.read_csv("events.csv")) == 0
    scores = [pd.read_csv(name)[["anomaly_score", "anomaly_p_value"]] for name in ("before.csv", "after.csv")]
    pd.testing.assert_frame_equal(*scores)
    muted = pd.read_csv("after.csv")["anomaly_status"] == "muted"
    pd.testing.assert_series_equal(muted, pd.read_csv("before.csv")["is_anomaly"], check_names=False)


def test_an_event_of_another_series_or_far_longer_is_not(run: Prompt) -> None:
    with_breaks(9, (3 * DAY + 220, 3 * DAY + 270)).to_csv("other.csv", index=False)
    summary = run.json("score", "other.csv", "-m", "m.aed", "--feedback", "notes.json")
    assert (summary["events"], summary["muted"]) == (1, 0)
    with_breaks(9, (150, 420)).to_csv("long.csv", index=False)
    summary = run.json("score", "long.csv", "-m", "m.aed", "--feedback", "notes.json")
    assert (summary["events"], summary["muted"]) == (1, 0)


def test_explain_tells_of_a_muted_event(run: Prompt) -> None:
    first = readings(1, 1)["machine"][0]
    words = ("explain", "new.csv", "-m", "m.aed", "--feedback", "notes.json")
    result = run(*words, "--event", 1, "--entity", first)
    assert ", all its rows muted), highest score " in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("  muted: ")]
    assert line.startswith(f"  muted: like event 1 of {first} of scored.csv, which ")
    assert "called normal on 20" in line
    body = run.json(*words)
    assert (body["events"], body["muted_events"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ["--event", 1, "-m", "m.aed"],
            2,
            "--event 1: 2 series have an event of that number; add --entity and",
        ),
        (["--event", 1], 2, "of time series, name the model that scored them: -m MODEL.aed"),
        (["--event", 7, "-m", "m.aed"], 3, "scored.csv: there is no event 7"),
    ],
)
def test_wrong_use_is_told(run: Prompt, words: list[object], code: int, said: str) -> None:
    result = run("feedback", "scored.csv", *words, "--normal", "--store", "other.json")
    assert result.exit_code == code
    assert said in result.stderr
    assert not Path("other.json").exists()


def test_flagged_rows_alone_are_too_few_of_a_series(run: Prompt) -> None:
    run("score", "new.csv", "-m", "m.aed", "-o", "odd.csv", "--only-anomalies")
    result = run("feedback", "odd.csv", "--event", 1, "--normal", "-m", "m.aed", "--store", "other.json")
    assert result.exit_code == 3
    assert result.stderr == (
        "error: odd.csv: holds flagged rows alone, and of time series all rows are needed; score without "
        "--only-anomalies\n"
    )
