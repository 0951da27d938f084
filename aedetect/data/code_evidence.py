"""Whether cells that can be read as numbers are codes: '12e45' among hexadecimal ids is no 1.2e46."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats

_EXPONENT = r"^[0-9]+[eE][0-9]+$"
# Programs write an exponent with a sign, or after one digit and a point: 1e+22, 1.0E10. People write 1e6.
_NO_EXPONENT = r"^(?:[0-9]{2,}[eE][0-9]+|[0-9][eE][0-9]{3,})$"
_CODE = r"^[0-9A-Za-z]*[0-9][0-9A-Za-z]*$"
_POWERS = 10.0 ** np.arange(19)
_FAR = 1e6
_LEAST = 20


class CodeEvidence:
    """What the text of a column tells, batch by batch, until a cell is met that is no code.

    `odd`: cells with an 'e' as neither programs nor people write numbers. `plain`: numbers without an 'e'.
    `lettered`: cells that are no numbers. `largest`, `farthest`: the largest number without an 'e', and with
    one. `lengths`: how long cells are, the first lengths met.
    """

    def __init__(self) -> None:
        self.hopeless = False
        self.odd = 0
        self.plain = 0
        self.lettered = 0
        self.largest = 0.0
        self.farthest = 0.0
        self.lengths: set[int] = set()

    def take(self, texts: pa.Array, values: Floats) -> None:
        """Take in the cells of one batch that are not missing, and their numbers [cells] or NaN."""
        if self.hopeless or not len(texts):
            return
        lettered = np.isnan(values)
        written = np.zeros(len(texts), np.bool_)
        # Columns of whole numbers are many and long: cells are looked into only where they hold more.
        if not _are_digits(texts, values):
            texts = pc.utf8_trim_whitespace(texts)
            self.hopeless = not pc.all(pc.match_substring_regex(texts, _CODE)).as_py()
            written = pc.match_substring_regex(texts, _EXPONENT).to_numpy(zero_copy_only=False)
            self.odd += pc.sum(pc.match_substring_regex(texts, _NO_EXPONENT)).as_py()
            self.farthest = max(self.farthest, float(values[written].max(initial=0.0)))
        plain = values[~written & ~lettered]
        self.plain += len(plain)
        self.lettered += int(lettered.sum())
        self.largest = max(self.largest, float(plain.max(initial=0.0)))
        if len(self.lengths) < 2:
            self.lengths |= set(pc.unique(pc.utf8_length(texts)).to_pylist())

    def add(self, later: CodeEvidence) -> None:
        """Take in what later cells of the column tell."""
        self.hopeless |= later.hopeless
        self.odd += later.odd
        self.plain += later.plain
        self.lettered += later.lettered
        self.largest = max(self.largest, later.largest)
        self.farthest = max(self.farthest, later.farthest)
        if len(self.lengths) < 2:
            self.lengths |= later.lengths

    @property
    def are_codes(self) -> bool:
        """Whether cells are codes: some have letters, or one length, or those with an 'e' lie far off."""
        if self.hopeless or not self.odd or not self.plain + self.lettered:
            return False
        return (
            self.lettered > 0
            or self.farthest > _FAR * max(self.largest, 1.0)
            or (len(self.lengths) == 1 and self.plain + self.odd >= _LEAST)
        )


def _are_digits(texts: pa.Array, values: Floats) -> bool:
    """Whether all cells are as long as their numbers have digits: no room for more."""
    lengths = pc.binary_length(texts).to_numpy()
    digits = np.maximum(np.searchsorted(_POWERS, values, side="right"), 1)
    return bool((lengths == digits).all())
