"""Silences in words."""

from __future__ import annotations

import numpy as np

from aedetect.data.series.timestamps import Clock
from aedetect.scoring.silences import SilenceFinder
from aedetect.tasks.health.finding import Health
from aedetect.tasks.health.silence import of_silences

CLOCK = Clock(columns=("time",), kind="text", zone="Europe/Berlin")
HOUR = 3600.0


def finder(limit: float | None = HOUR) -> SilenceFinder:
    found = SilenceFinder(limit, {("m2", "x"): 0.0, ("m3", "x"): -40 * 24 * HOUR})
    found.see(("m1", "x"), np.array([0.0, 3 * HOUR]), np.array([True, True]))
    return found


def test_words() -> None:
    health = of_silences(finder(), ("machine", "part"), CLOCK)
    assert [one.text for one in health.findings] == [
        "machine m1, part x: no row from 1970-01-01 01:00 to 1970-01-01 04:00 Europe/Berlin (3 h; limit 1 h)",
        "machine m2, part x: no row since 1970-01-01 01:00, while others go on until 1970-01-01 04:00 "
        "Europe/Berlin (3 h; limit 1 h)",
    ]
    assert [(one.entity, one.value, one.high) for one in health.findings] == [
        (("m1", "x"), 3 * HOUR, HOUR),
        (("m2", "x"), 3 * HOUR, HOUR),
    ]
    assert health.unjudged == ["silent for so long that they are taken to have ended: m3/x"]


def test_nothing_was_asked_for() -> None:
    assert of_silences(finder(None), ("machine", "part"), CLOCK) == Health()
