"""A threshold for each group, from normal rows of that group alone.

Mondrian conformal prediction (Vovk et al., 2003; Vovk et al., 2005, Algorithmic Learning in a Random World,
section 4.5): where calibration rows are told apart by group, the share of normal rows flagged is at most the
rate asked in every group, and not only in all together. It takes 1 / rate - 1 calibration rows of a group to
say so: with fewer, its threshold would have to lie beyond all of them. Such a group takes the pooled one,
whose promise holds for all groups together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from aedetect.config import ThresholdConfig
from aedetect.data.arrays import Floats, Integers, Mask
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.groups import WHOLE, GroupNames
from aedetect.scoring.calibration import Calibration, without_highest

# In the model file, the groups' scores stand end to end; the sizes tell them apart.
_SCORES, _SIZES = "groups.scores", "groups.sizes"

Kind = Literal["own", "pooled", "by hand"]


@dataclass(frozen=True, eq=False)
class GroupCalibration:
    """The scores of held-out normal rows by group, ascending; `parts` [groups], some of them empty."""

    names: GroupNames
    parts: tuple[Floats, ...]

    def tensors(self) -> dict[str, np.ndarray[Any, Any]]:
        """What goes into a model file beside the names."""
        return {
            _SCORES: np.concatenate([np.empty(0), *self.parts]),
            _SIZES: np.array([len(part) for part in self.parts], np.int64),
        }

    @classmethod
    def of_tensors(cls, names: GroupNames | None, tensors: Mapping[str, Any]) -> GroupCalibration | None:
        """What a model file holds; None for a model without groups.

        Raises ValueError or KeyError where it does not fit the groups.
        """
        if names is None:
            return None
        sizes, scores = tensors[_SIZES], np.asarray(tensors[_SCORES], dtype=np.float64)
        if sizes.shape != (len(names),) or (sizes < 0).any() or scores.shape != (sizes.sum(),):
            raise ValueError("what it says of its groups' calibration does not fit them")
        parts = tuple(np.split(scores, np.cumsum(sizes)[:-1])) if len(sizes) else ()
        if any((np.diff(part) < 0).any() for part in parts):
            raise ValueError("its groups' calibration is not in order")
        return cls(names, parts)


def by_group(
    scores: Floats, groups: Integers | None, encoder: FeatureEncoder, left_out: float = 0.0
) -> GroupCalibration | None:
    """Scores [rows] of calibration rows by their `groups` [rows]; None for a model without groups.

    `left_out`: the share of all rows, those of the highest scores, that are taken for anomalies.
    """
    if encoder.groups is None or groups is None:
        return None
    names = encoder.groups.names
    kept = scores <= without_highest(scores, left_out)[-1]
    parts = (np.sort(scores[kept & (groups == number)]) for number in range(1, len(names) + 1))
    return GroupCalibration(names, tuple(parts))


@dataclass(frozen=True)
class GroupThreshold:
    """One group's threshold. `calibration_rows`: those of its own; `kind`: where its threshold is from.

    `number` is from 1; `rows` were learned from.
    """

    number: int
    group: str
    rows: int
    calibration_rows: int
    threshold: float
    kind: Kind

    @property
    def kind_of_others(self) -> Kind:
        """Where the threshold of rows of no known group is from."""
        return "by hand" if self.kind == "by hand" else "pooled"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "group": self.group,
            "rows": self.rows,
            "calibration_rows": self.calibration_rows,
            "threshold": self.threshold,
            "calibration": self.kind,
        }


@dataclass(frozen=True, eq=False)
class GroupThresholds:
    """Thresholds and p-values by group; `pooled`: the threshold of all together, or the one set by hand.

    A group whose own calibration rows can keep the promise at the rate asked has its own of both, so that a
    row is flagged just where its p-value is at most the rate; all others have the pooled ones.
    """

    settings: ThresholdConfig
    calibration: Calibration
    groups: GroupCalibration
    pooled: float

    @cached_property
    def _by_group(self) -> list[Calibration | None]:
        """Of each number, the whole's first, its own calibration; None where the pooled one serves."""
        rate = self.settings.alert_rate
        calibrations = [Calibration(part) if len(part) else None for part in self.groups.parts]
        return [
            None,
            *(one if one is not None and rate >= one.smallest_rate else None for one in calibrations),
        ]

    @property
    def is_by_hand(self) -> bool:
        """Whether one threshold was set for all."""
        return self.settings.value is not None

    @cached_property
    def values(self) -> Floats:
        """The threshold of each group number [groups + 1]; the first is the whole's."""
        if self.is_by_hand:
            return np.full(len(self._by_group), self.pooled)
        rate = self.settings.alert_rate
        return np.array([self.pooled if one is None else one.threshold(rate) for one in self._by_group])

    @cached_property
    def own(self) -> Mask:
        """Which group numbers have their own calibration [groups + 1]."""
        return np.array([one is not None for one in self._by_group])

    def p_values(self, scores: Floats, groups: Integers) -> Floats:
        """p-values in (0, 1] of `scores` [rows] of rows of `groups` [rows]; NaN stays NaN."""
        values = self.calibration.p_values(scores)
        for number in np.unique(groups[self.own[groups]]):
            calibration, rows = self._by_group[number], groups == number
            assert calibration is not None
            values[rows] = calibration.p_values(scores[rows])
        return values

    def kind(self, number: int) -> Kind:
        """Where a group's threshold is from."""
        if self.is_by_hand:
            return "by hand"
        return "own" if self.own[number] else "pooled"

    def listed(self) -> list[GroupThreshold]:
        """All groups, the largest first."""
        names = self.groups.names
        return [
            GroupThreshold(
                number,
                names.label(number),
                names.rows[number - 1],
                len(self.groups.parts[number - 1]),
                float(self.values[number]),
                self.kind(number),
            )
            for number in range(WHOLE + 1, len(names) + 1)
        ]

    @property
    def fact(self) -> tuple[str, str]:
        """How rows are told apart, as a name and a value for a table."""
        by = " and ".join(repr(name) for name in self.groups.names.columns)
        return "groups", f"{len(self.groups.names):,} of {by}; thresholds {self.in_words}"

    @property
    def in_words(self) -> str:
        """'between 1.2 and 3.4', or '2.7' where it is one threshold for all."""
        low, high = f"{self.values.min():.3g}", f"{self.values.max():.3g}"
        return low if low == high else f"between {low} and {high}"

    @property
    def promise(self) -> str:
        """Which groups have a threshold of their own, in words; nothing where it was set by hand."""
        if self.is_by_hand:
            return ""
        count, own = len(self.groups.names), int(self.own.sum())
        if own == count:
            return f"in each of {count:,} groups"
        rows = int(np.ceil(1 / self.settings.alert_rate - 1 - 1e-9))
        return (
            f"in each of {own:,} of {count:,} groups, and in all others together, which have fewer than "
            f"{rows:,} calibration rows"
        )
