"""Rows that people gave a verdict on, in training: normal ones are learned, anomalies are left out and known.

Of time series an event that was called an anomaly is left out like a stretch of a calendar, and one that was
called normal is learned if its rows are among those to learn from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config import Config
from aedetect.data import any_type, cells
from aedetect.data.arrays import Mask
from aedetect.data.plans.entries import Entry, Moment
from aedetect.engine.callbacks import Callback
from aedetect.io.selected import RowMarks, SelectedInput
from aedetect.io.source import Input, TableInput, batch_rows
from aedetect.scoring.feedback_store import Note
from aedetect.training.planned_rows import NOTED

# A row that was called normal is learned more than once: of one in thousands networks take no notice, and it
# may be set aside to stop early or to calibrate with. At least and at most so many times; in between, so that
# all of them come to this share of the rows.
_LEAST_TIMES, _MOST_TIMES, _SHARE = 5, 20, 0.02


@dataclass(frozen=True)
class NotedEvents:
    """Events that people called anomalies, as a plan: each from its first row to its last."""

    columns: Sequence[str]
    entries: Sequence[Entry]
    name: str = NOTED
    names_zones: bool = False

    @classmethod
    def of(cls, notes: Sequence[Note]) -> NotedEvents | None:
        """The events among the notes that count; None where there is none."""
        entries = [
            Entry(
                Moment(note.event.start, floating=False),
                Moment(float(np.nextafter(note.event.end, np.inf)), floating=False),
                note.name,
                note.name,
                where=note.event.entity,
            )
            for note in notes
            if note.counts and note.verdict == "anomaly" and note.event is not None
        ]
        columns = list(dict.fromkeys(column for entry in entries for column in entry.where))
        return cls(columns, entries) if entries else None

    def of_year(self, year: int) -> Sequence[Entry]:
        """All of them: they do not recur."""
        return self.entries


@dataclass(frozen=True)
class WithNotes:
    """Inputs as notes have them. `anomalies`: inputs of rows called anomalies; `left_out`: rows like them.

    `first`: where the first of these stands.
    """

    inputs: list[Input]
    anomalies: list[Input] = field(default_factory=list)
    left_out: int = 0
    first: str | None = None


def with_notes(
    inputs: Sequence[Input], notes: Sequence[Note], config: Config, callback: Callback, repeat: bool = True
) -> WithNotes:
    """Inputs without the rows that equal one called an anomaly, and with those called normal behind them.

    A row called normal that the inputs hold is not added; others are, with `repeat` several times.
    Raises DataError where an input cannot be read.
    """
    usable = [note for note in notes if note.counts and note.event is None]
    if not usable:
        return WithNotes(list(inputs))
    anomalies = [note for note in usable if note.verdict == "anomaly"]
    normal = [note for note in usable if note.verdict == "normal"]
    rules = cells.CellRules(config.data.decimal, tuple(config.data.na_values))
    selected: list[Input] = []
    present: set[int] = set()
    left_out, count, first = 0, 0, None
    for source in inputs:
        marks = RowMarks()
        for batch in source.open(batch_rows(config, len(source.open(1024).schema))).batches():
            cells_of = _Cells(batch, rules)
            odd = np.zeros(len(batch), dtype=np.bool_)
            for note in anomalies:
                odd |= cells_of.equal(note)
            present |= {note.id for note in normal if note.id not in present and cells_of.equal(note).any()}
            if odd.any() and first is None:
                first = f"{source.locate(marks.count + int(odd.argmax()) + 1)} of {source.name}"
            marks.add(~odd)
            count += len(batch)
            left_out += int(odd.sum())
        selected.append(source if marks.marked == marks.count else SelectedInput(source, marks))
    schema = inputs[0].open(1024).schema
    new = [note for note in normal if note.id not in present]
    added, unusable = _as_input(new, schema, "rows called normal")
    known, further = _as_input(anomalies, schema, "rows called anomalies")
    for text in (*unusable, *further):
        callback.notice(text)
    if added is not None:
        times = int(np.clip(_SHARE * count / len(added.table), _LEAST_TIMES, _MOST_TIMES)) if repeat else 1
        selected.append(TableInput(pa.concat_tables([added.table] * times), added.name))
        callback.notice(
            f"{len(added.table):,} row{'s' * (len(added.table) != 1)} called normal by people "
            f"{'are' if len(added.table) != 1 else 'is'} learned as well"
        )
    return WithNotes(selected, [known] if known is not None else [], left_out, first)


def called(batch: pa.RecordBatch, notes: Sequence[Note], rules: cells.CellRules) -> tuple[Mask, Mask]:
    """Which rows [rows] of a batch equal one that was called an anomaly, and which one called normal."""
    cells_of = _Cells(batch, rules)
    said = {verdict: np.zeros(len(batch), dtype=np.bool_) for verdict in ("anomaly", "normal")}
    for note in notes:
        said[note.verdict] |= cells_of.equal(note)
    return said["anomaly"], said["normal"]


class _Cells:
    """The cells of a batch as names, each column read once."""

    def __init__(self, batch: pa.RecordBatch, rules: cells.CellRules):
        self._batch, self._rules = batch, rules
        self._names: dict[str, pa.Array] = {}

    def equal(self, note: Note) -> Mask:
        """Which rows [rows] hold the very cells of a note, in all columns that both have."""
        rows = np.ones(len(self._batch), dtype=np.bool_)
        common = [name for name in note.cells if name in self._batch.schema.names]
        for name in common:
            if not rows.any():
                break
            rows &= self._holds(name, note)
        return rows if common else np.zeros(len(self._batch), dtype=np.bool_)

    def _holds(self, name: str, note: Note) -> Mask:
        if name not in self._names:
            self._names[name] = any_type.names(self._batch.column(name), self._rules)
        value = note.cells[name]
        cell = pa.array([value], pa.string() if value is None else None)
        wanted, column = any_type.names(cell, self._rules)[0], self._names[name]
        same = pc.equal(column, wanted) if wanted.is_valid else column.is_null()
        rows = np.asarray(pc.fill_null(same, False).to_numpy(zero_copy_only=False), dtype=np.bool_)
        number = cells.numbers(any_type.as_readable(cell), self._rules).values[0]
        if np.isnan(number) or rows.all():
            return rows
        # One number may be written in several ways: 2 and 2.0.
        numbers = cells.numbers(any_type.as_readable(self._batch.column(name)), self._rules)
        return np.asarray(rows | (numbers.values == number))


def _as_input(notes: Sequence[Note], schema: pa.Schema, name: str) -> tuple[TableInput | None, list[str]]:
    """Noted rows as an input with the columns of `schema`, None without any; and which cannot be one."""
    tables, unusable = [], []
    for note in notes:
        lacking = [column for column in schema.names if column not in note.cells]
        try:
            arrays = list(_columns(note, schema))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            unusable.append(f"{note.name} is on a row of other types, and is not learned from")
            continue
        if len(lacking) * 2 > len(schema.names):
            unusable.append(f"{note.name} lacks most columns, and is not learned from")
            continue
        tables.append(pa.Table.from_arrays(arrays, schema=schema))
    return (TableInput(pa.concat_tables(tables), name) if tables else None), unusable


def _columns(note: Note, schema: pa.Schema) -> Iterator[pa.Array]:
    for field_ in schema:
        value = note.cells.get(field_.name)
        if value is None:
            yield pa.nulls(1, field_.type)
        elif pa.types.is_string(field_.type):
            yield pa.array([value if isinstance(value, str) else _text(value)])
        else:
            yield pa.array([value]).cast(field_.type)


def _text(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)
