"""Numbers as they are seen relative to the group of their row: a region, a store, a kind of machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from aedetect.data import any_type, cells
from aedetect.data.arrays import Floats, Integers

# What stands between the values of several columns where they are one name; no text of people holds it.
_BETWEEN = "\x1f"
# The number of rows that belong to no known group: theirs is unknown, or missing.
WHOLE = 0
# In the model file.
_LOCATION, _RATIO, _DECIMALS = "groups.location", "groups.ratio", "groups.decimals"


class GroupNames(BaseModel):
    """The groups that a model knows, the largest first, with their training rows.

    `names` [groups][columns] are the values of `columns`. `other_rows`: training rows of no such group.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    rows: tuple[int, ...]
    other_rows: int = 0

    def __len__(self) -> int:
        return len(self.names)

    def label(self, number: int) -> str:
        """What people call group `number`, from 1: 'north', 'north, 7'; of 0 'the whole'."""
        return ", ".join(self.names[number - 1]) if number else "the whole"

    @cached_property
    def _keys(self) -> pa.Array:
        return pa.array([_BETWEEN.join(names) for names in self.names], pa.string())

    def of(self, batch: pa.RecordBatch, rules: cells.CellRules) -> tuple[Integers, Counter[str]]:
        """The number of each row's group [rows], `WHOLE` for none; and the rows of each unknown group.

        A row without a value in one of the columns belongs to none, and is counted with none.
        """
        keys = group_keys(batch, self.columns, rules)
        places = pc.index_in(keys, self._keys, skip_nulls=True)
        unseen = keys.filter(pc.and_(places.is_null(), keys.is_valid())).value_counts().to_pylist()
        numbers = pc.fill_null(pc.add(places, 1), WHOLE).to_numpy(zero_copy_only=False).astype(np.int64)
        return numbers, Counter({label_of(entry["values"]): entry["counts"] for entry in unseen})


def group_keys(batch: pa.RecordBatch, columns: Sequence[str], rules: cells.CellRules) -> pa.Array:
    """One text a row for the values of `columns` together; null where one of them is missing."""
    names = [_names(batch.column(column), rules.of(column)) for column in columns]
    return names[0] if len(names) == 1 else pc.binary_join_element_wise(*names, _BETWEEN)


def values_of(key: str) -> tuple[str, ...]:
    """The values that a key of `group_keys` stands for."""
    return tuple(key.split(_BETWEEN))


def label_of(key: str) -> str:
    """What people call the group with that key."""
    return ", ".join(values_of(key))


def _names(array: pa.Array, rules: cells.CellRules) -> pa.Array:
    """Cells as names, whole numbers and booleans alike in whatever way a file has them."""
    names = cells.whole(any_type.names(array, rules))
    lowered = pc.utf8_lower(names)
    return pc.if_else(pc.is_in(lowered, pa.array(["true", "false"])), lowered, names)


@dataclass(frozen=True, eq=False)
class GroupScaling:
    """By how much the numbers of each group lie off the middle of all, and how wide they spread.

    `location`, `ratio` [groups + 1, numeric features]: the middle of a group, and its spread in that of all
    rows; first those for rows of no known group, which may lie wherever groups do. A number x of a group is
    seen as `location[0] + (x - location) / ratio`.
    `relative` [numeric features]: which are seen so; the others are left as they are, to the bit.
    `decimals` [numeric features]: how many the numbers have at most, as they were; -1 where that is many.
    """

    names: GroupNames
    location: Floats
    ratio: Floats
    decimals: Integers

    def __post_init__(self) -> None:
        shape = (len(self.names) + 1, *self.location.shape[1:])
        fits = self.location.shape == self.ratio.shape == shape and self.decimals.shape == shape[1:]
        if not fits or not (self.ratio > 0).all():
            raise ValueError("what it says of its groups does not fit them")

    @cached_property
    def relative(self) -> np.ndarray[Any, Any]:
        """Which numeric features differ between groups [numeric features]."""
        differs = (self.location != self.location[WHOLE]) | (self.ratio != 1)
        return np.asarray(differs.any(axis=0))

    def aligned(self, numbers: Floats, groups: Integers) -> Floats:
        """`numbers` [rows, numeric features] of rows of `groups` [rows] as if all groups were alike."""
        if not self.relative.any():
            return numbers
        aligned = numbers.copy()
        base = self.location[WHOLE, self.relative]
        location, ratio = (part[groups][:, self.relative] for part in (self.location, self.ratio))
        # An infinite number stays one, and what becomes too large for a float64 is one then.
        with np.errstate(over="ignore", invalid="ignore"):
            aligned[:, self.relative] = base + (numbers[:, self.relative] - location) / ratio
        return aligned

    def original(self, aligned: Floats, groups: Integers, features: Collection[int] | None = None) -> Floats:
        """Inverse of `aligned`; of the numeric `features` alone [rows, features], where they are named."""
        chosen = np.arange(self.location.shape[1]) if features is None else np.array(list(features))
        location, ratio = self.location[groups][:, chosen], self.ratio[groups][:, chosen]
        with np.errstate(over="ignore", invalid="ignore"):
            restored = location + (aligned - self.location[WHOLE, chosen]) * ratio
        return np.asarray(np.where(self.relative[chosen], restored, aligned))

    def statistics_in(self, statistics: Mapping[str, Floats], group: int) -> dict[str, Floats]:
        """An encoder's statistics for rows of one group alone, in that group's numbers.

        Encoding with them what is not aligned gives what encoding with `statistics` gives what is.
        """
        chosen = np.flatnonzero(self.relative)
        of = np.array([group])
        inside = {name: values.copy() for name, values in statistics.items()}
        for name in ("center", "mean"):
            inside[name][chosen] = self.original(statistics[name][None, chosen], of, chosen)[0]
        for name in ("spread", "deviation"):
            inside[name][chosen] = statistics[name][chosen] * self.ratio[group, chosen]
        ranks = statistics["quantiles"][chosen].T
        groups = np.full(len(ranks), group)
        inside["quantiles"][chosen] = self.original(ranks, groups, chosen).T
        return inside

    def tensors(self) -> dict[str, np.ndarray[Any, Any]]:
        """What goes into a model file beside the names."""
        return {_LOCATION: self.location, _RATIO: self.ratio, _DECIMALS: self.decimals}

    @classmethod
    def of_tensors(cls, names: GroupNames | None, tensors: Mapping[str, Any]) -> GroupScaling | None:
        """What a model file holds; None for a model without groups. Raises ValueError or KeyError."""
        if names is None:
            return None
        return cls(names, tensors[_LOCATION], tensors[_RATIO], tensors[_DECIMALS])
