"""Which rows of an input are to be explained: by number, by id, or the strangest."""

from __future__ import annotations

import contextlib
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data import any_type, cells
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.cell_text import is_uuid
from aedetect.io.source import Input
from aedetect.tasks.explain.request import ExplainRequest
from aedetect.tasks.ranked_rows import RankedRow, TopRows, ranked
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

MOST_ROWS = 1000


@dataclass
class ChosenRows:
    """The rows asked for, how many were read, flagged and muted, and the one that scores highest."""

    ranked: list[RankedRow]
    rows: int = 0
    anomalies: int = 0
    muted: int = 0
    strangest: RankedRow | None = None
    warnings: list[str] = field(default_factory=list)


def choose(
    fitted: FittedModel, source: Input, request: ExplainRequest, callback: Callback | None = None
) -> ChosenRows:
    """Find the rows asked for in one pass.

    Raises UsageError for row numbers below 1 and ids of a model that knows none, DataError for
    rows and ids that are not in the input.
    """
    for number in request.rows:
        if number < 1:
            raise UsageError(f"--row {number}: rows are counted from 1")
    columns = fitted.schema.names("id")
    if request.ids and not columns:
        raise UsageError("--id: the model knows no id column; give --row, or train with --id COLUMN")
    named = _Named(request, columns, fitted.schema.rules)
    flagged = TopRows(request.top, flagged_only=True)
    first = TopRows(1)

    def see(batch: ScoredBatch) -> None:
        named.see(batch)
        flagged.see(batch)
        first.see(batch)

    passed = score_inputs(fitted, [source], see, callback, suppression=request.suppression)
    named.check(source.name, passed.counts.rows)
    return ChosenRows(
        named.matches if request.rows or request.ids else flagged.ranking(),
        passed.counts.rows,
        passed.counts.anomalies,
        passed.counts.muted,
        next(iter(first.ranking()), None),
        passed.warnings,
    )


class _Named:
    """Rows asked for by number or id."""

    def __init__(self, request: ExplainRequest, columns: Sequence[str], rules: cells.CellRules):
        self._rows = sorted(set(request.rows))
        self._ids = {unicodedata.normalize("NFC", id_) for id_ in request.ids}
        self._columns = columns
        self._rules = rules
        self._seen_ids: set[str] = set()
        self.matches: list[RankedRow] = []

    def see(self, batch: ScoredBatch) -> None:
        wanted = {number - batch.first for number in self._rows}
        for name in self._columns if self._ids else ():
            if name in batch.rows.schema.names:
                column = batch.rows.column(name)
                asked = {_spelled(text, column.type): text for text in self._ids}
                names = any_type.names(column, self._rules)
                hits = np.flatnonzero(pc.is_in(names, pa.array(asked, pa.string())).to_numpy(False))
                self._seen_ids |= {asked[names[index].as_py()] for index in hits.tolist()}
                wanted |= set(hits.tolist())
        for index in sorted(wanted):
            if 0 <= index < len(batch.rows) and len(self.matches) < MOST_ROWS:
                self.matches.append(ranked(batch, index))

    def check(self, name: str, rows: int) -> None:
        beyond = [number for number in self._rows if number > rows]
        if beyond:
            raise DataError(f"{name}: there is no row {beyond[0]}; the last is row {rows}")
        lacking = sorted(self._ids - self._seen_ids)
        if lacking:
            raise DataError(
                f"{name}: no row has the id {lacking[0]!r} in {' or '.join(repr(c) for c in self._columns)}"
            )


def _spelled(text: str, type_: pa.DataType) -> str:
    """An id as the cells of its column spell it: UUIDs in small letters, with dashes."""
    if is_uuid(type_):
        with contextlib.suppress(ValueError):
            return str(uuid.UUID(text))
    return text
