"""A file that `score` wrote: the rows of it that a person names."""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.config.names import no_column
from aedetect.data import any_type, cells
from aedetect.data.arrays import Integers, Mask
from aedetect.engine.summary import storable
from aedetect.errors import DataError, UsageError
from aedetect.io.files import FileInput
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.result_columns import EVENT_COLUMN, MUTED_COLUMN, RESULT_COLUMNS, ROW_COLUMN
from aedetect.tasks.suppression.noted_rows import storable_cell

# More rows at once are not verdicts of a person but a rule.
MOST_ROWS = 1000
_BATCH = 4096
_SCORE, _P_VALUE, _FLAG, _FEATURES, _STATUS = RESULT_COLUMNS


@dataclass(frozen=True)
class NoteRequest:
    """What somebody says of which rows of a scored file.

    `rows`: numbers from 1 (of a file of flagged rows alone, those of its column `anomaly_row`). `where`:
    columns and what they hold, all of which must be so: with `verdict` 'normal' the flagged rows that have
    it, with 'anomaly' all rows. `event`, `entity`: the rows of one event of a series. `who`: None for whoever
    runs the program.
    """

    verdict: Literal["normal", "anomaly"]
    rows: Sequence[int] = ()
    where: Sequence[tuple[str, str]] = ()
    event: int | None = None
    entity: Sequence[str] = ()
    text: str = ""
    who: str | None = None

    def __post_init__(self) -> None:
        if sum((bool(self.rows), bool(self.where), self.event is not None)) != 1:
            raise UsageError("say which rows: --row N, --where COLUMN=VALUE, or --event N")
        for number in self.rows:
            if number < 1:
                raise UsageError(f"--row {number}: rows are counted from 1")
        if self.entity and self.event is None:
            raise UsageError("--entity goes with --event N")


