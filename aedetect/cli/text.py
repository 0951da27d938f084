"""Words for people: text from data made safe to show, and counts of things."""

from __future__ import annotations

MOST_SHOWN = 60


def plain(text: str, most: int | None = None) -> str:
    """Text from data made safe to show: control characters spelled out, cut in its middle to `most`."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    if most is None or len(safe) <= most:
        return safe
    # Long names that are much the same differ at either end.
    end = (most - 1) // 2
    return f"{safe[: most - 1 - end]}…{safe[len(safe) - end :]}"


def computed_on(device: str) -> str:
    """What a device is called: 'on the CPU', 'on the GPU (cuda:0)'."""
    return "on the CPU" if device == "cpu" else f"on the GPU ({device})"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things: '1 row', '2,000 rows'; `plural` where it is irregular."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
