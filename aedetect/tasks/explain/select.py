"""Which rows of an input are to be explained: by number, by id, or the strangest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data import cells
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.source import Input
from aedetect.tasks.ranked_rows import RankedRow, TopRows, ranked
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

MOST_ROWS = 1000


@dataclass(frozen=True)
class Wish:
    """Rows wished for: by number (from 1), by id, or else the `top` strangest flagged ones."""

    rows: Sequence[int] = ()
    ids: Sequence[str] = ()
    top: int = 5


@dataclass
class Chosen:
    """The rows found, those wished for by name first; how many rows were read and flagged."""

    finds: list[RankedRow]
    rows: int = 0
    anomalies: int = 0
    strangest: RankedRow | None = None
    warnings: list[str] = field(default_factory=list)


def choose(fitted: FittedModel, source: Input, wish: Wish, callback: Callback | None = None) -> Chosen:
    """RankedRow the rows wished for in one pass.

    Raises UsageError for row numbers below 1 and ids of a model that knows none, DataError for
    rows and ids that are not in the input.
    """
    for number in wish.rows:
        if number < 1:
            raise UsageError(f"--row {number}: rows are counted from 1")
    columns = fitted.schema.names("id")
    if wish.ids and not columns:
        raise UsageError("--id: the model knows no id column; give --row, or train with --id COLUMN")
    named = _Named(wish, columns, fitted.schema.rules)
    flagged = TopRows(wish.top, flagged_only=True)
    first = TopRows(1)

    def see(seen: ScoredBatch) -> None:
        named.see(seen)
        flagged.see(seen)
        first.see(seen)

    sight = score_inputs(fitted, [source], see, callback)
    named.check(source.name, sight.counts.rows)
    return Chosen(
        named.found if wish.rows or wish.ids else flagged.found(),
        sight.counts.rows,
        sight.counts.anomalies,
        next(iter(first.found()), None),
        sight.warnings,
    )


class _Named:
    """Rows wished for by number or id."""

    def __init__(self, wish: Wish, columns: Sequence[str], rules: cells.CellRules):
        self._rows = sorted(set(wish.rows))
        self._ids = set(wish.ids)
        self._columns = columns
        self._rules = rules
        self._seen_ids: set[str] = set()
        self.found: list[RankedRow] = []

    def see(self, seen: ScoredBatch) -> None:
        wanted = {number - seen.first for number in self._rows}
        for name in self._columns if self._ids else ():
            if name in seen.rows.schema.names:
                values = np.array(cells.categories(seen.rows.column(name), self._rules).to_pylist(), object)
                hits = np.flatnonzero(np.isin(values.astype(str), list(self._ids)))
                self._seen_ids |= set(values[hits])
                wanted |= {int(index) for index in hits}
        for index in sorted(wanted):
            if 0 <= index < len(seen.rows) and len(self.found) < MOST_ROWS:
                self.found.append(ranked(seen, index))

    def check(self, name: str, rows: int) -> None:
        beyond = [number for number in self._rows if number > rows]
        if beyond:
            raise DataError(f"{name}: there is no row {beyond[0]}; the last is row {rows}")
        lacking = sorted(self._ids - self._seen_ids)
        if lacking:
            raise DataError(
                f"{name}: no row has the id {lacking[0]!r} in {' or '.join(repr(c) for c in self._columns)}"
            )
