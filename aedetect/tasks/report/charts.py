"""Charts as inline SVG: no script needed to see them, colours from the page's style.

Marks carry `data-tip`, which the page's script shows beside the pointer and reads out to the keyboard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# Near the width that a chart has on a screen, so that its letters have the size they say.
WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 12, 40


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` on `start` to `stop`, linear or logarithmic; `whole`: whole numbers."""

    low: float
    high: float
    start: float
    stop: float
    logarithmic: bool = False
    whole: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.stop - self.start), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values that lie on the axis."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last - first < 2:
                finer = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
                ticks = [value for value in finer if self.low <= value * (1 + 1e-9) and value <= self.high]
                return ticks if len(ticks) > 1 else self._even_ticks(most)
            every = max(1, -(-(last - first + 1) // most))
            return [10.0**power for power in range(first, last + 1, every)]
        return self._even_ticks(most)

    def _even_ticks(self, most: int) -> list[float]:
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        raw = max(span / most, float(self.whole))
        size = 10.0 ** math.floor(math.log10(raw))
        step = next((size * factor for factor in (1, 2, 5) if size * factor >= raw), 10 * size)
        lowest = math.ceil(self.low / step - 1e-9)
        return [step * count for count in range(lowest, math.floor(self.high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A tick's or tip's number: 1,200 or 0.05 or 3.4e-07."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def tick(value: float, thousand: float = 1e4) -> str:
    """An axis' number, short: 1,500 or 20k or 3M; in thousands from `thousand` on."""
    if 1e6 <= abs(value) < 1e9:
        return f"{value / 1e6:,.4g}M"
    return f"{value / 1e3:,.4g}k" if thousand <= abs(value) < 1e6 else number(value)


def curves(
    title: str, lines: Sequence[tuple[str, Sequence[float], Sequence[float]]], x_name: str, y_name: str,
    diagonal: bool = False, unit: bool = False,
) -> Markup:  # fmt: skip
    """Lines of (class, x, y); from 0 to 1 on both axes with `unit`."""
    xs = [value for _, across, _ in lines for value in across]
    ys = [value for _, _, up in lines for value in up]
    if not xs:
        return Markup("")
    side = (0.0, 1.0) if unit else (min(xs), max(xs))
    rise = (0.0, 1.0) if unit else (min(0.0, min(ys)), max(ys))
    x = Axis(*side, LEFT, WIDTH - RIGHT)
    y = Axis(*rise, HEIGHT - BOTTOM, TOP)
    marks = []
    if diagonal:
        marks.append(
            Markup('<line class="border" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(x(0), y(0), x(1), y(1))
        )
    for kind, across, up in lines:
        path = " ".join(f"{x(a)},{y(b)}" for a, b in zip(across, up, strict=True))
        marks.append(Markup('<polyline class="line {}" points="{}"/>').format(kind, path))
    parts = [*bottom_axis(x, HEIGHT - BOTTOM, x_name), *left_axis(y, y_name), *marks]
    return frame(f"{title}: {y_name} by {x_name}", HEIGHT, parts)


def bar(share: float, kind: str = "share") -> Markup:
    """A bar of a share from 0 to 1, for a table's cell."""
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/><rect class="{}" width="{}" height="10"/></svg>'
    ).format(kind, round(100 * min(max(share, 0.0), 1.0), 1))


def bottom_axis(x: Axis, bottom: float, name: str) -> list[Markup]:
    """Ticks and the name of a horizontal axis that stands at `bottom`."""
    parts = []
    for value in x.ticks():
        at = x(value)
        # The last one ends with the drawing, rather than reach out of it.
        anchor = "end" if at > WIDTH - RIGHT - 12 else "middle"
        parts.append(
            Markup('<line class="tick-mark" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                at, bottom, bottom + 4
            )
        )
        parts.append(text(at + (8 if anchor == "end" else 0), bottom + 16, tick(value), "tick", anchor))
    if name:
        parts.append(text((WIDTH + LEFT) / 2, bottom + 34, name, "axis", "middle"))
    return parts


def left_axis(y: Axis, name: str, most: int = 5) -> list[Markup]:
    """Ticks with lines across, and the name, of a vertical axis."""
    parts = []
    for value in y.ticks(most):
        at = y(value)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, at, at)
        )
        parts.append(text(LEFT - 6, at + 4, tick(value, 1e3), "tick", "end"))
    parts.append(
        Markup(
            '<text class="axis" text-anchor="middle" transform="translate(13 {}) rotate(-90)">{}</text>'
        ).format((y.start + y.stop) / 2, name)
    )
    return parts


def across(y: float, kind: str = "limit") -> Markup:
    """A line over the whole width."""
    return Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        kind, LEFT, WIDTH - RIGHT, y, y
    )


def upright(x: float, top: float, bottom: float, kind: str) -> Markup:
    return Markup('<line class="{0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>').format(kind, x, top, bottom)


def frame(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    """A chart of `parts`; `title` is what those hear of it who cannot see it."""
    return (
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, height, title
        )
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def mark(shape: str, kind: str, tip: str, **places: float | str) -> Markup:
    """A shape that tells its `tip` where it is pointed at."""
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, value if isinstance(value, str) else f"{value:g}")
        for name, value in places.items()
    )
    return Markup('<{0} class="{1}" {2} data-tip="{3}"/>').format(shape, kind, attributes, tip)


def text(x: float, y: float, words: str, kind: str, anchor: str) -> Markup:
    """A text that begins, ends or has its middle at (x, y), as `anchor` says."""
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, round(x, 1), round(y, 1), anchor, escape(words)
    )
