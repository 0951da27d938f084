"""The columns that scoring adds to a table, and how a table's own columns go to the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aedetect.errors import UsageError
from aedetect.scoring.blame import top_attribution

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.base import Scores

RESULT_COLUMNS = ("anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status")
EVENT_COLUMN = "anomaly_event"
# Where something may mute rows: what muted them.
MUTED_COLUMN = "anomaly_muted_by"
# Where rows are left out, the number that a row has in its input, from 1.
ROW_COLUMN = "anomaly_row"


def result_names(prefix: str, series: bool = False, muting: bool = False) -> list[str]:
    """The names of the result columns; `muting`: whether rows may be muted."""
    further = [EVENT_COLUMN] * series + [MUTED_COLUMN] * muting
    return [prefix + name for name in (*RESULT_COLUMNS, *further)]


def result_schema(prefix: str, series: bool = False, muting: bool = False) -> pa.Schema:
    """The result columns with their types."""
    import pyarrow as pa

    types = [pa.float64(), pa.float64(), pa.bool_(), pa.string(), pa.string()]
    types += [pa.int64()] * series + [pa.string()] * muting
    return pa.schema(list(zip(result_names(prefix, series, muting), types, strict=True)))


def check_free(taken: Sequence[str], names: Sequence[str], source: str) -> None:
    """Raises UsageError where an input column bears the name of an output column."""
    for name in names:
        if name in taken:
            raise UsageError(
                f"{source}: has a column {name!r} already, which scoring would add; "
                "give --prefix, e.g. --prefix new_"
            )


def result_arrays(scores: Scores, columns: Sequence[str], top: int, muting: bool = False) -> list[pa.Array]:
    """The result columns of one batch, in the order of `result_names`; null where unscorable."""
    import pyarrow as pa

    unscorable = scores.unscorable
    features: list[str | None] = [None] * len(unscorable)
    for index in np.flatnonzero(scores.flagged | scores.muted):
        features[index] = top_attribution(scores.attribution[index], columns, top)
    status = np.where(unscorable, "unscorable", "ok")
    status = np.where(scores.warmup, "warmup", status)
    status = np.where(scores.muted, "muted", status)
    arrays = [
        pa.array(scores.scores, pa.float64(), mask=unscorable),
        pa.array(scores.p_values, pa.float64(), mask=unscorable),
        pa.array(scores.flagged, pa.bool_(), mask=unscorable),
        pa.array(features, pa.string()),
        pa.array(status.tolist(), pa.string()),
    ]
    if scores.events is not None:
        arrays.append(pa.array(scores.events, pa.int64(), mask=scores.events == 0))
    if muting:
        labels = {place: reason.label for place, reason in scores.reasons.items()}
        arrays.append(pa.array([labels.get(place) for place in range(len(unscorable))], pa.string()))
    return arrays
