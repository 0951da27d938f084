"""Log-log plots of the figures of growth, one picture for each axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from growth_slopes import slope
from growth_store import Record
from growth_words import MIB, Axis

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter

_OURS = "aedetect"
# Colours that people with any colour vision tell apart (Okabe and Ito, 2008); ours is the darkest.
_COLOURS = {
    _OURS: "#000000",
    "IsolationForest": "#E69F00",
    "PyOD IForest": "#56B4E9",
    "PyOD ECOD": "#009E73",
    "PyOD KNN": "#D55E00",
    "PyOD AutoEncoder": "#0072B2",
    "H2O autoencoder": "#CC79A7",
}
_PANELS = (
    ("train", "seconds", "training, s"),
    ("score", "seconds", "scoring, s"),
    ("both", "peak_mb", "memory, MB"),
    ("train", "model_bytes", "model file, MB"),
)
_SCALES = {"model_bytes": 1e-6, "peak_mb": MIB}


def draw(records: Sequence[Record], axis: Axis, path: Path) -> None:
    """Four panels: seconds of training and of scoring, memory, model file."""
    figure, panels = plt.subplots(2, 2, figsize=(10, 7.4), layout="constrained")
    for panel, (action, field, title) in zip(panels.flat, _PANELS, strict=True):
        for tool, colour in _COLOURS.items():
            for kind in ("parquet", "csv"):
                if line := _line(records, axis.name, tool, kind, action, field):
                    _plot(panel, line, tool, kind, colour)
        panel.set(xscale="log", yscale="log", xlabel=axis.unit, title=title)
        _label(panel)
        panel.grid(True, which="major", color="#dddddd", linewidth=0.7)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    # The version of matplotlib in the file would make it differ where nothing else does.
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def _line(
    records: Sequence[Record], axis: str, tool: str, kind: str, action: str, field: str
) -> list[tuple[int, float]]:
    """Sizes and costs in order; of 'both' actions the larger cost."""
    costs: dict[int, float] = {}
    for record in records:
        place = (record["axis"], record["tool"], record["format"], record["outcome"])
        if place == (axis, tool, kind, "done") and action in ("both", record["action"]) and field in record:
            cost = record[field] * _SCALES.get(field, 1.0)
            costs[record["size"]] = max(cost, costs.get(record["size"], 0.0))
    return sorted(costs.items())


def _label(panel: Any) -> None:
    """Plain numbers at the ticks; at those between powers of ten only where these are too few."""
    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    low, high = panel.get_ylim()
    panel.yaxis.set_major_formatter(plain)
    panel.yaxis.set_minor_formatter(plain if math.log10(high / low) < 1 else NullFormatter())
    panel.xaxis.set_major_formatter(plain)
    panel.xaxis.set_minor_formatter(NullFormatter())


def _plot(panel: Any, line: list[tuple[int, float]], tool: str, kind: str, colour: str) -> None:
    ours = tool == _OURS
    panel.plot(
        *zip(*line, strict=True),
        color=colour,
        linestyle="-" if kind == "parquet" else "--",
        marker="o" if kind == "parquet" else "s",
        linewidth=2.2 if ours else 1.2,
        markersize=5 if ours else 3.5,
        label=f"{tool}, {'Parquet' if kind == 'parquet' else 'CSV'}",
    )
    exponent = slope(line) if ours else None
    if exponent is not None:
        above = kind == "parquet"
        offset = (-4, 7 if above else -7)
        place = {"xytext": offset, "textcoords": "offset points", "va": "bottom" if above else "top"}
        panel.annotate(f"slope {exponent:.2f}", line[-1], ha="right", fontsize=8, **place)
        panel.margins(y=0.12)
