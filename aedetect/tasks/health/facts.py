"""What is seen of each input while it is scored, for the ledger: empty cells, and whose rows it has."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config.names import no_column
from aedetect.data.features.categorical import MISSING
from aedetect.data.series.entities import Entities
from aedetect.engine.deliveries import MOST_ENTITIES, Facts
from aedetect.engine.task import Consumer, FileSummary, Processed, RemoteConsumer, Task
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.data.features import Encoded

_FLAG = "--expect-entity"


def check_entity(fitted: FittedModel, column: str | None, inputs: Sequence[Input]) -> None:
    """Raises UsageError where series have their entities from training, or the first input no such column."""
    if column is None:
        return
    if fitted.series is not None:
        raise UsageError(f"{_FLAG} is for tables; the series of this model are told apart by its --entity")
    for source in inputs[:1]:
        # One that cannot be read fails by name when its turn comes.
        with contextlib.suppress(DataError, ModelError):
            names = source.open(1).schema.names
            if column not in names:
                raise UsageError(no_column(_FLAG, column, names, f"in {source.name}"))


class FactsCollector(Consumer):
    """Gathers the facts of each input. `entity`: a column of tables that names what the rows are of."""

    def __init__(self, fitted: FittedModel, entity: str | None = None):
        self._fitted = fitted
        self._entity = entity
        self._of_input: dict[str, _Gathered] = {}
        self._merged: dict[str, Facts] = {}

    def begin(self, source: Input) -> None:
        self._of_input[source.name] = _Gathered(self._fitted, self._entity)

    def see(self, batch: Processed) -> None:
        gathered = self._of_input[batch.source.name]
        gathered.see(batch.source, batch.rows, batch.result.detail.encoded)

    def facts(self, source: Input) -> Facts:
        """What was seen of an input; it is forgotten here."""
        if source.name in self._merged:
            return self._merged.pop(source.name)
        return self._of_input.pop(source.name).facts()

    def remote(self) -> RemoteConsumer:
        return partial(_of_task, entity=self._entity)

    def state(self) -> dict[str, Facts]:
        return {name: gathered.facts() for name, gathered in self._of_input.items()}

    def joined(self, states: Sequence[dict[str, Facts]]) -> dict[str, Facts]:
        return {name: _joined([state[name] for state in states]) for name in states[0]}

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self._merged |= state


def _of_task(task: Task, entity: str | None) -> Consumer:
    return FactsCollector(task.fitted, entity)  # type: ignore[attr-defined]


class _Gathered:
    """What was seen of one input so far."""

    def __init__(self, fitted: FittedModel, entity: str | None):
        encoder = fitted.encoder
        self._threshold = float(fitted.threshold)
        self._rules = fitted.schema.rules
        self._numbers = len(encoder.center)
        self._categorical = [vocabulary.column for vocabulary in encoder.state.categorical]
        self._constant = list(encoder.state.constant)
        self._missing = Counter[str]()
        # Channels of a long table are empty wherever another one was read.
        self._counts_missing = fitted.long_table is None
        of_series = fitted.series.state.entity if fitted.series is not None else ()
        self._entities = Entities([entity] if entity is not None else of_series)

    def see(self, source: Input, rows: pa.RecordBatch, encoded: Encoded) -> None:
        if self._counts_missing:
            for name, filled in encoded.filled.items():
                self._missing[name] += len(rows) - filled
            codes = encoded.matrix[:, self._numbers :]
            self._missing.update(_counts(self._categorical, codes == MISSING))
            self._missing.update(_counts(self._constant, encoded.missing_constants))
        columns = self._entities.columns
        for column in columns:
            if column not in rows.schema.names:
                raise DataError(f"{source.name}: {no_column(_FLAG, column, rows.schema.names)}")
        if columns and len(self._entities.names) <= MOST_ENTITIES:
            self._entities.number(rows, self._rules)

    def facts(self) -> Facts:
        names = self._entities.names
        known = bool(self._entities.columns) and len(names) <= MOST_ENTITIES
        return Facts(self._threshold, dict(self._missing), sorted(names) if known else None)


def _joined(each: Sequence[Facts]) -> Facts:
    """The facts of an input, from those of its parts."""
    missing = Counter[str]()
    names = set[tuple[str, ...]]()
    for facts in each:
        missing.update(facts.missing or {})
        names.update(facts.entities or ())
    known = all(facts.entities is not None for facts in each) and len(names) <= MOST_ENTITIES
    return Facts(each[0].threshold, dict(missing), sorted(names) if known else None)


def _counts(names: list[str], missing: np.ndarray[Any, Any]) -> dict[str, int]:
    """By column, in how many rows [rows, columns] it is missing; those that are not anywhere too."""
    return dict(zip(names, missing.sum(axis=0).tolist(), strict=True))
