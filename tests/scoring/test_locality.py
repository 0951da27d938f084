"""Steps that are off themselves are told from those beside them."""

from __future__ import annotations

import numpy as np

from aedetect.scoring.locality import Locality, StepScores


def marks(least: list[float], around: float, score: float = 0.0, near: float = 0.0) -> list[bool]:
    shape = np.ones(len(least))
    stated = StepScores(shape * score, np.array(least), shape * around)
    return list(Locality(0.0, near).marks(stated).tolist())


def test_steps_beside_odd_ones_are_not_odd_themselves() -> None:
    assert marks([-0.1, 0.3, 4.0], around=4.0) == [False, False, True]


def test_steps_whose_windows_are_odd_but_for_one_are_not() -> None:
    assert marks([0.3, 2.0], around=2.0, score=3.0) == [False, True]


def test_what_is_unknown_is_not_odd() -> None:
    assert marks([np.nan, 2.0], around=2.0) == [False, True]


def test_less_clear_steps_beside_a_stretch_are_of_it_up_to_a_quarter_of_its_length() -> None:
    least = [-1.0] * 5 + [-0.3] * 3 + [1.0] * 8 + [-0.3] + [-1.0] * 3
    assert np.flatnonzero(marks(least, around=1.0, near=-0.8)).tolist() == list(range(6, 17))


def test_limits_are_those_of_normal_steps() -> None:
    least = np.arange(1000.0)
    one = Locality.of([StepScores(least[:500], least[:500], least), StepScores(least, least[500:], least)])
    assert (one.clear, one.near) == (np.quantile(least, 0.99), np.quantile(least, 0.95))
