"""Why rows were flagged: which columns, what they hold, what was expected, how rare that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data import cells
from aedetect.data.arrays import Matrix
from aedetect.tasks.explain.counterfactual import Blame, blame
from aedetect.tasks.explain.expectation import Expectations, Expected, seen_value
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.rarity import UNKNOWN, Rarities, Rarity
from aedetect.tasks.explain.words import grouped, shown
from aedetect.tasks.ranked_rows import RankedRow

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

NEAREST = 3
_LEAST_TOLD = 0.25
_MOST_TOLD = 2


@dataclass(frozen=True)
class ColumnReason:
    """One column of one row. `sentence` says what is odd about it.

    `seen` is the cell as it was written, `told` the same for people. `odd`: whether the value is odd
    by itself; `surprising`: whether it is, or else is not among what was expected.
    """

    column: str
    share: float
    seen: str
    told: str
    expected: Expected | None
    rarity: Rarity
    sentence: str
    odd: bool = True
    surprising: bool = True


@dataclass(frozen=True)
class Explanation:
    """One row explained; `columns` from the most to the least to blame, all of them.

    `sentence` names the columns that matter. `nearest`: the normal rows it is most like, as
    texts by column. `row` counts from 1; scores are None where the row is unscorable. `alike`: rows
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
    alike: int = 1

    def as_dict(self, columns: int | None = None) -> dict[str, Any]:
        """For JSON, with the `columns` most to blame."""
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
            "rows_alike": self.alike,
        }


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

    def explain(self, found: RankedRow, place: str | None = None) -> Explanation:
        """Why a row scored as it did.

        `place` says where it stands; without it the line is looked up, which reads the input again.
        """
        place = found.place if place is None else place
        batch, encoder = found.cells, self._fitted.encoder
        cells_shown = {
            name: seen_value(cells.plain(batch.column(name))[0].as_py()) for name in batch.schema.names
        }
        ids = {name: cells_shown.get(name, "missing") for name in encoder.schema.names("id")}
        if found.unscorable:
            return Explanation(
                found.source.name, found.row, place, ids, None, None, False,
                self._unscorable(found), [], [],
            )  # fmt: skip
        row = encoder.transform(batch).matrix[0]
        blamed = blame(self._fitted, self._normal, row, found.shares.astype(np.float64))
        order = np.argsort(-blamed.shares, kind="stable")
        names = self._fitted.columns
        reasons = [
            self._reason(names[index], float(blamed.shares[index]), row, found, cells_shown, blamed)
            for index in order
        ]
        return Explanation(
            found.source.name,
            found.row,
            place,
            ids,
            found.score,
            found.p_value,
            found.flagged,
            _sentence(reasons, found.flagged),
            reasons,
            self._nearest(row),
            found.count,
        )

    def _reason(
        self,
        name: str,
        share: float,
        row: Matrix,
        found: RankedRow,
        cells_shown: dict[str, str],
        blamed: Blame,
    ) -> ColumnReason:
        seen = cells_shown[name]
        if name in self._constants:
            always = self._constants[name].removesuffix(".0")
            expected = Expected(always, None, 1.0, always)
            sentence = f"{shown(name)} is {seen}; it was always {shown(always)} in training"
            return ColumnReason(name, share, seen, seen, expected, UNKNOWN, sentence)
        number = self._number(name, found)
        told = seen if math.isnan(number) else grouped(seen)
        rarity = self._rarities.of(name, row, number)
        if name not in blamed.alike:
            rare = f" ({rarity.text})" if rarity.text else ""
            return ColumnReason(name, share, seen, told, None, rarity, f"{shown(name)} is {told}{rare}")
        expected = self._expectations.of(name, blamed.alike[name])
        odd = rarity.unusual or (rarity.share is not None and rarity.direction is not None)
        rare = f" ({rarity.text})" if odd else ""
        sentence = f"{shown(name)} is {told}{rare}; rows like this {expected.verb} {expected.text}"
        surprising = odd or not expected.holds(seen, number)
        return ColumnReason(name, share, seen, told, expected, rarity, sentence, odd, surprising)

    def _number(self, name: str, found: RankedRow) -> float:
        for column in self._fitted.encoder.state.numeric:
            if column.column == name and not column.cycles:
                return float(column.read(found.cells.column(name), self._fitted.schema.rules).values[0])
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

    def _unscorable(self, found: RankedRow) -> str:
        encoded = self._fitted.encoder.transform(found.cells)
        if not encoded.unreadable:
            return "the row holds no value at all"
        roles = {column.name: column.role for column in self._fitted.schema.columns}
        return "; ".join(
            f"{shown(name)} is {shown(str(found.cells.column(name)[0].as_py()))}, which cannot be read as "
            f"{roles[name]}"
            for name in encoded.unreadable
        )


def _cleaned(value: object) -> object:
    """Numbers went through float32: the digits beyond its precision are not the user's."""
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _sentence(reasons: list[ColumnReason], flagged: bool) -> str:
    told = [
        reason
        for place, reason in enumerate(reasons[:_MOST_TOLD])
        if not place or (reason.share >= _LEAST_TOLD and reason.surprising)
    ]
    text = ". Also, ".join(reason.sentence for reason in told)
    if flagged and not any(reason.odd for reason in told):
        text += "; each value is ordinary on its own, their combination is not"
    return text


def _as_dict(reason: ColumnReason) -> dict[str, Any]:
    expected, rarity = reason.expected, reason.rarity
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
        "rarity": None
        if rarity.share is None
        else {"share": rarity.share, "direction": rarity.direction, "text": rarity.text},
        "sentence": reason.sentence,
    }
