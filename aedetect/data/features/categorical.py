"""Categories as codes: missing, rare or unseen, and the known ones by frequency."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from aedetect.data import cells
from aedetect.data.arrays import Floats

MISSING, OTHER, FIRST_KNOWN = 0, 1, 2
# What stands for all rare categories where codes are named.
RARE = "(rare)"
_USUAL = cells.CellRules()
_ROWS_PER_OCCURRENCE = 20_000


class Vocabulary(BaseModel):
    """The categories of one column, most frequent first, with their counts in training.

    `codes`: they are whole numbers or booleans, however spelled; each is kept as spelled most often.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    other: int
    missing: int
    codes: bool = False

    @classmethod
    def fit(
        cls,
        column: str,
        counts: Counter[str],
        missing: int,
        most: int,
        codes: bool = False,
        rules: cells.CellRules = _USUAL,
    ) -> Vocabulary:
        """Keep at most `most` categories; those seen once (or hardly, in long tables) are rare.

        `counts`: rows by category; `missing`: rows without one; `rules`: how they were read.
        """
        if codes:
            counts, unnamed = _merged(counts, rules)
            missing += unnamed
        total = sum(counts.values())
        least = max(2, math.ceil(total / _ROWS_PER_OCCURRENCE))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        known = [(value, count) for value, count in ranked[:most] if count >= least]
        return cls(
            column=column,
            values=tuple(value for value, _ in known),
            counts=tuple(count for _, count in known),
            other=total - sum(count for _, count in known),
            missing=missing,
            codes=codes,
        )

    @property
    def cardinality(self) -> int:
        """How many codes there are, those for missing and rare included."""
        return FIRST_KNOWN + len(self.values)

    @property
    def prior(self) -> Floats:
        """Smoothed share of each code (Krichevsky & Trofimov, 1981); shape [cardinality]."""
        counts = np.array([self.missing, self.other, *self.counts], dtype=np.float64) + 0.5
        return np.asarray(counts / counts.sum())

    def encode(self, array: pa.Array, rules: cells.CellRules) -> tuple[np.ndarray[Any, Any], int]:
        """Codes of the cells, float32 [rows], and the number of cells never seen in training."""
        names, values = cells.categories(array, rules), pa.array(self.values, pa.string())
        if self.codes:
            names, values = cells.codes(names, rules), cells.codes(values, rules)
        known = pc.index_in(names, values, skip_nulls=True)
        codes = pc.fill_null(pc.add(known, FIRST_KNOWN), OTHER)
        codes = pc.if_else(names.is_null(), MISSING, codes)
        unseen = int(pc.sum(pc.equal(codes, OTHER)).as_py() or 0)
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.float32), unseen

    def decode(self, codes: np.ndarray[Any, Any]) -> pa.Array:
        """Category names of `codes` [rows]; null for missing, '(rare)' for the rare bucket."""
        names = pa.array([None, RARE, *self.values], pa.string())
        return names.take(pa.array(np.clip(codes, 0, self.cardinality - 1).astype(np.int64)))


def _merged(counts: Counter[str], rules: cells.CellRules) -> tuple[Counter[str], int]:
    """Counts of codes by their most frequent spelling, and of cells that name none."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    spellings: dict[str, str] = {}
    merged: Counter[str] = Counter()
    unnamed = 0
    names = cells.codes(pa.array([name for name, _ in ranked], pa.string()), rules).to_pylist()
    for (spelling, count), name in zip(ranked, names, strict=True):
        if name is None:
            unnamed += count
        else:
            merged[spellings.setdefault(name, spelling)] += count
    return merged, unnamed
