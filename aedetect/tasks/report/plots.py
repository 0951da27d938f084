"""The report's charts as PNG files, for slides and tickets."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.errors import UsageError
from aedetect.io.atomic import atomic_output, writing
from aedetect.tasks.figures import CALM_COLOUR, FLAG_COLOUR, drawable, drawn
from aedetect.tasks.report.charts import tick
from aedetect.tasks.report.outcomes import CALM, FALSE_ALARM, FLAGGED, HIT, MISS, NAMES, PLURALS
from aedetect.tasks.report.page import worth_showing
from aedetect.tasks.report.series_text import channels, draw_channel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from aedetect.tasks.report.card import Card
    from aedetect.tasks.report.collect import Findings
    from aedetect.tasks.report.series import ChannelLine

_SIZE, _DOTS = (8.0, 4.2), 110
# Of a name in a picture, at most so many letters.
_LONGEST = 44
# Colour, shape and size of the mark of a row, by outcome; those further down are drawn on top.
_MARKS = {
    CALM: (CALM_COLOUR, "o", 6),
    FLAGGED: (FLAG_COLOUR, "o", 16),
    FALSE_ALARM: (FLAG_COLOUR, "^", 20),
    MISS: ("#7a3fa0", "D", 16),
    HIT: ("#157a52", "o", 18),
}


def check_plots() -> None:
    """Raises UsageError where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UsageError("--plots needs matplotlib; install it with: pip install 'aedetect[plots]'") from None


def write_plots(findings: Findings, card: Card, folder: str) -> list[str]:
    """One PNG a chart, in `folder`, which is made if need be. Returns their paths.

    Raises UsageError where matplotlib is not installed, OutputError where one cannot be written.
    """
    check_plots()
    with writing(folder):
        os.makedirs(folder, exist_ok=True)
    charts: dict[str, Callable[[Axes], None]] = {"scores": lambda axes: _scores(axes, findings)}
    if findings.counts.rows:
        charts["rows"] = lambda axes: _timeline(axes, findings)
    if findings.counts.anomalies:
        charts["columns"] = lambda axes: _columns(axes, findings)
    if findings.points:
        charts["map"] = lambda axes: _map(axes, findings)
    if card.curves and card.curves[0]:
        charts["training"] = lambda axes: _training(axes, card)
    if findings.evaluation and findings.evaluation.judged.table.has_both:
        charts["roc"] = lambda axes: _roc(axes, findings)
        charts["precision_recall"] = lambda axes: _precision_recall(axes, findings)
    if findings.evaluation and findings.evaluation.judged.anomalies < findings.evaluation.judged.rows:
        charts["p_values"] = lambda axes: _p_values(axes, findings)
    for number, line in enumerate(channels(findings.events)) if findings.events else ():
        charts[f"channel-{number}" if number else "scores-over-time"] = partial(_channel, findings, line)
    written = []
    for name, draw in charts.items():
        path = str(Path(folder) / f"{name}.png")
        data = drawn(draw, _SIZE, _DOTS)
        with atomic_output(path) as stream:
            stream.write(data)
        written.append(path)
    return written


def _legend(axes: Axes, labelled: bool = False) -> None:
    from matplotlib.lines import Line2D

    keys = [
        Line2D([], [], color=colour, marker="o", linestyle="", label=name)
        for colour, name in ((CALM_COLOUR, "not flagged"), (FLAG_COLOUR, "flagged"))
    ]
    keys.append(Line2D([], [], color=FLAG_COLOUR, linestyle="--", linewidth=1, label="threshold"))
    if labelled:
        keys.append(
            Line2D([], [], color=_MARKS[MISS][0], marker="s", linestyle="", label="labelled anomalies")
        )
    axes.legend(handles=keys, frameon=False, loc="upper right", bbox_to_anchor=(1, 1.1), ncols=4, fontsize=9)


def _plain_ticks(axes: Axes, *names: str) -> None:
    """Scores as numbers, not as powers of ten."""
    for name in names:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(lambda value, _: tick(value))


def _channel(findings: Findings, line: ChannelLine, axes: Axes) -> None:
    assert findings.events is not None
    draw_channel(axes, line, findings.events)


