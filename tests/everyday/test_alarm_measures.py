"""The measures of series alarms on rows worked out by hand."""

import math

import numpy as np
from benchmarks import alarm_measures as measures


def rows(*spans: tuple[int, int], length: int = 1000) -> np.ndarray:
    out = np.zeros(length, dtype=bool)
    for begin, end in spans:
        out[begin:end] = True
    return out


def test_stretches_join_at_the_bound_and_not_beyond() -> None:
    assert measures.stretches(rows((0, 1), (100, 101)), 100) == [(0, 101)]
    assert measures.stretches(rows((0, 1), (101, 102)), 100) == [(0, 1), (101, 102)]
    assert measures.stretches(rows()) == []


def test_rows_within_grace_are_neither() -> None:
    labels = rows((500, 510))
    assert measures.normal_flagged(rows((475, 535)), labels) == 0.0
    assert measures.normal_flagged(rows((474, 475)), labels) == 1 / 940


def test_events_hit_within_grace() -> None:
    labels = rows((100, 110), (500, 510))
    assert measures.events_hit(rows((75, 76), (535, 536)), labels) == (1, 2)


def test_false_events_and_length_ratio() -> None:
    labels = rows((500, 510))
    flags = rows((100, 105), (150, 155), (500, 520))
    assert measures.false_events_per_1000(flags, labels) == 1000 / 940
    assert measures.length_ratio(flags, labels) == 2.0
    assert math.isnan(measures.length_ratio(rows(), labels))


def test_halves_cover_each_file_once() -> None:
    names = [f"f{i}" for i in range(30)]
    choosing, confirming = measures.halves(names)
    assert len(choosing) == len(confirming) == 15
    assert sorted(choosing + confirming) == sorted(names)
    assert measures.halves(names[::-1]) == (choosing, confirming)
