"""What a ledger holds, to be held against another one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_CHANGING = ("scored", "output")


def ledger_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of its tables, but for times and outputs."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        rows = [
            dict(row)
            for table in ("scored", "deliveries")
            for row in database.execute(f"SELECT * FROM {table}")
        ]
    assert rows
    return [{name: row[name] for name in row if name not in _CHANGING} for row in rows]
