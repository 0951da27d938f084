"""What the page of growth says: axes, measures, and why a cost grows faster than its size."""

from __future__ import annotations

from dataclasses import dataclass

# Megabytes in what the system counts in.
MIB = 1.048576


@dataclass(frozen=True)
class Axis:
    name: str
    title: str
    unit: str
    # Ten times the size, as a sentence has it.
    ten: str
    text: str
    beside: str
    alt: str


@dataclass(frozen=True)
class Measure:
    action: str
    field: str
    title: str
    unit: str
    scale: float = 1.0
    digits: int = 1

    def shown(self, value: float) -> str:
        return f"{value * self.scale:,.{self.digits}f}"


MEASURES = (
    Measure("train", "seconds", "training", "s"),
    Measure("train", "cpu_s", "its CPU time", "s"),
    Measure("train", "peak_mb", "its memory", "MB", MIB, 0),
    Measure("train", "model_bytes", "model file", "MB", 1e-6, 2),
    Measure("score", "seconds", "scoring", "s"),
    Measure("score", "cpu_s", "CPU time of scoring", "s"),
    Measure("score", "peak_mb", "memory of scoring", "MB", MIB, 0),
)
OUTCOMES = {"time": "out of time", "memory": "out of memory", "failed": "fails"}

INTRODUCTION = """# How cost grows

What training and scoring take in time and memory, and how large the model file is, as data grow: more rows,
more columns, more categories, more series. The first table says what ten times as much costs. "10.0 times"
is in proportion: ten times the rows take ten times as long. Less is better, and 1.0 times means that the
cost stays as it was."""

AXES = (
    Axis(
        "rows",
        "Rows",
        "rows",
        "ten times the rows",
        "Tables of 20 columns of numbers. A model is trained on one file and scores another of the same "
        "size. Of a small file most of the time is starting up.",
        "The same files with other detectors, at the largest size that each came through, "
        "and the slope of its CPU time:",
        "Time and memory against the number of rows",
    ),
    Axis(
        "columns",
        "Columns",
        "columns",
        "ten times the columns",
        "Tables of 10,000 rows, all columns numbers.",
        "The same files with other detectors:",
        "Time and memory against the number of columns",
    ),
    Axis(
        "categories",
        "Categories",
        "categories",
        "ten times the categories",
        "Tables of 300,000 rows with four columns of numbers and one of text, whose number of different "
        "values grows; few of them fill most rows. Of the values of a column the 1,000 most frequent are "
        "told apart (`data.max_categories`), the others count as rare.",
        "The same files with other detectors, which see each category as the number of its place in the "
        "alphabet:",
        "Time and memory against the number of categories",
    ),
    Axis(
        "series",
        "Series",
        "series",
        "ten times the series",
        "Time series of 100 rows each, a row a minute, with four channels, all series in one file "
        "(`--time time --entity series`). With the number of series the number of rows grows as well.",
        "The same files with other detectors, to which each row is a row of four numbers: "
        "they know no series, and no order in time:",
        "Time and memory against the number of series",
    ),
)

# Why a cost has a slope above 1.05: by axis, action and field. Each sentence rests on a measurement.
EXPLAINED: dict[tuple[str, str, str], str] = {}

CLOSING = """## How it was measured

`make bench-growth` writes this page; each figure comes from a process of its own. aedetect runs as
`aedetect train` and `aedetect score` with default settings, from the start of the program to its end. "s"
is time on the clock, "CPU s" that of all cores together, memory the most that was resident at once. Other
detectors run with their own default settings, in one process that reads the training file with pandas,
fits, reads the other file, scores it and writes the scores; KNN and AutoEncoder get standardised columns,
and H2O reads the files itself, in a Java server whose time and memory are counted. None of them writes a
model, says what it took a column for, or gives p-values and verdicts. How much they find is compared
[elsewhere](detection.md). `make bench-growth` measures H2O's where Java and the package `h2o` are
installed.

Slope: the power of the size that a cost grows with, fitted to the larger half of the sizes, where starting
up weighs least ("of the last step": from the largest size but one to the largest): 1 is in proportion, 2 is
four times the cost for twice the size, 0 is the same cost. The data are synthetic: points of five hidden
normal numbers, sent through a random linear map, with noise."""


def times(exponent: float | None) -> str:
    """What ten times the size costs, from a slope."""
    return "" if exponent is None else f"{10**exponent:,.1f} times"
