"""Why rows were flagged: which columns, what they hold, what was expected, how rare that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Matrix
from aedetect.tasks.explain.counterfactual import Attribution, attribute
from aedetect.tasks.explain.expectation import Expectations, Expected, seen_value
from aedetect.tasks.explain.format import grouped, shown
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.rarity import UNKNOWN, Rarities, Rarity
from aedetect.tasks.ranked_rows import RankedRow

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

NEAREST = 3
_LEAST_SHARE = 0.25
_MOST_REASONS = 2


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
    that score just like it, itself among them.
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
            "sentence": self.sentence,
            "columns": [_as_dict(reason) for reason in self.columns[:columns]],
            "nearest_normal_rows": self.nearest,
            "rows_alike": self.duplicates,
        }


@dataclass(frozen=True)
class _Row:
    """A row as it is explained: encoded [features], as it was ranked, its cells in words, its attribution."""

    encoded: Matrix
    ranked: RankedRow
    cells_shown: dict[str, str]
    attributed: Attribution


class Explainer:
    """Explains rows of one model; prepare it once, the normal rows are looked through then."""

    def __init__(self, fitted: FittedModel):
        self._fitted = fitted
        self._normal = NormalRows(fitted)
        self._expectations = Expectations(fitted.encoder, self._normal)
        self._rarities = Rarities(fitted.encoder)
        self._constants = fitted.encoder.state.constant

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
        cells_shown = {
            name: seen_value(cells.plain(batch.column(name))[0].as_py()) for name in batch.schema.names
        }
        ids = {name: cells_shown.get(name, "missing") for name in encoder.schema.names("id")}
        if ranked.unscorable:
            return Explanation(
                ranked.source.name, ranked.row, place, ids, None, None, False,
                self._unscorable(ranked), [], [],
            )  # fmt: skip
        row = encoder.transform(batch).matrix[0]
        attributed = attribute(self._fitted, self._normal, row, ranked.attribution.astype(np.float64))
        order = np.argsort(-attributed.shares, kind="stable")
        names = self._fitted.columns
        explained_row = _Row(row, ranked, cells_shown, attributed)
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
            self._nearest(row),
            ranked.count,
        )

    def _reason(self, name: str, share: float, row: _Row) -> ColumnReason:
        seen = row.cells_shown[name]
        if name in self._constants:
            always = self._constants[name].removesuffix(".0")
            expected = Expected(always, None, 1.0, always)
            sentence = f"{shown(name)} is {seen}; it was always {shown(always)} in training"
            return ColumnReason(name, share, seen, seen, expected, UNKNOWN, sentence)
        number = self._number(name, row.ranked)
        display_value = seen if math.isnan(number) else grouped(seen)
        rarity = self._rarities.of(name, row.encoded, number)
        if name not in row.attributed.neighbours:
            rare = f" ({rarity.text})" if rarity.text else ""
            return ColumnReason(
                name, share, seen, display_value, None, rarity, f"{shown(name)} is {display_value}{rare}"
            )
        expected = self._expectations.of(name, row.attributed.neighbours[name])
        odd = rarity.unusual or (rarity.share is not None and rarity.direction is not None)
        rare = f" ({rarity.text})" if odd else ""
        sentence = f"{shown(name)} is {display_value}{rare}; rows like this {expected.verb} {expected.text}"
        surprising = odd or not expected.holds(seen, number)
        return ColumnReason(name, share, seen, display_value, expected, rarity, sentence, odd, surprising)

    def _number(self, name: str, ranked: RankedRow) -> float:
        for column in self._fitted.encoder.state.numeric:
            if column.column == name and not column.cycles:
                return float(column.read(ranked.cells.column(name), self._fitted.schema.rules).values[0])
        return math.nan

    def _nearest(self, row: Matrix) -> list[dict[str, str]]:
        if not len(self._normal):
            return []
        places = self._normal.nearest(self._normal.apart(row).sum(axis=1), NEAREST)
        values = self._fitted.encoder.inverse_transform(self._normal.matrix[places])
        always = {name: value.removesuffix(".0") for name, value in self._constants.items()}
        return [
            {name: seen_value(_cleaned(array[index].as_py())) for name, array in values.items()} | always
            for index in range(len(places))
        ]

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


def _cleaned(value: object) -> object:
    """Numbers went through float32: the digits beyond its precision are not the user's."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _sentence(reasons: list[ColumnReason], flagged: bool) -> str:
    main_reasons = [
        reason
        for place, reason in enumerate(reasons[:_MOST_REASONS])
        if not place or (reason.share >= _LEAST_SHARE and reason.surprising)
    ]
    text = ". Also, ".join(reason.sentence for reason in main_reasons)
    if flagged and not any(reason.odd for reason in main_reasons):
        text += "; each value is ordinary on its own, their combination is not"
    return text


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
