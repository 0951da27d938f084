"""Charts as inline SVG: no script needed to see them, colours from the page's style.

Marks carry `data-tip`, which the page's script shows beside the pointer, and a <title> for
readers without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

# Near the width that a chart has on a screen, so that its letters have the size they say.
WIDTH, HEIGHT, MAP_HEIGHT = 480, 230, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 12, 38
_MOST_NAMES = 8


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` on `start` to `stop`, linear or logarithmic."""

    low: float
    high: float
    start: float
    stop: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        share = (at - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.stop - self.start), 1)

    def ticks(self, most: int = 6) -> list[float]:
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last - first < 2:
                finer = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
                return [value for value in finer if self.low <= value * (1 + 1e-9) and value <= self.high]
            every = max(1, -(-(last - first + 1) // most))
            return [10.0**power for power in range(first, last + 1, every)]
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        raw = span / most
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


def histogram(edges: Sequence[float], counts: Sequence[int], threshold: float | None, rows: int) -> Markup:
    """Rows by score, on a logarithmic scale of scores and of rows, the threshold marked if there is one."""
    x = Axis(edges[0], edges[-1], _LEFT, WIDTH - _RIGHT, logarithmic=True)
    y = Axis(0.8, max(max(counts), 2), HEIGHT - _BOTTOM, _TOP, logarithmic=True)
    marks = []
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            beyond = threshold is not None and low >= threshold * (1 - 1e-9)
            kind = "flagged" if beyond else "calm"
            tip = f"{count:,} of {rows:,} rows score {number(low)} to {number(high)}"
            top, left, right = y(count), x(low), x(high)
            marks.append(
                _mark(
                    "rect",
                    kind,
                    tip,
                    x=left,
                    y=top,
                    width=max(1.0, round(right - left - 0.8, 1)),
                    height=round(HEIGHT - _BOTTOM - top, 1),
                )
            )
    if threshold is not None:
        marks.append(_threshold_line(x(threshold), threshold))
    return _chart("Histogram of scores", x, y, "score", "rows", marks)


def _threshold_line(at: float, threshold: float) -> Markup:
    """An upright line at `at`, with its name."""
    return Markup('<line class="limit" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
        at, _TOP, HEIGHT - _BOTTOM
    ) + _text(at + 4 if at < WIDTH - 120 else at - 4, _TOP + 10, f"threshold {number(threshold)}",
              "limit-name", "start" if at < WIDTH - 120 else "end")  # fmt: skip


def timeline(blocks: Sequence[Any], threshold: float | None, borders: Iterable[int]) -> Markup:
    """The highest score of each block of rows, flagged ones marked; lines where a file begins."""
    seen = [block for block in blocks if not math.isnan(block.highest)]
    if not seen:
        return Markup("")
    shown = 0.0 if threshold is None else threshold
    highest = max(block.highest for block in seen)
    low = max(min(block.highest for block in seen), (shown or highest) * 1e-3, 1e-9)
    high = max(highest, shown * 1.5, 2 * low)
    x = Axis(1, max(blocks[-1].last, 2), _LEFT, WIDTH - _RIGHT)
    y = Axis(low / 1.2, high * 1.2, HEIGHT - _BOTTOM, _TOP, logarithmic=True)
    marks = [
        Markup('<line class="border" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            x(row), _TOP, HEIGHT - _BOTTOM
        )
        for row in borders
    ]
    if threshold is not None:
        marks.append(
            Markup('<line class="limit" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                _LEFT, WIDTH - _RIGHT, y(threshold), y(threshold)
            )
        )
    for block in seen:
        where = (
            f"row {block.first:,}" if block.first == block.last else f"rows {block.first:,} to {block.last:,}"
        )
        tip = f"{where}: highest score {number(block.highest)}, {block.flagged:,} flagged"
        kind = "flagged" if block.flagged else "calm"
        marks.append(
            _mark(
                "circle",
                kind,
                tip,
                cx=x((block.first + block.last) / 2),
                cy=y(block.highest),
                r=3 if block.flagged else 1.8,
            )
        )
    return _chart("Scores in the order of the rows", x, y, "row", "highest score", marks)


def scatter(points: Sequence[Any]) -> Markup:
    """The map of rows; flagged ones on top."""
    if not points:
        return Markup("")
    x = Axis(min(p.x for p in points), max(p.x for p in points), 16, WIDTH - 16)
    y = Axis(min(p.y for p in points), max(p.y for p in points), MAP_HEIGHT - 16, 16)
    marks = [
        _mark(
            "circle",
            "flagged" if p.flagged else "calm",
            f"row {p.row:,}, score {number(p.score)}",
            cx=x(p.x),
            cy=y(p.y),
            r=4 if p.flagged else 2.5,
        )
        for p in sorted(points, key=lambda p: (p.flagged, p.score))
    ]
    return _frame("Map of rows", MAP_HEIGHT, [*marks, *_names(points, x, y)])


def _names(points: Sequence[Any], x: Axis, y: Axis) -> list[Markup]:
    """Row numbers beside the strangest flagged points, where no other name is near."""
    taken: list[tuple[float, float]] = []
    names: list[Markup] = []
    for point in sorted((p for p in points if p.flagged), key=lambda p: -p.score):
        at = (x(point.x), y(point.y))
        if len(names) == _MOST_NAMES or any(abs(at[0] - a) < 70 and abs(at[1] - b) < 14 for a, b in taken):
            continue
        taken.append(at)
        right = at[0] < WIDTH - 90
        names.append(
            _text(
                at[0] + (7 if right else -7),
                at[1] + 4,
                f"row {point.row:,}",
                "name",
                "start" if right else "end",
            )
        )
    return names


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
    x = Axis(*side, _LEFT, WIDTH - _RIGHT)
    y = Axis(*rise, HEIGHT - _BOTTOM, _TOP)
    marks = []
    if diagonal:
        marks.append(
            Markup('<line class="border" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(x(0), y(0), x(1), y(1))
        )
    for kind, across, up in lines:
        path = " ".join(f"{x(a)},{y(b)}" for a, b in zip(across, up, strict=True))
        marks.append(Markup('<polyline class="line {}" points="{}"/>').format(kind, path))
    return _chart(title, x, y, x_name, y_name, marks)


def bar(share: float, kind: str = "share") -> Markup:
    """A bar of a share from 0 to 1, for a table's cell."""
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/><rect class="{}" width="{}" height="10"/></svg>'
    ).format(kind, round(100 * min(max(share, 0.0), 1.0), 1))


def _chart(title: str, x: Axis, y: Axis, x_name: str, y_name: str, marks: Sequence[Markup]) -> Markup:
    parts = []
    for value in x.ticks():
        at = x(value)
        anchor = "end" if at > WIDTH - _RIGHT - 8 else "middle"
        parts.append(
            _text(at + (6 if anchor == "end" else 0), HEIGHT - _BOTTOM + 15, tick(value), "tick", anchor)
        )
    for value in y.ticks(5):
        at = y(value)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                _LEFT, WIDTH - _RIGHT, at, at
            )
        )
        parts.append(_text(_LEFT - 6, at + 4, tick(value, 1e3), "tick", "end"))
    parts.append(_text((WIDTH + _LEFT) / 2, HEIGHT - 4, x_name, "axis", "middle"))
    parts.append(
        Markup(
            '<text class="axis" text-anchor="middle" transform="translate(13 {}) rotate(-90)">{}</text>'
        ).format((HEIGHT - _BOTTOM) / 2, y_name)
    )
    return _frame(title, HEIGHT, [*parts, *marks])


def _frame(title: str, height: int, parts: Sequence[Markup]) -> Markup:
    return (
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, height, title
        )
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def _mark(shape: str, kind: str, tip: str, **places: float) -> Markup:
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, f"{value:g}") for name, value in places.items()
    )
    return Markup('<{0} class="{1}" {2} data-tip="{3}"/>').format(shape, kind, attributes, tip)


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, round(x, 1), round(y, 1), anchor, escape(text)
    )
