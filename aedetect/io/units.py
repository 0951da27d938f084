"""Units of measurement, as tables name them below their header."""

from __future__ import annotations

import re

_PREFIXES = "(?:da|[yzafpnuµμmcdhkMGTPE])?"
_BASES = (
    "m|g|s|A|K|mol|cd|Hz|N|Pa|J|W|C|V|F|Ω|ohm|S|Wb|T|H|lm|lx|Bq|Gy|Sv|l|L|bar|eV|t|b|B|bit|byte|Wh|Ah|VA|var|"
    "VAr|cal|ppm|dB|dBm|rad|sr|sec|min|mol"
)
_OTHERS = (
    "%|‰|°|°C|°F|degC|degF|deg|degrees|celsius|kelvin|h|hr|hrs|hour|hours|d|day|days|week|month|year|yr|a|"
    "sec|secs|second|seconds|minute|minutes|mins|rpm|bpm|mph|kph|kmh|knots|kn|ft|in|inch|mi|miles|yd|lb|lbs|oz|"
    "psi|mmHg|hPa|atm|ppb|ppm|pH|kWh|MWh|GWh|pcs|pieces|count|counts|units?|EUR|USD|GBP|CHF|JPY|€|\\$|£|¥|"
    "percent|meters?|metres?|grams?|volts?|amps?|watts?|liters?|litres?"
)
_ONE = rf"(?:{_PREFIXES}(?:{_BASES})|{_OTHERS}|1)"
_POWER = r"(?:\^?[-+]?[1-4]|[²³⁻¹]+)?"
_UNIT = re.compile(rf"^{_ONE}{_POWER}(?:\s?[/*·.\s]\s?{_ONE}{_POWER})*$")
_BRACKETED = re.compile(r"^[\[(]([^\[\]()]{0,20})[\])]$")


def is_unit(text: str) -> bool:
    """Whether a cell is the name of a unit: 'm/s', '[kWh]', '°C', '-' within brackets.

    >>> [is_unit(text) for text in ("m/s", "kg", "[°C]", "W/m²", "n/a", "north", "12")]
    [True, True, True, True, False, False, False]
    """
    bracketed = _BRACKETED.match(text.strip())
    if bracketed:
        return not re.search(r"\d{2}", bracketed[1])
    return bool(_UNIT.match(text.strip())) and not text.strip().isdecimal()
