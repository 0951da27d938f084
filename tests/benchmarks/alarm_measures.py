"""What series alarms are measured by: arrays in, numbers out.

Every function takes boolean arrays of shape (rows,) in time order, flagged rows and labelled rows.
"""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.bool_]
GRACE = 25
JOIN = 100


def stretches(rows: Rows, join: int = 1) -> list[tuple[int, int]]:
    """Half-open (begin, end) of the stretches of true rows; those at most `join` rows apart are one."""
    at = np.flatnonzero(rows)
    if at.size == 0:
        return []
    cuts = np.flatnonzero(np.diff(at) > join)
    begins = at[np.concatenate(([0], cuts + 1))]
    ends = at[np.concatenate((cuts, [at.size - 1]))] + 1
    return [(int(begin), int(end)) for begin, end in zip(begins, ends, strict=True)]


def near_labels(labels: Rows, grace: int = GRACE) -> Rows:
    """Rows of labelled events and the `grace` rows on either side of each."""
    near = labels.copy()
    for begin, end in stretches(labels):
        near[max(0, begin - grace) : end + grace] = True
    return near


def normal_flagged(flags: Rows, labels: Rows, grace: int = GRACE) -> float:
    """Share (0 to 1) of normal rows flagged; rows near a label are left out; nan without normal rows."""
    normal = ~near_labels(labels, grace)
    return float(flags[normal].mean()) if normal.any() else float("nan")


def events_hit(flags: Rows, labels: Rows, grace: int = GRACE) -> tuple[int, int]:
    """Labelled events with a flagged row inside or within `grace` rows, and all labelled events."""
    events = stretches(labels)
    hits = sum(bool(flags[max(0, begin - grace) : end + grace].any()) for begin, end in events)
    return hits, len(events)


def false_events_per_1000(flags: Rows, labels: Rows, join: int = JOIN, grace: int = GRACE) -> float:
    """Joined flagged stretches with no label within `grace` rows, per 1,000 normal rows."""
    normal = int((~near_labels(labels, grace)).sum())
    false = sum(
        not labels[max(0, begin - grace) : end + grace].any() for begin, end in stretches(flags, join)
    )
    return 1000.0 * false / normal if normal else float("nan")


def length_ratio(flags: Rows, labels: Rows, join: int = JOIN, grace: int = GRACE) -> float:
    """Median over the events hit of flagged length (first to last row) to label length; nan if none."""
    joined = stretches(flags, join)
    ratios = []
    for begin, end in stretches(labels):
        lengths = [last - first for first, last in joined if first < end + grace and last > begin - grace]
        if lengths:
            ratios.append(sum(lengths) / (end - begin))
    return float(np.median(ratios)) if ratios else float("nan")


def halves(names: list[str]) -> tuple[list[str], list[str]]:
    """The choosing and the confirming half of files: sorted by name, permuted with seed 0, cut in two."""
    ordered = sorted(names)
    order = np.random.default_rng(0).permutation(len(ordered))
    cut = len(ordered) // 2
    return sorted(ordered[i] for i in order[:cut]), sorted(ordered[i] for i in order[cut:])
