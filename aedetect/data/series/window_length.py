"""How long a window should be."""

from __future__ import annotations

import numpy as np

from aedetect.config import Span, parse_duration
from aedetect.data.arrays import Matrix
from aedetect.errors import UsageError

USUAL_WINDOW, LEAST_WINDOW = 200, 4
# A window takes at most one in so many of the rows to learn from, so that there are others to compare
# with. The more channels vary, the more of them it takes: windows then differ in more ways, and hold
# enough in fewer steps.
_ROWS_A_CHANNEL, _MOST_ROWS = 3, 20
# Few rows of several channels still make windows of so many steps.
_SHORT_WINDOW = 16
# Periods looked for, in steps, over so many of the longest segment; one is clear if rows a period
# apart are correlated at least so much more than those half a period apart.
_SHORTEST_PERIOD, _LONGEST_PERIOD, _INSPECTED = 4, 400, 20_000
_CLEAR = 0.3


def window_steps(asked: Span | None, step: float, segments: list[Matrix]) -> int:
    """Steps of a window: as asked for, or whole periods, about `USUAL_WINDOW` steps, where there is one.

    Raises UsageError for a window below `LEAST_WINDOW` steps.
    """
    if asked is not None:
        steps = asked if isinstance(asked, int) else round(float(parse_duration(asked)) / step)  # type: ignore[arg-type]
        if steps < LEAST_WINDOW:
            raise UsageError(
                f"--window {asked}: {steps} steps of {step:g} s; a window has at least {LEAST_WINDOW}"
            )
        return steps
    longest = max((len(segment) for segment in segments), default=0)
    rows = sum(len(segment) for segment in segments)
    others = min(_ROWS_A_CHANNEL * max(_varying(segments), 1), _MOST_ROWS)
    short = min(_SHORT_WINDOW, longest // _ROWS_A_CHANNEL)
    most = max(LEAST_WINDOW, short, min(rows // others, longest // _ROWS_A_CHANNEL))
    return min(whole_periods(USUAL_WINDOW, period(segments)), most)


def whole_periods(steps: int, period_steps: int | None) -> int:
    """The number of whole periods, of `period_steps` each, nearest to `steps`, at least one, in steps."""
    return steps if period_steps is None else period_steps * max(1, round(steps / period_steps))


def period(segments: list[Matrix]) -> int | None:
    """The dominant period of the longest segment, in steps, by autocorrelation; None where none is clear.

    Averaged over the channels, by their variance; up to `_LONGEST_PERIOD` steps.
    """
    longest = max(segments, key=len, default=None)
    if longest is None or len(longest) < 2 * _SHORTEST_PERIOD:
        return None
    values = longest[:_INSPECTED].astype(np.float64)
    values = values - values.mean(axis=0)
    size = 2 ** int(np.ceil(np.log2(2 * len(values))))
    power = np.abs(np.fft.rfft(values, size, axis=0)) ** 2
    sums = np.fft.irfft(power, size, axis=0)[: min(_LONGEST_PERIOD + 2, len(values) // 2)].sum(axis=1)
    if len(sums) < _SHORTEST_PERIOD + 2 or sums[0] <= 0:
        return None
    # Of fewer pairs, the farther apart they are.
    correlations = sums / sums[0] * len(values) / (len(values) - np.arange(len(sums)))
    inner = correlations[1:-1]
    peaks = np.flatnonzero((inner > correlations[:-2]) & (inner >= correlations[2:])) + 1
    peaks = peaks[peaks >= _SHORTEST_PERIOD]
    if not len(peaks):
        return None
    best = int(peaks[correlations[peaks].argmax()])
    # The shortest of its divisors that does nearly as well: a period comes back at each multiple.
    for peak in peaks.tolist():
        if correlations[peak] >= 0.9 * correlations[best]:
            best = peak
            break
    trough = correlations[: best + 1].min()
    return best if correlations[best] - trough >= _CLEAR else None


def _varying(segments: list[Matrix]) -> int:
    """How many channels are not constant."""
    if not segments:
        return 0
    low = np.min([segment.min(axis=0) for segment in segments], axis=0)
    high = np.max([segment.max(axis=0) for segment in segments], axis=0)
    return int((high > low).sum())
