"""Who is to blame for many rows: one pass over the inputs, then the search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import Floats, Integers
from aedetect.engine.callbacks import Callback
from aedetect.io.source import Input
from aedetect.scoring.base import Scores
from aedetect.scoring.scorers import series_session
from aedetect.scoring.series import SeriesSession
from aedetect.tasks.explain.segments.candidates import Candidates
from aedetect.tasks.explain.segments.coded_table import CodedTable, coded_columns
from aedetect.tasks.explain.segments.incidents import find_incidents
from aedetect.tasks.explain.segments.results import BlamedColumn, GroupExplanations, LookedAt, Segment
from aedetect.tasks.explain.segments.row_store import RowStore
from aedetect.tasks.explain.segments.search import LEAST_FLAGGED, Chosen, SegmentSearch
from aedetect.tasks.explain.segments.value_counts import ValueCounts
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.suppression import Suppression

# Rows held of either kind, fewer of very wide tables; values counted of a column.
MOST_ROWS, _LEAST_ROWS, _MOST_CELLS = 50_000, 2_000, 10_000_000
_MOST_VALUES, _LEAST_VALUES, _MOST_COUNTS = 10_000, 100, 2_000_000
# Of flagged rows: the columns most to blame, and what each counts for where chance is judged. No column of an
# input has such names.
_MARKS = ("\x00blamed", "\x00also blamed", "\x00units")
# A second column is to blame as well that has this share in a row's error.
_ALSO = 0.25
# A column is named that is most to blame in this share of a segment's flagged rows.
_OFTEN_BLAMED, _SOMETIMES_BLAMED, _MOST_BLAMED = 0.25, 0.1, 3


def explain_groups(
    fitted: FittedModel,
    inputs: Sequence[Input],
    callback: Callback | None = None,
    suppression: Suppression | None = None,
    most: int = MOST_ROWS,
) -> GroupExplanations:
    """Find segments in which flagged rows are far more frequent than elsewhere, and events of one cause.

    The inputs are read once for tables, and as often as always for series. At most `most` flagged rows and
    as many others are held. Rows that `suppression` mutes count as not flagged. Raises DataError or
    ModelError where an input cannot be used.
    """
    session = series_session(fitted, inputs, suppression)
    if session is not None:
        session.check(inputs)
    gathered = _Gathered(Candidates(fitted, inputs), session, most)
    passed = score_inputs(fitted, inputs, gathered.see, callback, session, suppression)
    table = gathered.table()
    enough = passed.counts.anomalies >= LEAST_FLAGGED
    search = SegmentSearch(table)
    chosen = search.segments() if enough else []
    covered = np.zeros(len(table), dtype=np.bool_)
    for each in chosen:
        covered |= each.rows
    return GroupExplanations(
        passed.counts.rows,
        passed.counts.anomalies,
        passed.counts.unscorable,
        [gathered.segment(table, each, fitted.columns) for each in chosen],
        round(float(table.weights[covered & table.flagged].sum())),
        most_blamed(table.blamed[table.flagged], fitted.columns, _SOMETIMES_BLAMED),
        gathered.looked_at(table, search),
        len(session.found_events) if session is not None else None,
        find_incidents(session) if session is not None else None,
        session.zone if session is not None else "",
        passed.counts.muted,
        passed.muted_by,
        passed.warnings,
    )


class _Gathered:
    """What is held of the rows as they stream by: flagged ones, others, and counts of values."""

    def __init__(self, candidates: Candidates, session: SeriesSession | None, most: int):
        self._candidates, self._session, self._most = candidates, session, most
        self._units = _units(session) if session is not None else None
        self._stores: tuple[RowStore, RowStore] | None = None
        self._counts = ValueCounts(_LEAST_VALUES)
        self._first = 0

    def see(self, batch: ScoredBatch) -> None:
        """One more batch."""
        scores, cells = batch.scores, self._candidates.read(batch)
        if self._stores is None:
            columns = max(cells.num_columns, 1)
            rows = min(self._most, max(_LEAST_ROWS, _MOST_CELLS // columns))
            self._stores = RowStore(rows), RowStore(rows)
            values = min(_MOST_VALUES, max(_LEAST_VALUES, _MOST_COUNTS // columns))
            self._counts = ValueCounts(values)
        flagged, others = self._stores
        judged = ~scores.unscorable
        within = pa.array(judged)
        self._counts.add(cells.filter(within), scores.flagged[judged])
        marked = cells
        for name, values in zip(_MARKS, (*_blamed(scores), self._units_of(batch)), strict=True):
            marked = marked.append_column(name, pa.array(values))
        flagged.add(self._first, scores.flagged & judged, marked)
        others.add(self._first, ~scores.flagged & judged, cells)
        self._first += len(judged)

    def _units_of(self, batch: ScoredBatch) -> Floats:
        if self._session is None or self._units is None:
            return np.ones(len(batch.rows))
        first = self._session.span(batch.source)[0] + batch.first - 1
        return self._units[first : first + len(batch.rows)]

    def table(self) -> CodedTable:
        """The rows held: flagged ones, then the others."""
        if self._stores is None:
            nothing = np.zeros(0)
            return CodedTable([], nothing > 0, nothing, nothing, np.zeros((0, 2), dtype=np.int64), {})
        flagged, others = (store.table() for store in self._stores)
        marks = np.zeros((len(_MARKS), 0))
        if len(flagged):
            marks = np.array([flagged.column(name).to_numpy() for name in _MARKS])
            flagged = flagged.drop_columns(list(_MARKS))
        parts = [part for part in (flagged, others) if len(part)]
        table = pa.concat_tables(parts, promote_options="default") if parts else pa.table({})
        is_flagged = np.arange(len(table)) < len(flagged)
        weights = np.where(is_flagged, self._stores[0].weight, self._stores[1].weight)
        blamed, units = np.full((len(table), 2), -1), np.zeros(len(table))
        blamed[is_flagged], units[is_flagged] = marks[:2].T, marks[2]
        columns, left_out = coded_columns(table, weights, self._candidates)
        return CodedTable(columns, is_flagged, weights, units, blamed, left_out)

    def segment(self, table: CodedTable, chosen: Chosen, columns: Sequence[str]) -> Segment:
        """A segment with its counts: exact ones where its value was counted, or all rows are held."""
        assert self._stores is not None
        flagged, others = self._stores
        hits = float(table.weights[chosen.rows & table.flagged].sum())
        rows = float(table.weights[chosen.rows].sum())
        exact = flagged.complete and others.complete
        first = chosen.conditions[0]
        if not exact and len(chosen.conditions) == 1 and not first.is_range:
            counted = self._counts.of(first.column, first.value)
            if counted is not None:
                (rows, hits), exact = counted, True
        inside, inside_hits = round(rows), round(hits)
        return Segment(
            chosen.conditions,
            inside,
            inside_hits,
            max(flagged.seen + others.seen - inside, 0),
            max(flagged.seen - inside_hits, 0),
            round(float(table.weights[chosen.new & table.flagged].sum())),
            chosen.chance,
            exact,
            chosen.alike,
            tuple(most_blamed(table.blamed[chosen.rows & table.flagged], columns, _OFTEN_BLAMED)),
        )

    def looked_at(self, table: CodedTable, search: SegmentSearch) -> LookedAt:
        """What was looked at, and in how many rows."""
        held = int(table.flagged.sum())
        seen = (self._stores[0].seen, self._stores[1].seen) if self._stores is not None else (0, 0)
        columns = list(dict.fromkeys(each.column for each in table.columns))
        counts = held, len(table) - held, *seen
        by_event = self._units is not None
        return LookedAt(search.conditions, search.pairs, columns, table.left_out, *counts, by_event)


def most_blamed(blamed: Integers, columns: Sequence[str], least: float) -> list[BlamedColumn]:
    """The columns most to blame in at least this share of flagged rows; `blamed` [flagged rows, 2]."""
    shares = np.bincount(blamed[:, 0], minlength=len(columns)) / max(len(blamed), 1)
    order = np.argsort(-shares, kind="stable")[:_MOST_BLAMED].tolist()
    return [BlamedColumn(columns[at], float(shares[at])) for at in order if shares[at] >= least]


def _blamed(scores: Scores) -> tuple[Floats, Floats]:
    """Of each row the number of the column most to blame, and of the second; -1 where there is none."""
    rows = np.arange(len(scores.attribution))
    first = scores.attribution.argmax(axis=1)
    others = scores.attribution.copy()
    others[rows, first] = -1.0
    second = others.argmax(axis=1)
    second = np.where(others[rows, second] >= _ALSO, second, -1)
    return first.astype(np.float64), second.astype(np.float64)


def _units(session: SeriesSession) -> Floats:
    """What each row [rows] counts for: its part of its event, since the rows of an event come together."""
    units = np.ones(len(session.scores))
    for event in session.found_events:
        units[event.rows] = 1 / len(event.rows)
    return units
