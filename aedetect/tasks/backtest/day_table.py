"""The days of a backtest as a table in a file."""

from __future__ import annotations

import pyarrow as pa

from aedetect.io.write import open_sink
from aedetect.tasks.backtest.results import Backtest


def line_table(result: Backtest) -> pa.Table:
    """A row for each day, or dump where nothing tells days, and each rate.

    Columns: `day` (or `dump`), `rows`, `unscorable`, `alert_rate`, `flagged` and, of time series, `events`.
    """
    each = [(line, rate, fired) for line in result.lines for rate, fired in line.fired.items()]
    columns: dict[str, pa.Array] = {
        result.period: pa.array([line.name for line, _, _ in each], pa.string()),
        "rows": pa.array([line.rows for line, _, _ in each], pa.int64()),
        "unscorable": pa.array([line.unscorable for line, _, _ in each], pa.int64()),
        "alert_rate": pa.array([rate for _, rate, _ in each], pa.float64()),
        "flagged": pa.array([fired.flagged for _, _, fired in each], pa.int64()),
    }
    if result.unit == "events":
        columns["events"] = pa.array([fired.events for _, _, fired in each], pa.int64())
    return pa.table(columns)


def write_lines(result: Backtest, path: str) -> None:
    """Write the table to `path`, in the format of its suffix. Raises OutputError where that fails."""
    table = line_table(result)
    with open_sink(path, table.schema) as sink:
        for batch in table.to_batches():
            sink.write(batch)
