"""What the columns of an encoded matrix are: all that a model needs to know of the data."""

from __future__ import annotations

from dataclasses import dataclass

from aedetect.data.arrays import Floats, Mask


@dataclass(frozen=True)
class Layout:
    """Numeric features first, then one feature per categorical column.

    Numeric features are scaled to about zero mean and unit spread, NaN where missing. A
    categorical feature holds a code: 0 missing, 1 rare or unseen, from 2 the known categories.

    `missing_rates` [numeric]: share of training cells that were missing, smoothed above zero.
    `gaps` [numeric]: whether any was.
    `gain`, `shift` [numeric]: gain · sinh(x) + shift turns a scaled value into standard deviations
    from the mean, a second view in which distances are not log-compressed.
    `priors`: per categorical feature, the share of each code in training, shape [cardinality].
    """

    missing_rates: Floats
    gaps: Mask
    gain: Floats
    shift: Floats
    priors: tuple[Floats, ...]

    @property
    def numeric(self) -> int:
        """How many features are numeric."""
        return len(self.missing_rates)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Of each categorical feature, how many codes it has."""
        return tuple(len(prior) for prior in self.priors)

    @property
    def width(self) -> int:
        """How many features there are."""
        return self.numeric + len(self.priors)
