"""docs/growth.md and its plots, from the figures: `python growth_report.py FIGURES DOCS`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from growth_plots import draw
from growth_slopes import slope
from growth_store import Record, Store
from growth_words import AXES, CLOSING, EXPLAINED, INTRODUCTION, MEASURES, MIB, OUTCOMES, Axis, times

OURS = "aedetect"
# A cost that grows by more than this power of the size is explained, or mended.
STEEP = 1.05
# A process that has a processor to itself computes for a larger share of its time.
_ALONE = 0.7
_FORMATS = {"csv": "CSV", "parquet": "Parquet"}

Points = list[tuple[float, float]]


def points(records: Sequence[Record], axis: str, tool: str, kind: str, action: str, field: str) -> Points:
    """Sizes and costs of what was measured to its end."""
    return [
        (record["size"], record[field])
        for record in records
        if (record["axis"], record["tool"], record["format"], record["action"]) == (axis, tool, kind, action)
        and record["outcome"] == "done"
    ]


def page(records: Sequence[Record]) -> str:
    parts = [INTRODUCTION, *_busy(records), _overview(records), *_steep(records)]
    for axis in AXES:
        if any(record["axis"] == axis.name for record in records):
            parts += _section(records, axis)
    parts += [CLOSING, _origin(records)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _overview(records: Sequence[Record]) -> str:
    """By how much each cost grows with ten times the size, of each axis and format."""
    rows = []
    for axis in AXES:
        for kind, title in _FORMATS.items():
            slopes = [
                slope(points(records, axis.name, OURS, kind, measure.action, measure.field))
                for measure in MEASURES
            ]
            if any(each is not None for each in slopes):
                rows.append([f"{axis.ten}, {title}", *map(times, slopes)])
    return _table(["with", *(measure.title for measure in MEASURES)], rows)


def steep(records: Sequence[Record]) -> Iterator[tuple[str, str, str, str, float]]:
    """Axis, format, action, field and slope of what grows by more than STEEP; on the clock only if alone."""
    alone = _computing(records) >= _ALONE
    for axis in AXES:
        for kind in _FORMATS:
            for measure in (each for each in MEASURES if alone or each.field != "seconds"):
                place = (axis.name, OURS, kind, measure.action, measure.field)
                exponent = slope(points(records, *place))
                if exponent is not None and exponent > STEEP:
                    yield axis.name, kind, measure.action, measure.field, exponent


def _steep(records: Sequence[Record]) -> Iterator[str]:
    lines: dict[str, list[str]] = {}
    for axis, kind, action, field, exponent in steep(records):
        reason = EXPLAINED.get((axis, action, field), "not yet explained.")
        title = next(each.title for each in MEASURES if (each.action, each.field) == (action, field))
        lines.setdefault(reason, []).append(f"{title} with {axis}, {_FORMATS[kind]}: slope {exponent:.2f}")
    if not lines:
        what = "" if _computing(records) >= _ALONE else " of CPU time, memory or model size"
        yield (
            "No cost grew faster than its size, as far as was measured: over the larger half of the sizes, "
            f"no slope{what} is above {STEEP:g}."
        )
        if last := "; ".join(_steep_at_last(records)):
            yield f"From the largest size but one to the largest alone, these grew by more: {last}."
        return
    yield f"What grows faster than its size (a slope above {STEEP:g}), and why:"
    yield "\n".join(f"- {'; '.join(what)}. {reason[0].upper()}{reason[1:]}" for reason, what in lines.items())


def _steep_at_last(records: Sequence[Record]) -> Iterator[str]:
    """The costs whose last step alone is steep, of those that are not steep as a whole."""
    for axis in AXES:
        for kind, name in _FORMATS.items():
            for each in MEASURES:
                line = sorted(points(records, axis.name, OURS, kind, each.action, each.field))[-2:]
                exponent = slope(line)
                if exponent is not None and exponent > STEEP:
                    yield f"{each.title} with {axis.name}, {name} ({exponent:.2f})"


def _section(records: Sequence[Record], axis: Axis) -> Iterator[str]:
    yield f"## {axis.title}"
    yield axis.text
    yield f"![{axis.alt}](images/growth-{axis.name}.png)"
    for kind, title in _FORMATS.items():
        if rows := list(_ours(records, axis, kind)):
            yield _table(
                [axis.unit, *(f"{measure.title}, {measure.unit}" for measure in MEASURES)], rows, title
            )
    if rows := list(_peers(records, axis)):
        yield axis.beside
        header = [
            "detector",
            "file",
            axis.unit,
            "training, s",
            "scoring, s",
            "CPU s of both",
            "memory, MB",
            "slope",
        ]
        yield _table(header, rows)


def _ours(records: Sequence[Record], axis: Axis, kind: str) -> Iterator[list[str]]:
    cells: dict[int, dict[tuple[str, str], float]] = {}
    ends: dict[int, str] = {}
    for record in records:
        if (record["axis"], record["tool"], record["format"]) == (axis.name, OURS, kind):
            row = cells.setdefault(record["size"], {})
            if record["outcome"] == "done":
                row |= {(record["action"], field): record[field] for _, field in _fields() if field in record}
            else:
                ends[record["size"]] = OUTCOMES[record["outcome"]]
    for size, row in sorted(cells.items()):
        shown = [
            measure.shown(row[place])
            if (place := (measure.action, measure.field)) in row
            else ends.get(size, "")
            for measure in MEASURES
        ]
        yield [f"{size:,}", *shown]
    lines = [points(records, axis.name, OURS, kind, each.action, each.field) for each in MEASURES]
    if any(len(line) > 1 for line in lines):
        yield ["slope", *(_power(line) for line in lines)]
        yield ["of the last step", *(_power(sorted(line)[-2:]) for line in lines)]


def _power(line: Points) -> str:
    exponent = slope(line)
    return "" if exponent is None else f"{exponent:.2f}"


def _fields() -> list[tuple[str, str]]:
    return [(measure.action, measure.field) for measure in MEASURES]


def _peers(records: Sequence[Record], axis: Axis) -> Iterator[list[str]]:
    """Each peer at the largest size that it came through, and how its CPU seconds grow up to there."""
    tools = {record["tool"] for record in records if record["axis"] == axis.name}
    for tool in sorted(tools, key=lambda tool: (tool != OURS, tool)) if tools != {OURS} else ():
        for kind, title in _FORMATS.items():
            both = _both(records, axis.name, tool, kind)
            ends = [
                (record["size"], OUTCOMES[record["outcome"]])
                for record in records
                if (record["axis"], record["tool"], record["format"]) == (axis.name, tool, kind)
                and record["outcome"] != "done"
            ]
            if not both:
                if ends:
                    yield [tool, title, f"{ends[0][0]:,}", ends[0][1], "", "", "", ""]
                continue
            size = max(both)
            train, score = both[size]
            exponent = slope([(each, _cpu(pair)) for each, pair in both.items()])
            beyond = f" ({ends[0][0]:,}: {ends[0][1]})" if ends else ""
            costs = [f"{train['seconds']:,.1f}", f"{score['seconds']:,.1f}", f"{_cpu((train, score)):,.1f}"]
            peak = f"{max(train['peak_mb'], score['peak_mb']) * MIB:,.0f}"
            steepness = "" if exponent is None else f"{exponent:.2f}"
            yield [tool, title, f"{size:,}{beyond}", *costs, peak, steepness]


def _both(records: Sequence[Record], axis: str, tool: str, kind: str) -> dict[int, tuple[Record, Record]]:
    """Training and scoring of each size that came through both."""
    done: dict[int, dict[str, Record]] = {}
    for record in records:
        place = (record["axis"], record["tool"], record["format"], record["outcome"])
        if place == (axis, tool, kind, "done"):
            done.setdefault(record["size"], {})[record["action"]] = record
    return {size: (each["train"], each["score"]) for size, each in sorted(done.items()) if len(each) == 2}


def _cpu(pair: tuple[Record, Record]) -> float:
    return float(pair[0]["cpu_s"] + pair[1]["cpu_s"])


def _origin(records: Sequence[Record]) -> str:
    """On which days and machines, with which versions and limits."""
    places = {(record["date"], record["machine"], record["limit_s"]) for record in records}
    lines = [
        f"- {day}: {machine.replace(chr(10), '; ')}; at most {seconds:,.0f} s a run"
        for day, machine, seconds in sorted(places)
    ]
    return "\n".join(["Measured:", "", *lines])


def _busy(records: Sequence[Record]) -> Iterator[str]:
    """What is to be said where other work ran beside what was measured."""
    share = _computing(records)
    if share < _ALONE:
        yield (
            f"Other work ran on the machine while this was measured: aedetect computed for {share:.0%} of "
            "its time on the clock. Go by CPU time here: alone, times on the clock are far shorter."
        )


def _computing(records: Sequence[Record]) -> float:
    """For which share of the time on the clock aedetect's runs computed; 1 where there are none."""
    ours = [record for record in records if record["tool"] == OURS and record["outcome"] == "done"]
    return (
        sum(record["cpu_s"] for record in ours) / sum(record["seconds"] for record in ours) if ours else 1.0
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    ruler = ("---", *["---:"] * (len(header) - 1))
    lines = [f"| {' | '.join(row)} |" for row in (header, ruler, *rows)]
    return "\n".join([*([f"**{title}**", ""] if title else []), *lines])


def main(figures: Path, docs: Path) -> None:
    records = Store(figures).records
    (docs / "images").mkdir(parents=True, exist_ok=True)
    for axis in AXES:
        if any(record["axis"] == axis.name for record in records):
            draw(records, axis, docs / "images" / f"growth-{axis.name}.png")
    (docs / "growth.md").write_text(page(records), encoding="utf-8")
    print(f"wrote {docs / 'growth.md'}")
    for axis, kind, action, field, exponent in steep(records):
        print(f"steep: {action} {field} with {axis}, {kind}: {exponent:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
