"""Categories as codes: missing, rare or unseen, and the known ones by frequency."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from aedetect.data import cells
from aedetect.data.arrays import Floats
from aedetect.data.chance import Sampled, expected_rare
from aedetect.errors import DataError

MISSING, OTHER, FIRST_KNOWN = 0, 1, 2
# What stands for all rare categories where codes are named.
RARE = "(rare)"
# Each category of a series is a channel of its windows: hundreds take long, and are hardly ever seen again.
MOST_SERIES_CATEGORIES = 20
# A model file describes all of its columns in a header of 64 MiB at most.
MOST_VOCABULARY_BYTES = 48 << 20
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
        least = _least(total)
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

    def expected_rare(self, most: int) -> Sampled:
        """How many of the training rows would have had a rare or unseen category, each held out.

        `most`: how many categories were told apart at most.
        """
        filled = sum(self.counts) + self.other
        other, least = self.other, _least(filled)
        if len(self.values) >= most and other and self.counts[-1] >= least:
            # Of the categories as frequent as the last that is known, any number may be unknown.
            least = self.counts[-1] + 1
            other += self.counts[-1] * self.counts.count(self.counts[-1])
        return expected_rare(other, self.counts, least, filled + self.missing)

    @property
    def cardinality(self) -> int:
        """How many codes there are, those for missing and rare included."""
        return FIRST_KNOWN + len(self.values)

    @property
    def prior(self) -> Floats:
        """Smoothed share of each code (Krichevsky & Trofimov, 1981); shape [cardinality]."""
        counts = np.array([self.missing, self.other, *self.counts], dtype=np.float64) + 0.5
        return np.asarray(counts / counts.sum())

    def encode(self, array: pa.Array, rules: cells.CellRules) -> tuple[np.ndarray[Any, Any], Counter[str]]:
        """Codes of the cells, float32 [rows], and the rows of each rare or unseen category."""
        names = spellings = cells.categories(array, rules)
        # Models of older versions may hold other forms of letters.
        values = pc.utf8_normalize(pa.array(self.values, pa.string()), "NFC")
        if self.codes:
            names, values = cells.codes(names, rules), cells.codes(values, rules)
        known = pc.index_in(names, values, skip_nulls=True)
        codes = pc.fill_null(pc.add(known, FIRST_KNOWN), OTHER)
        codes = pc.if_else(names.is_null(), MISSING, codes)
        unseen = spellings.filter(pc.equal(codes, OTHER)).value_counts().to_pylist()
        return (
            np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.float32),
            Counter({entry["values"]: entry["counts"] for entry in unseen}),
        )

    def decode(self, codes: np.ndarray[Any, Any]) -> pa.Array:
        """Category names of `codes` [rows]; null for missing, '(rare)' for the rare bucket."""
        names = pa.array([None, RARE, *self.values], pa.string())
        return names.take(pa.array(np.clip(codes, 0, self.cardinality - 1).astype(np.int64)))


def check_size(vocabularies: Sequence[Vocabulary]) -> None:
    """Raises DataError where all categories together are more text than a model file takes."""
    sizes = {each.column: _written_bytes(each) for each in vocabularies}
    total = sum(sizes.values())
    if total <= MOST_VOCABULARY_BYTES:
        return
    longest = max(sizes, key=lambda column: sizes[column])
    of = f"column {longest!r}" if len(sizes) == 1 else f"{len(sizes):,} columns"
    raise DataError(
        f"the categories of {of} are {_megabytes(total)} of text, and a model file takes "
        f"{_megabytes(MOST_VOCABULARY_BYTES)}: lower data.max_categories, or leave columns out with "
        f"--exclude (the most is in {longest!r}, {_megabytes(sizes[longest])})"
    )


def _written_bytes(vocabulary: Vocabulary) -> int:
    """What a vocabulary takes in a model file: JSON inside a string of JSON."""
    return len(json.dumps(vocabulary.model_dump_json(), ensure_ascii=False).encode())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _least(rows: int) -> int:
    return max(2, math.ceil(rows / _ROWS_PER_OCCURRENCE))


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