@dataclass
class ScoredRows:
    """Rows of a scored file. `numbers`: in its input, from 1; `unflagged`: how many were not flagged."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    unflagged: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def table(self) -> pa.Table:
        """The rows, of which there is at least one."""
        return pa.Table.from_batches(self.batches).combine_chunks()


@dataclass(frozen=True)
class ScoredFile:
    """A file that `score` wrote. `prefix`: of its result columns; `inputs`: the other ones."""

    source: FileInput
    prefix: str
    inputs: Sequence[str]
    has_rows: bool
    has_events: bool

    @classmethod
    def of(cls, source: FileInput) -> ScoredFile:
        """Raises DataError for a file without the columns that scoring adds."""
        names = source.open(1).schema.names
        prefixes = [name.removesuffix(_SCORE) for name in names if name.endswith(_SCORE)]
        whole = [one for one in prefixes if {one + name for name in RESULT_COLUMNS} <= set(names)]
        if not whole:
            raise DataError(
                f"{source.name}: has no columns {_SCORE}, {_FLAG}, …; name a file that "
                "`aedetect score -o` wrote"
            )
        prefix = whole[0]
        added = {prefix + name for name in (*RESULT_COLUMNS, EVENT_COLUMN, MUTED_COLUMN, ROW_COLUMN)}
        inputs = [name for name in names if name not in added]
        return cls(source, prefix, inputs, prefix + ROW_COLUMN in names, prefix + EVENT_COLUMN in names)

    def named(self, request: NoteRequest) -> ScoredRows:
        """The rows that were asked for. Raises DataError or UsageError where there are none, or too many."""
        for column, _ in request.where:
            if column not in self.inputs:
                raise UsageError(no_column("--where", column, list(self.inputs)))
        if request.event is not None and not self.has_events:
            raise UsageError(f"{self.source.name}: has no column {EVENT_COLUMN}: no events of time series")
        rows, count, wanted = ScoredRows(), 0, set(request.rows)
        for batch in self.source.open(_BATCH).batches():
            numbers = self._numbers(batch, count)
            count += len(batch)
            chosen = np.flatnonzero(self._chosen(batch, numbers, request))
            if not len(chosen):
                continue
            part = batch.take(pa.array(chosen))
            self._check_scored(part, numbers[chosen])
            rows.batches.append(part)
            rows.numbers += numbers[chosen].tolist()
            rows.unflagged += len(chosen) - int(self._alarms(part).sum())
            if len(rows) > MOST_ROWS and request.event is None:
                raise UsageError(
                    f"{self.source.name}: more than {MOST_ROWS:,} rows are meant; name fewer, or write a rule"
                )
        lacking = sorted(wanted - set(rows.numbers))
        if lacking:
            ending = "not among its rows" if self.has_rows else f"the last is row {count}"
            raise DataError(f"{self.source.name}: there is no row {lacking[0]}; {ending}")
        if not len(rows):
            raise DataError(f"{self.source.name}: {_nothing(request)}")
        if request.rows and len(rows) > len(wanted):
            self._refuse_ambiguous(rows)
        return rows

    def _refuse_ambiguous(self, rows: ScoredRows) -> None:
        """Of flagged rows of several inputs in one file: a number there is of one row in each."""
        number, count = Counter(rows.numbers).most_common(1)[0]
        raise UsageError(
            f"{self.source.name}: row {number} is there {count} times, as it holds rows of several inputs; "
            "name it by what it holds, --where COLUMN=VALUE, or score each input to an output of its own"
        )

    def scores_of(self, table: pa.Table) -> list[float]:
        """The scores of rows. Raises DataError for what is no number."""
        column = _column(table, self.prefix + _SCORE)
        # Where the input has decimal commas, the output does, which no flag need say: scores are not grouped.
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.replace_substring(column, ",", ".")
        scores = cells.numbers(column, cells.CellRules()).values
        for text, score in zip(_column(table, self.prefix + _SCORE).to_pylist(), scores, strict=True):
            if not np.isfinite(score):
                raise DataError(
                    f"{self.source.name}: column {self.prefix + _SCORE!r}: {text!r} is no score; name the "
                    "file as `aedetect score -o` wrote it"
                )
        return [float(score) for score in scores]

    def attribution_of(self, table: pa.Table) -> list[dict[str, float]]:
        """The columns to blame for rows, with their shares."""
        texts = _column(table, self.prefix + _FEATURES).to_pylist()
        return [json.loads(text) if text else {} for text in texts]

    def _numbers(self, batch: pa.RecordBatch, before: int) -> Integers:
        if not self.has_rows:
            return np.arange(before + 1, before + 1 + len(batch))
        read = cells.numbers(batch.column(self.prefix + ROW_COLUMN), cells.CellRules())
        return np.nan_to_num(read.values).astype(np.int64)

    def _alarms(self, rows: pa.RecordBatch) -> Mask:
        """Rows that are flagged or muted [rows]."""
        flags = cells.booleans(rows.column(self.prefix + _FLAG), cells.CellRules()).values == 1
        muted = pc.equal(pc.cast(rows.column(self.prefix + _STATUS), pa.string()), "muted")
        return np.asarray(flags | np.asarray(pc.fill_null(muted, False)))

    def _chosen(self, batch: pa.RecordBatch, numbers: Integers, request: NoteRequest) -> Mask:
        if request.rows:
            return np.isin(numbers, list(request.rows))
        if request.event is not None:
            read = cells.numbers(batch.column(self.prefix + EVENT_COLUMN), cells.CellRules())
            chosen = np.asarray(read.values == request.event)
            for value in request.entity:
                chosen &= self._holds_anywhere(batch, value)
            return chosen
        chosen = np.ones(len(batch), np.bool_) if request.verdict == "anomaly" else self._alarms(batch)
        for column, value in request.where:
            names = any_type.names(batch.column(column), cells.CellRules())
            chosen = chosen & np.asarray(pc.fill_null(pc.equal(names, value), False))
        return chosen

    def _holds_anywhere(self, batch: pa.RecordBatch, value: str) -> Mask:
        """Rows one of whose columns holds a value [rows]."""
        rows = np.zeros(len(batch), np.bool_)
        for name in self.inputs:
            names = any_type.names(batch.column(name), cells.CellRules())
            rows |= np.asarray(pc.fill_null(pc.equal(names, value), False))
        return rows

    def _check_scored(self, rows: pa.RecordBatch, numbers: Integers) -> None:
        status = rows.column(self.prefix + _STATUS).to_pylist()
        for number, one in zip(numbers, status, strict=True):
            if one in ("unscorable", "warmup"):
                raise DataError(
                    f"{self.source.name}: row {number} was not scored ({one}): nothing was said of it"
                )


def blank_note(scored: ScoredFile, request: NoteRequest, row: int, score: float, values: pa.Table) -> Note:
    """A note on a row, from what the scored file says of it; its number is given by the store."""
    return Note(
        id=1,
        verdict=request.verdict,
        text=storable(request.text),
        who=storable(request.who or current_user()),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        source=storable(scored.source.name),
        row=row,
        score=score,
        cells={name: storable_cell(any_type.value(_column(values, name))) for name in scored.inputs},
        attribution={},
    )


def current_user() -> str:
    """Whoever runs the program; 'unknown' where the system does not tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _nothing(request: NoteRequest) -> str:
    if request.event is not None:
        of = f" of {'/'.join(request.entity)}" if request.entity else ""
        return f"there is no event {request.event}{of}"
    asked = " and ".join(f"{column}={value}" for column, value in request.where)
    return f"no {'flagged ' if request.verdict == 'normal' else ''}row has {asked}"
