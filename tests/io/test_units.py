from __future__ import annotations

import pytest

from aedetect.io.units import is_unit


@pytest.mark.parametrize(
    "text",
    [
        "m",
        "m/s",
        "m/s²",
        "kg m^-3",
        "°C",
        "[°C]",
        "(kWh)",
        "%",
        "W/m2",
        "1/min",
        "hPa",
        "EUR",
        "µg/m³",
        "l/h",
        "[-]",
    ],
)
def test_units(text: str) -> None:
    assert is_unit(text)


@pytest.mark.parametrize(
    "text", ["", "n/a", "none", "-", "?", "ERR", "unknown", "north", "12", "1", "2024", "(45)", "null", "nan"]
)
def test_what_is_none(text: str) -> None:
    assert not is_unit(text)