def _scores(axes: Axes, findings: Findings) -> None:
    edges, counts = findings.histogram.filled()
    limit = findings.limit
    beyond = [limit is not None and low >= limit * (1 - 1e-9) for low in edges[:-1]]
    colours = [FLAG_COLOUR if flagged else CALM_COLOUR for flagged in beyond]
    axes.bar(edges[:-1], counts, width=edges[1:] - edges[:-1], align="edge", color=colours)
    if findings.evaluation:
        first, last = findings.histogram.range
        labelled = findings.anomalies.counts[first : last + 1]
        widths = edges[1:] - edges[:-1]
        axes.bar(
            edges[:-1] + 0.3 * widths, labelled, width=0.4 * widths, align="edge",
            color=_MARKS[MISS][0], label="labelled anomalies",
        )  # fmt: skip
    if limit is not None:
        axes.axvline(limit, color=FLAG_COLOUR, linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="score", ylabel="rows")
    axes.set_title("Scores", loc="left")
    _plain_ticks(axes, "x", "y")
    if limit is not None:
        _legend(axes, labelled=findings.evaluation is not None)


def _timeline(axes: Axes, findings: Findings) -> None:
    blocks = findings.timeline.blocks()
    colours = [FLAG_COLOUR if block.flagged else CALM_COLOUR for block in blocks]
    axes.scatter([(b.first + b.last) / 2 for b in blocks], [b.highest for b in blocks], s=9, c=colours)
    if findings.limit is not None:
        axes.axhline(findings.limit, color=FLAG_COLOUR, linestyle="--", linewidth=1)
    for row in list(accumulate(rows for _, rows in findings.files))[:-1]:
        axes.axvline(row, color="grey", linestyle=":", linewidth=1)
    name = (
        "highest score"
        if findings.timeline.size == 1
        else f"highest score of {findings.timeline.size:,} rows"
    )
    axes.set(yscale="log", xlabel="row", ylabel=name)
    axes.set_title("Scores in the order of the rows", loc="left")
    _plain_ticks(axes, "x", "y")
    _legend(axes)


def _columns(axes: Axes, findings: Findings) -> None:
    columns = worth_showing(findings.attribution)[::-1]
    axes.barh(range(len(columns)), [one.share for one in columns], color=FLAG_COLOUR)
    axes.set_yticks(range(len(columns)), [drawable(one.column, _LONGEST) for one in columns])
    axes.set(xlabel="mean share of the error of flagged rows", title="Columns to blame")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _map(axes: Axes, findings: Findings) -> None:
    labelled = findings.evaluation is not None
    for outcome, (colour, marker, size) in _MARKS.items():
        some = [point for point in findings.points if point.sample == outcome]
        if some or (labelled and outcome != FLAGGED):
            name = f"{findings.outcomes[outcome]:,} {PLURALS[outcome]}" if labelled else NAMES[outcome]
            axes.scatter(
                [p.x for p in some], [p.y for p in some], s=size, c=colour, marker=marker,
                alpha=0.7, linewidths=0, label=name,
            )  # fmt: skip
    axes.set(xticks=[], yticks=[])
    axes.set_title("Map of rows: near ones are alike", loc="left")
    axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 1.12), ncols=4, fontsize=9)


def _training(axes: Axes, card: Card) -> None:
    for curve in card.curves:
        axes.plot([step for step, _, _ in curve], [held for _, _, held in curve], linewidth=1.5)
    axes.set(xlabel="step", ylabel="loss on held-out rows", title="Training")


def _roc(axes: Axes, findings: Findings) -> None:
    from aedetect.tasks.evaluate.curves import roc

    assert findings.evaluation is not None
    across, up = roc(findings.evaluation.judged.table)
    axes.plot(across, up, color=FLAG_COLOUR, label="this model")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1, label="guessing")
    axes.set(xlabel="share of normal rows flagged", ylabel="share of anomalies caught", title="ROC")
    axes.legend(frameon=False, loc="lower right")


def _precision_recall(axes: Axes, findings: Findings) -> None:
    from aedetect.tasks.evaluate.curves import precision_recall

    assert findings.evaluation is not None
    axes.plot(*precision_recall(findings.evaluation.judged.table), color=FLAG_COLOUR)
    axes.set(xlabel="recall", ylabel="precision", title="Precision against recall", ylim=(0, 1.03))


def _p_values(axes: Axes, findings: Findings) -> None:
    assert findings.evaluation is not None
    axes.plot(*findings.evaluation.p_value_shares, color=FLAG_COLOUR, label="this model")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1, label="as promised")
    axes.set(xlabel="p-value", ylabel="share of normal rows with at most this", title="p-values")
    axes.legend(frameon=False, loc="lower right")
