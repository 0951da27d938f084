"""What is said of an input as a whole, once it was read to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aedetect.data import cells
from aedetect.data.chance import largest_share
from aedetect.data.features.groups import WHOLE
from aedetect.data.likeness import KnownNames, NameCounts, listed
from aedetect.errors import DataError
from aedetect.io.source import Input

if TYPE_CHECKING:
    from aedetect.data.features import Encoded
    from aedetect.scoring.fitted import FittedModel


class InputWarnings:
    """Gathers what is said of an input as a whole, once it was read to its end."""

    def __init__(self, source: Input, fitted: FittedModel):
        self._source = source
        self._fitted = fitted
        self._schema = fitted.schema
        self._unreadable: dict[str, int] = {}
        self._first_bad: dict[str, int] = {}
        self._moved: dict[str, int] = {}
        self._absent: dict[str, int] = {}
        self._unseen: dict[str, NameCounts] = {}
        self._newly_filled: dict[str, NameCounts] = {}
        self._filled: dict[str, int] = {}
        self._groups = NameCounts()
        self._without_group = 0

    def see(self, encoded: Encoded, before: int) -> None:
        for name, fault in encoded.unreadable.items():
            self._unreadable[name] = self._unreadable.get(name, 0) + fault.count
            self._first_bad.setdefault(name, before + fault.first_row + 1)
        for name, count in encoded.filled.items():
            self._filled[name] = self._filled.get(name, 0) + count
        for name, values in encoded.unseen.items():
            self._unseen.setdefault(name, NameCounts()).add(values)
        for name, values in encoded.newly_filled.items():
            self._newly_filled.setdefault(name, NameCounts()).add(values)
        if encoded.unseen_groups:
            self._groups.add(encoded.unseen_groups)
        if self._schema.groups:
            of_none = int((encoded.groups == WHOLE).sum())
            self._without_group += of_none - sum(encoded.unseen_groups.values())
        constants = [column.name for column in self._schema.columns if column.role == "constant"]
        for name, moved, missing in zip(
            constants,
            encoded.changed_constants.sum(axis=0),
            encoded.missing_constants.sum(axis=0),
            strict=True,
        ):
            if moved:
                self._moved[name] = self._moved.get(name, 0) + int(moved)
                self._absent[name] = self._absent.get(name, 0) + int(missing)

    def conclude(self, rows: int, said_of_empty: bool = False) -> list[str]:
        """Warnings. Raises DataError for a column of which no cell could be read.

        `said_of_empty`: columns that hold nothing in any row are named by who scores them.
        """
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
        enough = rows >= self._fitted.config.drift.least_rows
        for name, count in self._moved.items():
            if said_of_empty and enough and self._absent.get(name, 0) == rows:
                continue
            always = cells.spelled(columns[name].constant or "")
            said.append(
                f"{self._source.name}: column {name!r} was always {always!r} in training; "
                f"{count:,} of {rows:,} rows differ"
            )
        for name, counts in self._newly_filled.items():
            values = listed(counts.ranked(KnownNames(())))
            said.append(
                f"{self._source.name}: column {name!r} was empty in training; "
                f"{counts.rows:,} of {rows:,} rows have a value that nothing is known of: {values}"
            )
        said += self._of_groups()
        said += [
            text
            for name in self._unseen
            # Of categories that tell groups apart it was just said.
            if name not in self._schema.groups and (text := self._of_unseen(name, rows))
        ]
        return said

    def respelled(self) -> set[str]:
        """Columns in which most rows with a rare or unseen category may have a known one, misspelled."""
        columns = set()
        for vocabulary in self._fitted.encoder.state.categorical:
            counts = self._unseen.get(vocabulary.column)
            if counts is None:
                continue
            known = KnownNames(vocabulary.values)
            alike = sum(one.rows for one in counts.ranked(known) if one.like)
            if 2 * alike > counts.rows:
                columns.add(vocabulary.column)
        return columns

    def _of_groups(self) -> list[str]:
        """What is said of rows of no group that the model knows."""
        encoder, said = self._fitted.encoder, []
        by = " and ".join(repr(name) for name in self._schema.groups)
        if self._groups.rows and encoder.groups is not None:
            names = encoder.groups.names
            ranked = self._groups.ranked(KnownNames(tuple(map(names.label, range(1, len(names) + 1)))))
            rows = self._groups.rows
            said.append(
                f"{self._source.name}: {rows:,} row{'s' * (rows != 1)} of groups of {by} that the model does "
                f"not know, judged against all rows: {listed(ranked)}"
            )
        if self._without_group:
            counted = f"{self._without_group:,} row{'s' * (self._without_group != 1)}"
            said.append(f"{self._source.name}: {counted} without a value of {by}, judged against all rows")
        return said

    def _of_unseen(self, name: str, rows: int) -> str | None:
        """What is said of rare and unseen categories; None where there are as many as are to be expected."""
        fitted, counts = self._fitted, self._unseen[name]
        categorical = fitted.encoder.state.categorical
        vocabulary = next(one for one in categorical if one.column == name)
        ranked = counts.ranked(KnownNames(vocabulary.values))
        expected = vocabulary.expected_rare(fitted.most_categories)
        by_chance = largest_share(expected, rows, fitted.config.drift.significance / len(categorical))
        misspelled = [one for one in ranked if one.like]
        if expected.hits and counts.rows <= by_chance * rows:
            if not misspelled:
                return None
            ranked = misspelled
        usual = (
            f" ({counts.rows / rows:.1%}, where {expected.share:.1%} are to be expected, "
            f"up to {by_chance:.1%} by chance)"
        )
        return (
            f"{self._source.name}: column {name!r}: {counts.rows:,} row{'s' * (counts.rows != 1)} "
            f"with a rare category or one never seen{usual if expected.hits else ''}: {listed(ranked)}"
        )
