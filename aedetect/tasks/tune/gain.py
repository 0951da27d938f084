"""What tuned settings gain over the default ones, and how much of that noise explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# The chance that settings that gain nothing are said to.
BY_CHANCE = 0.05


@dataclass(frozen=True)
class Gain:
    """Average precision of both settings on rows by which none was chosen: of each part [parts]."""

    default: Sequence[float]
    tuned: Sequence[float]

    @property
    def value(self) -> float:
        """The mean difference over the parts that both have a figure of; NaN where there is none."""
        differences = self._differences
        return float(differences.mean()) if len(differences) else float("nan")

    @property
    def standard_error(self) -> float:
        """Of the mean difference. The parts share most of what is learned from, so that their differences are
        less unlike than those of new data would be: the variance is corrected for it (Nadeau & Bengio, 2003).
        NaN for fewer than two parts.
        """
        differences = self._differences
        parts = len(differences)
        if parts < 2:
            return float("nan")
        return float(np.sqrt((1 / parts + 1 / (len(self.default) - 1)) * differences.var(ddof=1)))

    @property
    def needed(self) -> float:
        """What noise alone reaches once in twenty times: Student's t, one-sided; NaN where it is unknown."""
        from scipy.stats import t

        return float(t.ppf(1 - BY_CHANCE, max(len(self._differences) - 1, 1))) * self.standard_error

    @property
    def is_real(self) -> bool:
        """Whether the gain is more than noise explains."""
        return bool(self.value > max(self.needed, 0.0))

    @property
    def means(self) -> tuple[float, float]:
        """The mean over the parts of the default settings, and of the tuned ones."""
        return mean(self.default), mean(self.tuned)

    @property
    def in_words(self) -> str:
        """'+0.013 (standard error 0.009)'."""
        return f"{self.value:+.3f} (standard error {self.standard_error:.3f})"

    def as_dict(self) -> dict[str, Any]:
        """For JSON; null for what is not known."""
        default, tuned = self.means
        return {
            "default": number(default),
            "tuned": number(tuned),
            "value": number(self.value),
            "standard_error": number(self.standard_error),
            "needed": number(self.needed),
            "parts": [
                {"default": number(one), "tuned": number(other)}
                for one, other in zip(self.default, self.tuned, strict=True)
            ],
        }

    @property
    def _differences(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        differences = np.array(self.tuned, dtype=np.float64) - np.array(self.default, dtype=np.float64)
        return differences[~np.isnan(differences)]


def mean(figures: Sequence[float]) -> float:
    """The mean of those that are known; NaN where none is."""
    known = [figure for figure in figures if not np.isnan(figure)]
    return float(np.mean(known)) if known else float("nan")


def number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None
