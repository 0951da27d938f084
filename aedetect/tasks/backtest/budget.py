"""How many alarms somebody has time for, and the alert rates that are tried for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from aedetect.config.names import did_you_mean
from aedetect.errors import UsageError

Period = Literal["hour", "day", "week", "dump"]

_WRITTEN = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*/\s*(?P<period>\S.*)")
_EXAMPLES = "write it like 5/day, 2/week, 1/hour or 3/dump"
# Ten a decade, each by about a quarter looser than the one before: what differs by less is chance.
_STEPS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0)
_FINEST_DECADE, _LOOSEST = -6, 0.1
RATES_TRIED = tuple(float(f"{step}e{decade}") for decade in range(_FINEST_DECADE, -1) for step in _STEPS) + (
    _LOOSEST,
)


@dataclass(frozen=True)
class Budget:
    """So many alarms are accepted in a period: events of time series, flagged rows of tables."""

    count: float
    period: Period

    @classmethod
    def parse(cls, text: str) -> Budget:
        """What '5/day' means. Raises UsageError for what is no budget."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"--budget {text!r}: not a number of alarms in a period; {_EXAMPLES}")
        periods, word = get_args(Period), match["period"].strip()
        for period in periods:
            if word.lower() in (period, f"{period}s"):
                return cls(float(match["count"]), period)
        raise UsageError(
            f"--budget {text!r}: {word!r} is no period{did_you_mean(word, periods)}; {_EXAMPLES}"
        )

    def __str__(self) -> str:
        return f"{self.count:g}/{self.period}"
