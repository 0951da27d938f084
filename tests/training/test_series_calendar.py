"""Whether a series goes by the clock on the wall."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aedetect.data.series.calendar import local_seconds
from aedetect.data.series.grid import Grid
from aedetect.data.series.segments import Timeline
from aedetect.data.series.timestamps import Clock
from aedetect.training.series_calendar import follows_the_clock

ZONE = "Europe/Berlin"
HOUR = 3600.0
FIRST = pd.Timestamp("2026-02-02").timestamp()


def follows(values: np.ndarray, step: float, zone: str | None = ZONE, kind: str = "text") -> bool:
    seconds = FIRST + step * np.arange(len(values))
    timeline = Timeline.of(seconds, np.zeros(len(values), dtype=np.int64), Grid(step, 200 * step, 0.0))
    clock = Clock.model_validate({"columns": ("time",), "kind": kind, "zone": zone})
    segment = (values[:, None] + 0.1 * np.random.default_rng(0).normal(size=(len(values), 1))).astype(
        np.float32
    )
    return follows_the_clock(clock, timeline, step, [segment])


@pytest.fixture
def by_day() -> np.ndarray:
    local = local_seconds(FIRST + HOUR * np.arange(70 * 24), ZONE)
    return np.sin(2 * np.pi * (local % 86_400) / 86_400)


def test_a_rhythm_of_the_day_does(by_day: np.ndarray) -> None:
    assert follows(by_day, HOUR)


def test_without_a_clock_that_is_moved_nothing_does(by_day: np.ndarray) -> None:
    assert not follows(by_day, HOUR, zone=None)
    assert not follows(by_day, HOUR, zone="Asia/Tokyo")
    assert not follows(by_day, HOUR, kind="count")


def test_noise_does_not() -> None:
    assert not follows(np.random.default_rng(1).normal(size=70 * 24), HOUR)


def test_days_do() -> None:
    assert follows(np.zeros(300), 86_400.0)
