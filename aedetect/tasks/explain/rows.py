"""Why rows were flagged: which columns, what they hold, what was expected, how rare that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data import any_type
from aedetect.data.arrays import Integers, Matrix
from aedetect.tasks.explain.counterfactual import attribute, nearest_in_all_else
from aedetect.tasks.explain.expectation import Expectations, Expected, seen_value
from aedetect.tasks.explain.format import exact, grouped, in_order, number_of, plain_number, shown
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.rarity import UNKNOWN, Rarities, Rarity
from aedetect.tasks.explain.time_of_day import ANY_TIME
from aedetect.tasks.explain.units import Unit, Units
from aedetect.tasks.ranked_rows import RankedRow

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.suppression import Reason

NEAREST = 3
_LEAST_SHARE = 0.25
_MOST_REASONS = 2
# Where no column that is odd has a large share, one that has at least this is named.
_LEAST_TELLING = 0.1
_ONE_ORDINARY = "; on its own, that value is ordinary"
_ALL_ORDINARY = "; on their own, these values are ordinary"


@dataclass(frozen=True)
class ColumnReason:
    """One column of one row. `sentence` says what is odd about it.

    `seen` is the cell as it was written, `display_value` the same for people. `odd`: whether the value is odd
    by itself; `surprising`: whether it is, or else is not among what was expected.
    """

    column: str
    share: float
    seen: str
    display_value: str
    expected: Expected | None
    rarity: Rarity
    sentence: str
    odd: bool = True
    surprising: bool = True


@dataclass(frozen=True)
class Explanation:
    """One row explained; `columns` by their share in the score, all of them.

    `sentence` names the columns that matter. `nearest`: the normal rows it is most like, as
    texts by column. `row` counts from 1; scores are None where the row is unscorable. `duplicates`: rows
    that score just like it, itself among them. `threshold`: the one of its group, whose name is `group`, None
    for models without groups.
    """

    source: str
    row: int
    place: str
    ids: dict[str, str]
    score: float | None
    p_value: float | None
    flagged: bool
    sentence: str
    columns: list[ColumnReason]
    nearest: list[dict[str, str]]
    duplicates: int = 1
    muted: Reason | None = None
    threshold: float | None = None
    group: str | None = None

    def as_dict(self, columns: int | None = None) -> dict[str, Any]:
        """For JSON, with the `columns` of the largest shares."""
        return {
            "source": self.source,
            "row": self.row,
            "place": self.place,
            "ids": self.ids,
            "anomaly_score": self.score,
            "anomaly_p_value": self.p_value,
            "is_anomaly": self.flagged if self.score is not None else None,
            "muted_by": self.muted and {"kind": self.muted.kind, "name": self.muted.name},
            "sentence": self.sentence,
            "columns": [_as_dict(reason) for reason in self.columns[:columns]],
            "nearest_normal_rows": self.nearest,
            "rows_alike": self.duplicates,
            **({} if self.group is None else {"group": self.group, "threshold": self.threshold}),
        }


@dataclass(frozen=True)
class _Row:
    """A row as it is explained: encoded [features], its cells as they came and in words.

    `neighbours`: by column, the normal rows nearest in all others. `changed`: the constants that differ.
    `group`: the number of its group.
    """

    encoded: Matrix
    cells: pa.RecordBatch
    cells_shown: dict[str, str]
    neighbours: Mapping[str, Integers]
    changed: frozenset[str]
    group: int

    def is_written(self, name: str) -> bool:
        """Whether the cell is not a mere float, which is written in the way of its column."""
        return not isinstance(self.cells.column(name)[0].as_py(), float)


class _InGroup:
    """What normal rows hold, in the numbers of one group; of models without groups, in those there are."""

    def __init__(self, fitted: FittedModel, normal: NormalRows, group: int):
        encoder = fitted.encoder.inside(group)
        self.units = Units(encoder, normal.matrix)
        self.expectations = Expectations(encoder, normal, self.units)
        self.rarities = Rarities(encoder, fitted.sketch, self.units, fitted.encoder.relative_columns)


class Explainer:
    """Explains rows of one model; prepare it once, the normal rows are looked through then."""

    def __init__(self, fitted: FittedModel):
        self._fitted = fitted
        self._normal = NormalRows(fitted)
        self._groups: dict[int, _InGroup] = {}
        self._groups_of_normal = fitted.encoder.groups_in(self._normal.matrix)
        self._constants = fitted.encoder.state.constant
        self._always = {name: _always(value) for name, value in self._constants.items()}

    def _of(self, group: int) -> _InGroup:
        if group not in self._groups:
            self._groups[group] = _InGroup(self._fitted, self._normal, group)
        return self._groups[group]

    @property
    def knows_normal_rows(self) -> bool:
        """False for model files made before explanations were: they keep no normal rows."""
        return len(self._normal) > 0

    def explain(self, ranked: RankedRow, place: str | None = None) -> Explanation:
        """Why a row scored as it did.

        `place` says where it stands; without it the line is looked up, which reads the input again.
        """
        place = ranked.place if place is None else place
        batch, encoder = ranked.cells, self._fitted.encoder
        cells_shown = self._shown(batch, batch.schema.names)
        ids = {name: cells_shown.get(name, "missing") for name in encoder.schema.names("id")}
        if ranked.unscorable:
            return Explanation(
                ranked.source.name, ranked.row, place, ids, None, None, False,
                self._unscorable(ranked), [], [],
            )  # fmt: skip
        encoded = encoder.transform(batch)
        row = encoded.matrix[0]
        attributed = attribute(self._fitted, self._normal, row, ranked.attribution.astype(np.float64))
        order = np.argsort(-attributed.shares, kind="stable")
        names = self._fitted.columns
        differ = zip(self._constants, encoded.changed_constants[0], strict=True)
        changed = frozenset(name for name, moved in differ if moved)
        group = int(encoded.groups[0])
        explained_row = _Row(row, batch, cells_shown, attributed.neighbours, changed, group)
        reasons = [
            self._reason(names[index], float(attributed.shares[index]), explained_row) for index in order
        ]
        return Explanation(
            ranked.source.name,
            ranked.row,
            place,
            ids,
            ranked.score,
            ranked.p_value,
            ranked.flagged,
            _sentence(reasons, ranked.flagged),
            reasons,
            self._nearest(row, group),
            ranked.count,
            ranked.muted,
            float(self._fitted.thresholds(encoded.groups)[0]),
            encoder.groups.names.label(group) if encoder.groups is not None else None,
        )

    def seen(
        self, cells: pa.RecordBatch, encoded: Matrix, names: Sequence[str]
    ) -> dict[str, tuple[float, ColumnReason]]:
        """What is said of the columns `names` of a row, of numbers, and the numbers in it (or NaN).

        `cells`: the row as a batch of one; `encoded` [features]. It is what `explain` says, whose shares
        are not asked for here and 0.
        """
        neighbours = nearest_in_all_else(self._fitted, self._normal, encoded, names)
        group = int(self._fitted.encoder.transform(cells).groups[0])
        row = _Row(encoded, cells, self._shown(cells, names), neighbours, frozenset(), group)
        return {name: (self._number(name, cells), self._reason(name, 0.0, row)) for name in names}

    def _shown(self, batch: pa.RecordBatch, names: Sequence[str]) -> dict[str, str]:
        """The cells of a row in words."""
        exactly = {*self._fitted.encoder.schema.names("id"), *self._constants}
        values = {name: any_type.value(batch.column(name)) for name in names}
        return {
            name: plain_number(value) if name in exactly and isinstance(value, float) else seen_value(value)
            for name, value in values.items()
        }

    def _reason(self, name: str, share: float, row: _Row) -> ColumnReason:
        if name in self._constants:
            return self._of_constant(name, share, row)
        number = self._number(name, row.cells)
        neighbours = row.neighbours.get(name)
        expected = self._of(row.group).expectations.of(name, neighbours) if neighbours is not None else None
        display_value = self._displayed(name, row, number, expected)
        seen = row.cells_shown[name] if row.is_written(name) else display_value
        rarity = self._of(row.group).rarities.of(name, row.encoded, number)
        what = f"{shown(name)} is {display_value}"
        if expected is None:
            rare = f" ({rarity.text})" if rarity.text else ""
            return ColumnReason(name, share, seen, display_value, None, rarity, what + rare)
        odd = rarity.unusual or (rarity.share is not None and rarity.direction is not None)
        rare = f" ({rarity.text})" if odd else ""
        alike = self._alike(name, row, expected, number, display_value)
        if alike:
            # Of dates the time of day, the weekday and the season are compared, and nothing else.
            dated = expected.verb == "are from"
            sentence = what + (
                rare or (", a time as in rows like this" if dated else ", as in rows like this")
            )
        else:
            sentence = f"{what}{rare}; rows like this {expected.verb} {expected.text}"
        surprising = odd or not (alike or expected.holds(seen, number))
        return ColumnReason(name, share, seen, display_value, expected, rarity, sentence, odd, surprising)

    def _of_constant(self, name: str, share: float, row: _Row) -> ColumnReason:
        seen, always = row.cells_shown[name], self._always[name]
        expected = Expected(always, None, 1.0, always)
        moved = name in row.changed
        sentence = f"{shown(name)} is {seen}" + (
            f"; it was always {shown(always)} in training" if moved else ", as always in training"
        )
        return ColumnReason(name, share, seen, seen, expected, UNKNOWN, sentence, moved, moved)

    def _displayed(self, name: str, row: _Row, number: float, expected: Expected | None) -> str:
        """The cell in its column's unit, or as it was written; never beyond what it is not beyond itself."""
        seen = row.cells_shown[name]
        units = self._of(row.group).units
        if math.isnan(number) or name not in units:
            return seen
        unit = units[name]
        text = _written(seen, number, unit) if row.is_written(name) else unit.text(number)
        ends = expected.ends if expected is not None and expected.ends is not None else ()
        return unit.marked(in_order(number, [*unit.ends, *ends], text))

    def _alike(self, name: str, row: _Row, expected: Expected, number: float, display_value: str) -> bool:
        """Whether what is expected reads like what the row has."""
        if not math.isnan(number) and expected.ends is not None:
            return expected.says(display_value, number)
        inside = self._of(row.group)
        if name in inside.units and not math.isnan(number):
            return {display_value, inside.units[name].text(number)} & {*expected.options} != set()
        reading = inside.expectations.reading(name, row.encoded)
        if expected.verb == "are from":
            return expected.text == ANY_TIME or set(expected.text.split(", ")) <= set(reading)
        return row.cells_shown[name] in expected.options or reading[0] in expected.options

    def _number(self, name: str, cells: pa.RecordBatch) -> float:
        for column in self._fitted.encoder.state.numeric:
            if column.column == name and not column.cycles:
                return float(column.read(cells.column(name), self._fitted.schema.rules).values[0])
        return math.nan

    def _nearest(self, row: Matrix, group: int) -> list[dict[str, str]]:
        """The nearest normal rows, in the numbers of their groups; of the row's, where that is not known."""
        if not len(self._normal):
            return []
        places = self._normal.nearest(self._normal.apart(row).sum(axis=1), NEAREST)
        known = self._groups_of_normal
        shown_rows = []
        for place in places.tolist():
            units = self._of(group if known is None else int(known[place])).units
            values = units.decoded(self._normal.matrix[place : place + 1])
            texts = {name: _decoded(units, name, array[0].as_py()) for name, array in values.items()}
            shown_rows.append(texts | self._always)
        return shown_rows

    def _unscorable(self, ranked: RankedRow) -> str:
        encoded = self._fitted.encoder.transform(ranked.cells)
        if not encoded.unreadable:
            return "the row holds no value at all"
        roles = {column.name: column.role for column in self._fitted.schema.columns}
        return "; ".join(
            f"{shown(name)} is {shown(str(ranked.cells.column(name)[0].as_py()))}, which cannot be read as "
            f"{roles[name]}"
            for name in encoded.unreadable
        )


