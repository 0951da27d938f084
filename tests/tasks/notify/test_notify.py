"""Messages on data at hand, in series of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from support.receiver import Receiver, receiving
from support.sensors import broken, readings

from aedetect import Detector, load
from aedetect.errors import AedetectWarning, UsageError

QUICK = {"training.epochs": 3, "model.width": 16, "training.device": "cpu", "series.window": 24}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def told(detector: Detector, frame: pd.DataFrame, receiver: Receiver) -> list[str]:
    """The titles and the first lines of what is sent."""
    with pytest.warns(AedetectWarning, match="notify without state FILE remembers nothing"):
        entries = detector.notify(frame, receiver.url())
    assert all(entry["delivered"] for entry in entries)
    return [f"{one.title} | {one.body.splitlines()[0]}" for one in receiver.messages]


@pytest.fixture(scope="module")
def odd() -> pd.DataFrame:
    return broken(readings(2, seed=5, start="2026-02-01"), 200, 240).drop(columns="machine")


def test_times_are_said_in_their_zone(receiver: Receiver, odd: pd.DataFrame) -> None:
    normal = (
        readings(8).drop(columns="machine").assign(time=lambda frame: frame["time"].dt.tz_localize("UTC"))
    )
    detector = Detector({**QUICK, "series.time": "time", "series.time_zone": "Europe/Berlin"}).fit(normal)
    (message,) = told(detector, odd.assign(time=odd["time"].dt.tz_localize("UTC")), receiver)
    assert message.startswith("aedetect: event 1, 2026-02-02 10:20 Europe/Berlin to 2026-02-02 1")
    assert "flagged rows. It " in message
    assert receiver.messages[0].plots[0].startswith(b"\x89PNG")


def test_steps_are_said_as_they_are(receiver: Receiver, odd: pd.DataFrame) -> None:
    normal = readings(8).drop(columns="machine")
    numbered = normal.assign(time=range(len(normal)))
    detector = Detector({**QUICK, "series.time": "time", "series.time_format": "steps"}).fit(numbered)
    (message,) = told(detector, odd.assign(time=range(5_000, 5_000 + len(odd))), receiver)
    assert message.startswith("aedetect: event 1, 5200 to 52")
    assert "(" not in message.partition("|")[2]
    assert receiver.messages[0].plots[0].startswith(b"\x89PNG")


def test_a_state_file_remembers(receiver: Receiver, tiny_model: Path, tmp_path: Path) -> None:
    detector = load(tiny_model, device="cpu")
    frame = pd.DataFrame(
        {"temp": [20.0, 900.0], "load": [40.0, -900.0], "site": ["north"] * 2, "open": [True] * 2}
    )
    receiver.status = 500
    with pytest.warns(
        AedetectWarning, match="1 message not delivered: it answered with code 500; the next run"
    ):
        (entry,) = detector.notify(frame, receiver.url(), state=tmp_path / "s.db", name="mine")
    assert (entry["kind"], entry["delivered"]) == ("new", False)
    receiver.status = 200
    entries = detector.notify(frame.head(1), receiver.url(), state=tmp_path / "s.db", name="mine")
    assert [one["delivered"] for one in entries] == [True]
    assert receiver.titles == ["mine: 1 of 2 rows flagged (50.00%)"]


def test_what_cannot_be_meant_is_refused(tiny_model: Path) -> None:
    detector = load(tiny_model, device="cpu")
    with pytest.raises(UsageError, match=r"^to: say where messages go$"):
        detector.notify("new.csv", [])
    with pytest.raises(UsageError, match=r"^remind = 'soon': not a duration"):
        detector.notify("new.csv", "json://localhost", remind="soon")
