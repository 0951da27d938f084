"""Rows that people gave a verdict on, as a model sees them that may be another than they were scored by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.data import any_type, cells
from aedetect.data.arrays import Matrix
from aedetect.io.source import TableInput
from aedetect.models.threads import single_threaded
from aedetect.scoring.feedback_store import Cell, Note
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer


@dataclass(frozen=True, eq=False)
class JudgedRow:
    """A noted row: `encoded` [features], the `shares` [columns] of its error, and its score.

    `constants`: what it holds in the watched constants, by column.
    """

    note: Note
    encoded: Matrix
    shares: Matrix
    score: float
    constants: Mapping[str, str | None]


def judged_again(fitted: FittedModel, notes: Sequence[Note]) -> tuple[list[JudgedRow], list[str]]:
    """Noted rows of tables under a model, and why some of them cannot be judged."""
    scorer = TableScorer(fitted)
    judged, lacking = [], []
    with single_threaded(fitted.device):
        for note in notes:
            missing = _lacking(fitted, note)
            if missing:
                lacking.append(
                    f"{note.name} lacks column {missing[0]!r}, which the model learned: it mutes nothing"
                )
                continue
            batch = batch_of(fitted, note)
            scores = scorer.score_batch(batch)
            if scores.unscorable[0]:
                lacking.append(f"{note.name} is on a row that the model cannot read: it mutes nothing")
                continue
            watched = constants_of(list(fitted.encoder.state.constant), batch, fitted.schema.rules)
            constants = {name: values[0] for name, values in watched.items()}
            encoded, shares = scores.encoded.matrix[0], scores.attribution[0]
            judged.append(JudgedRow(note, encoded, shares, float(scores.scores[0]), constants))
    return judged, lacking


def constants_of(
    names: Sequence[str], rows: pa.RecordBatch, rules: cells.CellRules
) -> dict[str, list[str | None]]:
    """What rows hold in columns that were constant, as text, by column."""
    return {name: any_type.names(rows.column(name), rules).to_pylist() for name in names}


def _lacking(fitted: FittedModel, note: Note) -> list[str]:
    """The columns that a model learned and that a note does not have."""
    return [
        column.name
        for column in fitted.schema.inputs
        if column.name not in note.cells and column.name not in fitted.schema.optional
    ]


def batch_of(fitted: FittedModel, note: Note) -> pa.RecordBatch:
    """A noted row as a batch with the columns that the model knows."""
    source = fitted.schema.completed(TableInput(table_of(note), note.source))
    (batch,) = source.open(1).batches()
    return batch


def table_of(note: Note) -> pa.Table:
    """A noted row as a table; columns without a value are of text."""
    return pa.table(
        {
            name: pa.array([value], pa.string() if value is None else None)
            for name, value in note.cells.items()
        }
    )


def storable_cell(value: Any) -> Cell:
    """A cell of any type as the store holds it: instants as text, numbers that are not finite as text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