def _decoded(units: Units, name: str, value: object) -> str:
    if isinstance(value, float) and name in units:
        return units[name].decoded(value)
    return seen_value(value)


def _written(seen: str, number: float, unit: Unit) -> str:
    """The number of a cell `seen` in its column's decimals; one of more digits as it stands in the cell.

    Beside numbers such as '-456.86', a cell '-48.500,00' would be misread as it stands.
    """
    if unit.holds(number):
        return unit.text(number)
    return grouped(seen) if number_of(seen) == number else exact(number)


def _always(value: str) -> str:
    """A constant as its cells are shown: numbers were written down as Python writes them."""
    number = number_of(value)
    return plain_number(number) if repr(number) == value else value


def _sentence(reasons: list[ColumnReason], flagged: bool) -> str:
    """What is odd about the row; a value that tells nothing is named only where no other one does more."""
    telling = [reason for reason in reasons if reason.surprising and reason.share >= _LEAST_SHARE]
    if not telling:
        telling = [reason for reason in reasons if reason.surprising and reason.share >= _LEAST_TELLING]
        telling = telling[:1]
    main_reasons = telling[:_MOST_REASONS] or reasons[:1]
    text = ". Also, ".join(reason.sentence for reason in main_reasons)
    if not flagged or any(reason.odd or reason.rarity.share is None for reason in main_reasons):
        return text
    if not any(reason.odd for reason in reasons):
        return text + "; each value is ordinary on its own, their combination is not"
    one = len(main_reasons) == 1
    return text + (_ONE_ORDINARY if one else _ALL_ORDINARY)


def _as_dict(reason: ColumnReason) -> dict[str, Any]:
    expected = reason.expected
    return {
        "column": reason.column,
        "share": round(reason.share, 4),
        "seen": reason.seen,
        "expected": None
        if expected is None
        else {
            "value": expected.value,
            "spread": expected.spread,
            "agreeing": expected.agreeing,
            "text": expected.text,
        },
        "rarity": reason.rarity.as_dict(),
        "sentence": reason.sentence,
    }
