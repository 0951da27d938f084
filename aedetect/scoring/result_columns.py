"""The columns that scoring adds to a table, and how a table's own columns go to the output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Matrix
from aedetect.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.base import Scores

RESULT_COLUMNS = ("anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status")
EVENT_COLUMN = "anomaly_event"
# Where rows are left out, the number that a row has in its input, from 1.
ROW_COLUMN = "anomaly_row"
LEAST_SHARE = 0.05


def result_names(prefix: str, series: bool = False) -> list[str]:
    return [prefix + name for name in (*RESULT_COLUMNS, *([EVENT_COLUMN] if series else []))]


def result_schema(prefix: str, series: bool = False) -> pa.Schema:
    import pyarrow as pa

    types = [pa.float64(), pa.float64(), pa.bool_(), pa.string(), pa.string()]
    if series:
        types.append(pa.int64())
    return pa.schema(list(zip(result_names(prefix, series), types, strict=True)))


def check_free(taken: Sequence[str], names: Sequence[str], source: str) -> None:
    """Raises UsageError where an input column bears the name of an output column."""
    for name in names:
        if name in taken:
            raise UsageError(
                f"{source}: has a column {name!r} already, which scoring would add; "
                "give --prefix, e.g. --prefix new_"
            )


def result_arrays(scores: Scores, columns: Sequence[str], top: int) -> list[pa.Array]:
    """The result columns of one batch, in the order of `result_names`; null where unscorable."""
    import pyarrow as pa

    unscorable = scores.unscorable
    features: list[str | None] = [None] * len(unscorable)
    for index in np.flatnonzero(scores.flagged):
        features[index] = top_attribution(scores.attribution[index], columns, top)
    status = np.where(unscorable, "unscorable", "ok")
    status = np.where(scores.warmup, "warmup", status)
    arrays = [
        pa.array(scores.scores, pa.float64(), mask=unscorable),
        pa.array(scores.p_values, pa.float64(), mask=unscorable),
        pa.array(scores.flagged, pa.bool_(), mask=unscorable),
        pa.array(features, pa.string()),
        pa.array(status.tolist(), pa.string()),
    ]
    if scores.events is not None:
        arrays.append(pa.array(scores.events, pa.int64(), mask=scores.events == 0))
    return arrays


def top_attribution(shares: Matrix, columns: Sequence[str], top: int) -> str:
    """The columns that contributed most to one row's error, as a JSON object of their shares."""
    order = np.argsort(-shares, kind="stable")[:top]
    contributors = [index for place, index in enumerate(order) if place == 0 or shares[index] >= LEAST_SHARE]
    return json.dumps(
        {columns[index]: round(float(shares[index]), 2) for index in contributors},
        ensure_ascii=False,
        allow_nan=False,
    )
