"""What Python callers may pass as data, as inputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

from aedetect.config import DataConfig
from aedetect.errors import DataError, UsageError
from aedetect.io.files import open_inputs
from aedetect.io.source import Input, ReadOptions, TableInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Data = Union["pd.DataFrame", "pa.Table", "pa.RecordBatch", str, os.PathLike[str], Sequence[Any]]


def as_inputs(data: Data, config: DataConfig) -> Sequence[Input]:
    """Inputs for a DataFrame, an Arrow table or record batch, one path, or several of these."""
    if isinstance(data, (str, os.PathLike)):
        return open_inputs([os.fspath(data)], read_options(config))
    if isinstance(data, (list, tuple)):
        found: list[Input] = []
        for item in data:
            found.extend(
                [item] if hasattr(item, "open") and hasattr(item, "locate") else as_inputs(item, config)
            )
        if not found:
            raise UsageError("no data given")
        return found
    return [TableInput(_table(data))]


def read_options(config: DataConfig) -> ReadOptions:
    return ReadOptions(config.format, config.delimiter, config.encoding)


def _table(data: object) -> pa.Table:
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    # A DataFrame can only have come from a pandas that is loaded already.
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        frame = data.set_axis([str(name) for name in data.columns], axis=1)
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise DataError(f"the column name {twice[0]!r} appears twice in the DataFrame; rename one")
        try:
            return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise DataError(f"the DataFrame holds a column of mixed types: {error}") from None
    raise UsageError(f"data must be a DataFrame, an Arrow table or paths, not {type(data).__name__}")
