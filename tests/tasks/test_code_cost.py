"""What codes cost, as it is gathered from batches."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from aedetect.engine.task import BatchResult, Processed
from aedetect.io.source import TableInput
from aedetect.tasks.code_cost import CodeCost


def batch(*errors: float) -> Processed:
    rows = pa.RecordBatch.from_pydict({"a": [0.0] * len(errors)})
    detail: Any = SimpleNamespace(errors=np.array(errors))
    source = TableInput(pa.Table.from_batches([rows]))
    return Processed(source, 1, rows, BatchResult(None, Counter(), detail))


def test_the_median_of_the_rows_that_have_a_code() -> None:
    cost = CodeCost(8, 4)
    cost.see(batch(0.1, np.nan, 0.2))
    cost.see(batch(7000.0))
    assert cost.findings() == {"code": {"columns": 8, "numbers": 4, "error": 0.2}}


def test_nothing_is_known_without_a_row() -> None:
    cost = CodeCost(8, 4)
    cost.see(batch(np.nan))
    assert cost.findings() == {"code": {"columns": 8, "numbers": 4, "error": None}}
