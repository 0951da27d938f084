"""What codes cost: how much shorter than rows they are, and how far off a row is that is rebuilt from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats
from aedetect.engine.task import Consumer, FileSummary, Processed, RemoteConsumer, Task
from aedetect.io.source import Input
from aedetect.tasks.encode import EncodedRows


class CodeCost(Consumer):
    """Gathers the errors of rows as they pass by; `columns` of a row become `numbers` of a code.

    An error is in standard deviations of the training rows: one number more tells more of how rows vary.
    """

    def __init__(self, columns: int, numbers: int):
        self._columns, self._numbers = columns, numbers
        self._errors: list[Floats] = []

    def see(self, batch: Processed) -> None:
        detail: EncodedRows = batch.result.detail
        self._errors.append(detail.errors[~np.isnan(detail.errors)].astype(np.float32))

    def findings(self) -> Mapping[str, Any]:
        """`columns`, `numbers`, and `error`, the median of the rows; None where no row has a code."""
        errors = np.concatenate([np.empty(0, np.float32), *self._errors])
        error = float(f"{np.median(errors):.3g}") if len(errors) else None
        return {"code": {"columns": self._columns, "numbers": self._numbers, "error": error}}

    def remote(self) -> RemoteConsumer:
        return partial(_cost_of, columns=self._columns, numbers=self._numbers)

    def state(self) -> list[Floats]:
        return self._errors

    def joined(self, states: Sequence[list[Floats]]) -> list[Floats]:
        return [errors for state in states for errors in state]

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self._errors += state


def _cost_of(_: Task, columns: int, numbers: int) -> Consumer:
    return CodeCost(columns, numbers)
