"""What is said of an input as a whole, once it was read to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aedetect.data import cells
from aedetect.data.schema import Schema
from aedetect.errors import DataError
from aedetect.io.source import Input

if TYPE_CHECKING:
    from aedetect.data.features import Encoded


class InputWarnings:
    """Gathers what is said of an input as a whole, once it was read to its end."""

    def __init__(self, source: Input, schema: Schema):
        self._source = source
        self._schema = schema
        self._unreadable: dict[str, int] = {}
        self._first_bad: dict[str, int] = {}
        self._moved: dict[str, int] = {}
        self._unseen: dict[str, int] = {}
        self._filled: dict[str, int] = {}

    def see(self, encoded: Encoded, before: int) -> None:
        for name, fault in encoded.unreadable.items():
            self._unreadable[name] = self._unreadable.get(name, 0) + fault.count
            self._first_bad.setdefault(name, before + fault.first_row + 1)
        for name, count in encoded.filled.items():
            self._filled[name] = self._filled.get(name, 0) + count
        for name, count in encoded.unseen.items():
            self._unseen[name] = self._unseen.get(name, 0) + count
        constants = [column.name for column in self._schema.columns if column.role == "constant"]
        for name, moved in zip(constants, encoded.changed_constants.sum(axis=0), strict=True):
            if moved:
                self._moved[name] = self._moved.get(name, 0) + int(moved)

    def conclude(self, rows: int) -> list[str]:
        """Warnings. Raises DataError for a column of which no cell could be read."""
        said = []
        columns = {column.name: column for column in self._schema.columns}
        for name, bad in self._unreadable.items():
            where = self._source.locate(self._first_bad[name])
            role = columns[name].role
            if bad == self._filled.get(name, 0):
                raise DataError(
                    f"{self._source.name}: column {name!r}: no cell can be read as {role}, "
                    f"as it was in training (the first is in {where}); has its type changed?"
                )
            said.append(
                f"{self._source.name}: column {name!r}: {bad:,} cell{'s' * (bad != 1)} cannot be read "
                f"as {role}, the first in {where}; "
                f"{'these rows are' if bad != 1 else 'this row is'} unscorable"
            )
        for name, count in self._moved.items():
            always = cells.spelled(columns[name].constant or "")
            said.append(
                f"{self._source.name}: column {name!r} was always {always!r} in training; "
                f"{count:,} of {rows:,} rows differ"
            )
        for name, count in self._unseen.items():
            said.append(
                f"{self._source.name}: column {name!r}: {count:,} row{'s' * (count != 1)} "
                "with a rare category or one never seen"
            )
        return said
