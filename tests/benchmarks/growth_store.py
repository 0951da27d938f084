"""The figures of the benchmark of growth, kept in a JSON file so that a later run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]
# What identifies a record: of two with the same key, the later one counts.
KEY = ("axis", "size", "format", "tool", "action")
# Whoever ran out of these at one size is not tried at a larger one.
GIVEN_UP = ("time", "memory", "failed")


class Store:
    """Records of one file, each written as soon as it is there."""

    def __init__(self, path: Path):
        self.path = path
        records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        self._records: dict[tuple[Any, ...], Record] = {_key(record): record for record in records}

    @property
    def records(self) -> list[Record]:
        """By axis, tool, format, action and size."""
        order = ("axis", "tool", "format", "action", "size")
        return sorted(self._records.values(), key=lambda record: [record[name] for name in order])

    def add(self, records: Iterable[Record]) -> None:
        self._records |= {_key(record): record for record in records}
        lines = ",\n".join(json.dumps(record, sort_keys=True) for record in self.records)
        # A run that is killed in between must not take the figures of hours with it.
        partial = self.path.with_suffix(".partial")
        partial.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        os.replace(partial, self.path)

    def has(self, axis: str, size: int, kind: str, tool: str) -> bool:
        """Whether this was measured, training and scoring, or given up at this size."""
        ends = {record["action"]: record["outcome"] for record in self._of(axis, kind, tool, {size})}
        return "train" in ends and ("score" in ends or ends["train"] in GIVEN_UP)

    def gave_up(self, axis: str, size: int, kind: str, tool: str) -> bool:
        """Whether a smaller size was already too much."""
        smaller = {record["size"] for record in self._records.values() if record["size"] < size}
        return any(record["outcome"] in GIVEN_UP for record in self._of(axis, kind, tool, smaller))

    def _of(self, axis: str, kind: str, tool: str, sizes: set[int]) -> list[Record]:
        place = (axis, kind, tool)
        return [
            record
            for record in self._records.values()
            if (record["axis"], record["format"], record["tool"]) == place and record["size"] in sizes
        ]


def _key(record: Record) -> tuple[Any, ...]:
    return tuple(record[name] for name in KEY)
