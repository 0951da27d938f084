"""The one reader of a label column: which rows are marked as anomalies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from aedetect.config import DataConfig
from aedetect.data import cells
from aedetect.data.arrays import Mask
from aedetect.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def known_anomalies(array: pa.Array, config: DataConfig, locate: Callable[[int], str]) -> Mask:
    """Which rows the label column marks as anomalies; [rows]. Missing labels count as normal.

    Raises DataError, with the place that `locate` gives, for a label that is no truth value.
    """
    rules = cells.CellRules(config.decimal, tuple(config.na_values))
    if config.positive is not None:
        import pyarrow.compute as pc

        marked = pc.fill_null(pc.equal(cells.categories(array, rules), config.positive), False)
        return np.asarray(marked.to_numpy(zero_copy_only=False), dtype=np.bool_)
    read = cells.booleans(array, rules)
    if read.bad.any():
        index = int(read.bad.argmax())
        value = array[index].as_py()
        raise DataError(
            f"{locate(index)}, column {config.label!r}: {value!r} is no truth value; "
            "say with --positive which value marks an anomaly"
        )
    return np.asarray(read.values == 1)
