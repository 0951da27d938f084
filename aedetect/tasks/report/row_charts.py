"""Charts of rows: how many score what, where they stand in the input, which are alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from markupsafe import Markup

from aedetect.tasks.projection import Point, compressed
from aedetect.tasks.report.bins import Block, ScoreHistogram
from aedetect.tasks.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    across,
    bottom_axis,
    frame,
    left_axis,
    mark,
    number,
    text,
    tick,
    upright,
)
from aedetect.tasks.report.collect import Findings
from aedetect.tasks.report.outcomes import ALARMS, CALM, FALSE_ALARM, KINDS, MISS, NAMES, OF_SERIES, PLURALS

MAP_HEIGHT = 330
_MOST_NAMES = 8
# More borders between files than these would hide what lies between them.
_MOST_BORDERS = 40
_BARS, _BETWEEN = 84, 26
# Standard deviations that have a tick where there is room, those first that come first.
_DEVIATIONS = (0, *(sign * size for size in (1, 3, 10, 30, 100, 300, 1000, 2) for sign in (1, -1)))


def histogram(findings: Findings) -> Markup:
    """Rows by score, on a logarithmic scale of scores and of rows; labelled anomalies before all rows."""
    limit, rows = findings.limit, findings.counts.rows
    edges, counts = findings.histogram.filled()
    x = Axis(float(edges[0]), float(edges[-1]), LEFT, WIDTH - RIGHT, logarithmic=True)
    y = Axis(0.8, max(int(counts.max()), 2), HEIGHT - BOTTOM, TOP, logarithmic=True)
    bars = _Bars(x, y, limit)
    marks = bars.of(findings.histogram, findings.histogram, "", f"of {rows:,} rows")
    if findings.evaluation:
        marks += bars.of(findings.anomalies, findings.histogram, "labelled ", "labelled anomalies")
    if limit is not None:
        marks.append(_threshold(x(limit), limit))
    said = f"Histogram of the scores of {rows - findings.counts.unscorable:,} rows"
    if limit is not None:
        said += f"; {findings.counts.anomalies:,} are above the threshold {number(limit)}"
    parts = [*bottom_axis(x, HEIGHT - BOTTOM, "score"), *left_axis(y, "rows"), *marks]
    return frame(said, HEIGHT, parts)


@dataclass(frozen=True)
class _Bars:
    """Bars of a histogram, those beyond `limit` marked."""

    x: Axis
    y: Axis
    limit: float | None

    def of(self, counted: ScoreHistogram, whole: ScoreHistogram, kind: str, what: str) -> list[Markup]:
        """The bars of `counted`, as far as `whole` reaches; `kind` before their class makes them narrow."""
        first, last = whole.range
        marks = []
        for place in range(first, last + 1):
            low, high, count = counted.edges[place], counted.edges[place + 1], int(counted.counts[place])
            if not count:
                continue
            beyond = self.limit is not None and low >= self.limit * (1 - 1e-9)
            left, right, top = self.x(low), self.x(high), self.y(count)
            if kind:
                left, right = left + 0.3 * (right - left), right - 0.3 * (right - left)
            marks.append(
                mark(
                    "rect",
                    f"{kind}{'flagged' if beyond else 'calm'}",
                    f"{count:,} {what} score {number(low)} to {number(high)}",
                    x=left,
                    y=top,
                    width=max(1.0, round(right - left - 0.8 * (not kind), 1)),
                    height=round(self.y.start - top, 1),
                )
            )
        return marks


def _threshold(at: float, threshold: float) -> Markup:
    """An upright line at `at`, with its name."""
    right = at < WIDTH - 130
    name = text(
        at + (4 if right else -4), TOP + 10, f"threshold {number(threshold)}", "limit-name",
        "start" if right else "end",
    )  # fmt: skip
    return upright(at, TOP, HEIGHT - BOTTOM, "limit") + name


def timeline(findings: Findings) -> Markup:
    """The highest score of each block of rows; below it how many rows of each block were flagged."""
    blocks = findings.timeline.blocks()
    seen = [block for block in blocks if not math.isnan(block.highest)]
    if not seen:
        return Markup("")
    size, limit = findings.timeline.size, findings.limit
    x = Axis(0 if size > 1 else 1, max(blocks[-1].last, 2), LEFT, WIDTH - RIGHT, whole=True)
    bottom = HEIGHT - BOTTOM
    y = _score_axis(seen, limit, bottom)
    name = "score" if size == 1 else f"highest of {size:,} rows"
    parts = left_axis(y, name)
    borders = list(accumulate(rows for _, rows in findings.files))[:-1]
    foot = bottom + _BETWEEN + _BARS if size > 1 else bottom
    if len(borders) <= _MOST_BORDERS:
        parts += [upright(x(row), TOP, foot, "border") for row in borders]
    if limit is not None:
        parts.append(across(y(limit)))
    parts += [_dot(block, x, y) for block in seen]
    if size > 1:
        parts += _counts(findings, blocks, x, Axis(0, 1, foot, bottom + _BETWEEN))
    parts += bottom_axis(x, foot, "row")
    said = (
        f"Scores of {findings.counts.rows:,} rows in their order, {findings.counts.anomalies:,} flagged"
        + (f", in blocks of {size:,} rows" if size > 1 else "")
    )
    return frame(said, round(foot + BOTTOM), parts)


def _score_axis(blocks: Sequence[Block], limit: float | None, bottom: float) -> Axis:
    highest = max(block.highest for block in blocks)
    reference = limit or highest
    low = max(min(block.highest for block in blocks), reference * 1e-3, 1e-9)
    high = max(highest, (limit or 0.0) * 1.5, 2 * low)
    return Axis(low / 1.2, high * 1.2, bottom, TOP, logarithmic=True)


def _dot(block: Block, x: Axis, y: Axis) -> Markup:
    single = block.first == block.last
    where = f"row {block.first:,}" if single else f"rows {block.first:,} to {block.last:,}"
    outcomes = [outcome for outcome in (*ALARMS, MISS) if block.outcomes[outcome]]
    if single:
        outcome = outcomes[0] if outcomes else CALM
        told = f"score {number(block.highest)}, {NAMES[outcome]}"
    else:
        outcome = ALARMS[0] if block.flagged else CALM
        told = f"highest score {number(block.highest)}, {block.flagged:,} flagged"
    middle = x((block.first + block.last - (not single)) / 2)
    return symbol(outcome, middle, y(block.highest), 3 if outcome else 1.8, f"{where}: {told}")


def _counts(findings: Findings, blocks: Sequence[Block], x: Axis, place: Axis) -> list[Markup]:
    """Bars of how many rows of each block were flagged, and missed, from `place.start` up to `place.stop`."""
    shown = (*ALARMS, MISS) if findings.evaluation else ALARMS
    totals = [sum(block.outcomes[outcome] for outcome in shown) for block in blocks]
    rate = findings.policy.promised_rate if findings.events is None else None
    usual = rate * findings.timeline.size if rate is not None else 0.0
    names = OF_SERIES if findings.events else PLURALS
    y = Axis(0, max(*totals, 1, 1.2 * usual), place.start, place.stop, whole=True)
    marks = left_axis(y, "rows", 2)
    for block, total in zip(blocks, totals, strict=True):
        left, right = x(block.first - 1), x(block.last)
        below = 0
        said = ", ".join(
            f"{block.outcomes[one]:,} {names[one] if findings.evaluation else 'flagged'}"
            for one in shown
            if block.outcomes[one]
        )
        for outcome in shown if total else ():
            count = block.outcomes[outcome]
            if not count:
                continue
            top, base = y(below + count), y(below)
            below += count
            marks.append(
                mark(
                    "rect",
                    KINDS[outcome],
                    f"rows {block.first:,} to {block.last:,}: {said}",
                    x=left,
                    y=top,
                    width=max(1.0, round(right - left - 0.6, 1)),
                    height=max(0.6, round(base - top, 1)),
                )
            )
    if usual:
        marks.append(across(y(usual), "usual"))
    return marks


def scatter(findings: Findings, deviations: bool) -> Markup:
    """The map of rows, flagged ones on top; with `deviations` its axes tell standard deviations."""
    points = findings.points
    if not points:
        return Markup("")
    left, bottom = (LEFT, MAP_HEIGHT - BOTTOM) if deviations else (16, MAP_HEIGHT - 16)
    x = Axis(min(p.x for p in points), max(p.x for p in points), left + 6, WIDTH - 16)
    y = Axis(min(p.y for p in points), max(p.y for p in points), bottom - 6, 16)
    parts = _directions(x, y, bottom) if deviations else []
    parts += [
        symbol(
            p.sample,
            x(p.x),
            y(p.y),
            4 if p.sample else 2.5,
            f"row {p.row:,}, score {number(p.score)}, {NAMES[p.sample]}",
        )
        for p in sorted(points, key=lambda p: (p.sample != CALM, p.score))
    ]
    said = f"Map of {len(points):,} rows, {sum(p.sample in ALARMS for p in points):,} of them flagged"
    return frame(said, MAP_HEIGHT, [*parts, *_names(points, x, y)])


def _directions(x: Axis, y: Axis, bottom: float) -> list[Markup]:
    """Both axes of the map, in standard deviations."""
    parts = []
    for axis, upwards in ((x, False), (y, True)):
        taken: list[float] = []
        for deviation in _DEVIATIONS:
            value = float(compressed(np.array([deviation], np.float64))[0])
            at = axis(value)
            room = 14 if upwards else 34
            if not axis.low <= value <= axis.high or any(abs(at - other) < room for other in taken):
                continue
            taken.append(at)
            if upwards:
                parts.append(across(at, "grid"))
                parts.append(text(LEFT - 6, at + 4, tick(deviation, 1e4), "tick", "end"))
            else:
                parts.append(upright(at, 10, bottom, "grid"))
                parts.append(text(at, bottom + 16, tick(deviation, 1e4), "tick", "middle"))
    parts.append(
        text((WIDTH + LEFT) / 2, bottom + 34, "first direction, in standard deviations", "axis", "middle")
    )
    parts.append(
        Markup(
            '<text class="axis" text-anchor="middle" transform="translate(13 {}) rotate(-90)">{}</text>'
        ).format(bottom / 2, "second direction")
    )
    return parts


def symbol(outcome: int, x: float, y: float, size: float, tip: str) -> Markup:
    """The mark of a row: a dot, for a false alarm a triangle, for a miss a diamond, both outlined."""
    kind = KINDS[outcome]
    ends: tuple[tuple[float, float], ...]
    if outcome == FALSE_ALARM:
        ends = ((0, -size - 1), (size + 0.5, size - 0.5), (-size - 0.5, size - 0.5))
    elif outcome == MISS:
        ends = ((0, -size - 1), (size + 1, 0), (0, size + 1), (-size - 1, 0))
    else:
        return mark("circle", kind, tip, cx=x, cy=y, r=size)
    return mark("polygon", kind, tip, points=" ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in ends))


def _names(points: Sequence[Point], x: Axis, y: Axis) -> list[Markup]:
    """Row numbers beside the strangest flagged points, where no other name is near."""
    taken: list[tuple[float, float]] = []
    names: list[Markup] = []
    for point in sorted((p for p in points if p.sample in ALARMS), key=lambda p: -p.score):
        at = (x(point.x), y(point.y))
        if len(names) == _MOST_NAMES or any(abs(at[0] - a) < 70 and abs(at[1] - b) < 14 for a, b in taken):
            continue
        taken.append(at)
        right = at[0] < WIDTH - 90
        names.append(
            text(
                at[0] + (7 if right else -7),
                at[1] + 4,
                f"row {point.row:,}",
                "name",
                "start" if right else "end",
            )
        )
    return names
