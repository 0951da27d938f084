"""Whether cells that can be read as numbers are codes: '12e45' among hexadecimal ids is no 1.2e46."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.data.arrays import Floats

_EXPONENT = r"^[0-9]+[eE][0-9]+$"
# Programs write an exponent with a sign, or after one digit and a point: 1e+22, 1.0E10. People write 1e6.
_NO_EXPONENT = r"^(?:[0-9]{2,}[eE][0-9]+|[0-9][eE][0-9]{3,})$"
_NUMBERS_MARK = r"[.,+-]"
_FAR = 1e6
_LEAST = 20


class CodeEvidence:
    """What the text of a column tells, batch by batch, until a plain number with a point or a sign is met.

    `odd`: cells with an 'e' as neither programs nor people write numbers. `plain`: cells without an 'e'.
    `largest`, `farthest`: the largest number without an 'e', and with one. `lengths`: how long cells are,
    the first lengths met.
    """

    def __init__(self) -> None:
        self.hopeless = False
        self.odd = 0
        self.plain = 0
        self.largest = 0.0
        self.farthest = 0.0
        self.lengths: set[int] = set()

    def take(self, texts: pa.Array, values: Floats) -> None:
        """Take in the cells of one batch that are not missing, trimmed, and their numbers [cells]."""
        if self.hopeless or not len(texts):
            return
        if pc.any(pc.match_substring_regex(texts, _NUMBERS_MARK)).as_py():
            self.hopeless = True
            return
        exponent = pc.match_substring_regex(texts, _EXPONENT).to_numpy(zero_copy_only=False)
        if exponent.any():
            self.odd += pc.sum(pc.match_substring_regex(texts, _NO_EXPONENT)).as_py()
            self.farthest = max(self.farthest, float(values[exponent].max()))
        self.plain += len(texts) - int(exponent.sum())
        self.largest = max(self.largest, float(values[~exponent].max(initial=0.0)))
        if len(self.lengths) < 2:
            self.lengths |= set(pc.unique(pc.utf8_length(texts)).to_pylist())

    @property
    def are_codes(self) -> bool:
        """Whether cells are codes: those with an 'e' lie far beyond all others, or all are equally long."""
        if self.hopeless or not self.odd or not self.plain:
            return False
        return self.farthest > _FAR * max(self.largest, 1.0) or (
            len(self.lengths) == 1 and self.plain + self.odd >= _LEAST
        )
