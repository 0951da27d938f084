"""What is said of an input as a whole, once it was read to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass
class InputCounts:
    """What was counted of the rows of an input; `first_bad`: numbers of rows, from 1."""

    unreadable: dict[str, int] = field(default_factory=dict)
    first_bad: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, NameCounts] = field(default_factory=dict)
    newly_filled: dict[str, NameCounts] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    groups: NameCounts = field(default_factory=NameCounts)
    without_group: int = 0

    def add(self, other: InputCounts) -> None:
        """Take in the rows that follow."""
        for mine, theirs in (
            (self.unreadable, other.unreadable),
            (self.moved, other.moved),
            (self.absent, other.absent),
            (self.filled, other.filled),
        ):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        self.first_bad = other.first_bad | self.first_bad
        for names, more in ((self.unseen, other.unseen), (self.newly_filled, other.newly_filled)):
            for name, counts in more.items():
                names.setdefault(name, NameCounts()).merge(counts)
        self.groups.merge(other.groups)
        self.without_group += other.without_group


class InputWarnings:
    """Gathers what is said of an input as a whole, once it was read to its end."""

    def __init__(self, source: Input, fitted: FittedModel):
        self._source = source
        self._fitted = fitted
        self._schema = fitted.schema
        self.counts = InputCounts()

    def see(self, encoded: Encoded, before: int) -> None:
        for name, fault in encoded.unreadable.items():
            self.counts.unreadable[name] = self.counts.unreadable.get(name, 0) + fault.count
            self.counts.first_bad.setdefault(name, before + fault.first_row + 1)
        for name, count in encoded.filled.items():
            self.counts.filled[name] = self.counts.filled.get(name, 0) + count
        for name, values in encoded.unseen.items():
            self.counts.unseen.setdefault(name, NameCounts()).add(values)
        for name, values in encoded.newly_filled.items():
            self.counts.newly_filled.setdefault(name, NameCounts()).add(values)
        if encoded.unseen_groups:
            self.counts.groups.add(encoded.unseen_groups)
        if self._schema.groups:
            of_none = int((encoded.groups == WHOLE).sum())
            self.counts.without_group += of_none - sum(encoded.unseen_groups.values())
        constants = [column.name for column in self._schema.columns if column.role == "constant"]
        for name, moved, missing in zip(
            constants,
            encoded.changed_constants.sum(axis=0),
            encoded.missing_constants.sum(axis=0),
            strict=True,
        ):
            if moved:
                self.counts.moved[name] = self.counts.moved.get(name, 0) + int(moved)
                self.counts.absent[name] = self.counts.absent.get(name, 0) + int(missing)

    def conclude(self, rows: int, said_of_empty: bool = False) -> list[str]:
        """Warnings. Raises DataError for a column of which no cell could be read.

        `said_of_empty`: columns that hold nothing in any row are named by who scores them.
        """
        said = []
        columns = {column.name: column for column in self._schema.columns}
        for name, bad in self.counts.unreadable.items():
            where = self._source.locate(self.counts.first_bad[name])
            role = columns[name].role
            if bad == self.counts.filled.get(name, 0):
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
        for name, count in self.counts.moved.items():
            if said_of_empty and enough and self.counts.absent.get(name, 0) == rows:
                continue
            always = cells.spelled(columns[name].constant or "")
            said.append(
                f"{self._source.name}: column {name!r} was always {always!r} in training; "
                f"{count:,} of {rows:,} rows differ"
            )
        for name, counts in self.counts.newly_filled.items():
            values = listed(counts.ranked(KnownNames(())))
            said.append(
                f"{self._source.name}: column {name!r} was empty in training; "
                f"{counts.rows:,} of {rows:,} rows have a value that nothing is known of: {values}"
            )
        said += self._of_groups()
        said += [
            text
            for name in self.counts.unseen
            # Of categories that tell groups apart it was just said.
            if name not in self._schema.groups and (text := self._of_unseen(name, rows))
        ]
        return said

    def respelled(self) -> set[str]:
        """Columns in which most rows with a rare or unseen category may have a known one, misspelled."""
        columns = set()
        for vocabulary in self._fitted.encoder.state.categorical:
            counts = self.counts.unseen.get(vocabulary.column)
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
        if self.counts.groups.rows and encoder.groups is not None:
            names = encoder.groups.names
            ranked = self.counts.groups.ranked(KnownNames(tuple(map(names.label, range(1, len(names) + 1)))))
            rows = self.counts.groups.rows
            said.append(
                f"{self._source.name}: {rows:,} row{'s' * (rows != 1)} of groups of {by} that the model does "
                f"not know, judged against all rows: {listed(ranked)}"
            )
        if self.counts.without_group:
            counted = f"{self.counts.without_group:,} row{'s' * (self.counts.without_group != 1)}"
            said.append(f"{self._source.name}: {counted} without a value of {by}, judged against all rows")
        return said

    def _of_unseen(self, name: str, rows: int) -> str | None:
        """What is said of rare and unseen categories; None where there are as many as are to be expected."""
        fitted, counts = self._fitted, self.counts.unseen[name]
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
