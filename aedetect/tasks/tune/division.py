"""Which rows are learned from and which are judged: parts of a table by chance, of series by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.labels import ANOMALY, NO_LABEL, NORMAL
from aedetect.errors import DataError
from aedetect.io.selected import RowMarks, SelectedInput
from aedetect.io.source import Input
from aedetect.tasks.tune.rows import Rows

# Each part is cut in two: by one half settings are chosen, on the other the gain is measured.
CHOOSING, REPORTING = 0, 1
HALVES = 2
USUAL_PARTS, FEWEST_PARTS = 5, 3
# Of so many anomalies, or events of series, five parts are made; of fewer, three.
_MANY = 20
# Fewer anomalies, events of series or rows than these cannot be divided, or tell nothing.
LEAST_ANOMALIES, LEAST_EVENTS, LEAST_NORMAL, LEAST_STEPS = 12, 6, 100, 500
# More rows of a table than these make a search slow and not better: so many are drawn.
MOST_NORMAL, MOST_ANOMALIES = 20_000, 2_000
_ALWAYS_LEARNED, _LEFT_OUT, _FREE = -1, -2, -3


@dataclass(frozen=True)
class Division:
    """Rows of `inputs`, one after the other, in `parts` parts of two halves.

    `cell` [rows]: twice the part, and the half; below 0 what is judged in none. `marks` [rows]: as labels are
    read. `drawn`: how many rows of a larger table take part; None where all do.
    """

    inputs: Sequence[Input]
    rows: Rows
    cell: Integers
    parts: int
    drawn: int | None = None

    @property
    def marks(self) -> Integers:
        return self.rows.marks

    @property
    def events(self) -> int | None:
        """How many events the labels of series mark; None for tables."""
        return None if self.rows.seconds is None else len(events_of(self.rows))

    @property
    def anomalies(self) -> int:
        """How many rows that are judged are labelled as anomalies."""
        return int(((self.cell >= 0) & (self.marks == ANOMALY)).sum())

    @property
    def judged(self) -> int:
        """How many rows are judged."""
        return int((self.cell >= 0).sum())

    def held(self, part: int, half: int) -> Mask:
        """The rows [rows] of one half of a part."""
        return np.asarray(self.cell == HALVES * part + half)

    def learned(self, part: int) -> list[Input]:
        """The inputs without the rows of a part."""
        return self.selected((self.cell >= _ALWAYS_LEARNED) & (self.cell // HALVES != part))

    def selected(self, chosen: Mask) -> list[Input]:
        """The inputs with those of their rows alone that are chosen [rows]; those of none left out."""
        selected: list[Input] = []
        for source, first, count in zip(self.inputs, self.rows.firsts, self.rows.counts, strict=True):
            marks = RowMarks()
            marks.add(chosen[first : first + count])
            if marks.marked:
                selected.append(SelectedInput(source, marks))
        return selected


def divided(
    inputs: Sequence[Input],
    rows: Rows,
    config: Config,
    unsupervised: bool,
    known: tuple[Mask, Mask] | None = None,
) -> Division:
    """Divide rows by the seed of the settings. Raises DataError where there are too few of a kind.

    `known` [rows]: which have no part in anything, and which are learned from in each part and not judged.
    """
    random = np.random.default_rng(config.training.seed)
    cell = np.full(len(rows.marks), _FREE, dtype=np.int64)
    if known is not None:
        cell[known[0]], cell[known[1]] = _LEFT_OUT, _ALWAYS_LEARNED
        # What judges nothing is no anomaly to be looked for, and no normal row beside it.
        rows = replace(rows, marks=np.where(cell == _FREE, rows.marks, NO_LABEL))
    if rows.seconds is not None:
        return _by_time(inputs, rows, cell, unsupervised, random)
    marks, free = rows.marks, cell == _FREE
    if unsupervised:
        normal, anomalies = np.flatnonzero(free & (marks != ANOMALY)), np.empty(0, dtype=np.int64)
        parts = USUAL_PARTS
    else:
        normal, anomalies = np.flatnonzero(marks == NORMAL), np.flatnonzero(marks == ANOMALY)
        parts = _parts_of(len(anomalies))
        if len(anomalies) < LEAST_ANOMALIES:
            raise DataError(
                f"{inputs[0].name}: {_counted(len(anomalies), 'row')} labelled as anomalies in column "
                f"{config.data.label!r}; tuning divides them into parts and needs at least {LEAST_ANOMALIES}"
                "; label more, or use --unsupervised"
            )
    if len(normal) < LEAST_NORMAL:
        kind = "rows" if unsupervised else "rows labelled as normal"
        raise DataError(
            f"{inputs[0].name}: {len(normal):,} {kind}; tuning divides them into parts and needs at least "
            f"{LEAST_NORMAL}"
        )
    taking_part = int((cell != _LEFT_OUT).sum())
    for places, most in ((normal, MOST_NORMAL), (anomalies, MOST_ANOMALIES)):
        order = random.permutation(places)
        cell[order[most:]] = _LEFT_OUT
        cell[order[:most]] = np.arange(min(len(order), most)) % (HALVES * parts)
    unlabelled = random.permutation(np.flatnonzero(cell == _FREE))
    cell[unlabelled] = _ALWAYS_LEARNED
    cell[unlabelled[MOST_NORMAL:]] = _LEFT_OUT
    left = int((cell != _LEFT_OUT).sum())
    return Division(inputs, rows, cell, parts, left if left < taking_part else None)


def _parts_of(count: int) -> int:
    return USUAL_PARTS if count >= _MANY else FEWEST_PARTS


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)} {'is' if count == 1 else 'are'}"


def _by_time(
    inputs: Sequence[Input], rows: Rows, cell: Integers, unsupervised: bool, random: np.random.Generator
) -> Division:
    """Stretches of time: as many rows in each, or as many events where there are labels."""
    seconds = rows.seconds
    assert seconds is not None
    timed = ~np.isnan(seconds) & (cell == _FREE)
    if unsupervised:
        parts = USUAL_PARTS
        if timed.sum() < LEAST_STEPS:
            raise DataError(
                f"{inputs[0].name}: {int(timed.sum()):,} rows with a time; tuning divides them into "
                f"stretches and needs at least {LEAST_STEPS}"
            )
        ranks = np.arange(1, HALVES * parts) / (HALVES * parts)
        cuts = np.quantile(seconds[timed], ranks)
    else:
        events = events_of(rows)
        if len(events) < LEAST_EVENTS:
            raise DataError(
                f"{inputs[0].name}: the labels mark {len(events)} event{'s' * (len(events) != 1)} (rows in a "
                f"row); tuning divides them into stretches of time and needs at least {LEAST_EVENTS}; label "
                "more, or use --unsupervised"
            )
        parts = _parts_of(len(events))
        groups = np.array_split(events, HALVES * parts)
        cuts = np.array([_between(*pair) for pair in pairwise(groups)])
    stretch = np.searchsorted(cuts, np.where(timed, seconds, 0.0), side="right")
    # Which half of a part comes first is left to chance, so that none is always the later one.
    turned = random.integers(0, HALVES, parts)
    halves = stretch - stretch % HALVES + (stretch + turned[stretch // HALVES]) % HALVES
    others = np.where(cell == _FREE, _ALWAYS_LEARNED, cell)
    return Division(inputs, rows, np.where(timed, halves, others), parts)


def _between(before: Floats, after: Floats) -> float:
    """An instant between two groups of events [events, begin and end]; none is cut where that can be."""
    end, begin = float(before[:, 1].max()), float(after[:, 0].min())
    return (end + begin) / 2 if end < begin else begin


def events_of(rows: Rows) -> Floats:
    """When labelled events begin and end [events, 2], by their beginning.

    An event is anomalies of one series without a normal row between; rows without a label are neither.
    """
    assert rows.seconds is not None
    assert rows.series is not None
    known = np.flatnonzero((rows.marks != NO_LABEL) & ~np.isnan(rows.seconds))
    order = known[np.lexsort((rows.seconds[known], rows.series[known]))]
    if not len(order):
        return np.empty((0, 2))
    odd = rows.marks[order] == ANOMALY
    new_series = np.r_[True, np.diff(rows.series[order]) != 0]
    begins = odd & (np.r_[True, ~odd[:-1]] | new_series)
    ends = odd & np.r_[~odd[1:] | new_series[1:], True]
    seconds = rows.seconds[order]
    events = np.stack([seconds[begins], seconds[ends]], axis=1)
    return np.asarray(events[np.argsort(events[:, 0], kind="stable")])
