"""What a comparison with the training data comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from aedetect.config import DriftConfig
from aedetect.data.likeness import NameLike


@dataclass(frozen=True)
class Shares:
    """A share of the rows in training and now.

    `expected`: of new rows like those of training, which have more rare categories; `chance`: up to which
    share chance alone may bring it.
    """

    training: float
    now: float
    expected: float
    chance: float


@dataclass(frozen=True)
class ColumnDrift:
    """How one column (or the score) differs from training; None where a figure has no meaning.

    `psi_chance`, `ks_chance`: up to which figure chance alone may bring them. `values`: the rare or unseen
    categories of a column with too many, or what a column holds that was empty in training.
    """

    name: str
    drifted: bool
    text: str
    missing: Shares | None = None
    unseen: Shares | None = None
    out_of_range: Shares | None = None
    psi: float | None = None
    ks: float | None = None
    p_value: float | None = None
    psi_chance: float | None = None
    ks_chance: float | None = None
    values: tuple[NameLike, ...] = ()


@dataclass(frozen=True)
class Drift:
    """The verdict over all columns: 'steady', 'drifted' or 'too few rows'; `settings` say what counts.

    `whole_rows`: whether more rows than in training hold no value at all, or an infinite one.
    """

    verdict: str
    text: str
    rows: int
    columns: tuple[ColumnDrift, ...]
    scores: ColumnDrift
    whole_rows: ColumnDrift
    settings: DriftConfig

    @property
    def drifted(self) -> list[str]:
        return [column.name for column in self.columns if column.drifted]

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "text": self.text,
            "rows": self.rows,
            "drifted": self.drifted,
            "columns": [asdict(column) for column in self.columns],
            "scores": asdict(self.scores),
            "whole_rows": asdict(self.whole_rows),
            "limits": self.settings.model_dump(),
        }
