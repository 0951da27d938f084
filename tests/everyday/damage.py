"""A month of a five-minute rhythm: clean where learned, and damaged as on the way where fresh."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from benchmarks.alarm_damage import KINDS, damaged
from everyday.generators import DAY, TIME, Case, correlated, cut, span

_MARGIN = 30


def sine(seed: int) -> Case:
    """Two weeks learned and two fresh ones; three hours stand still, from the steepest place on."""
    random = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=28 * DAY, freq="5min")
    values = 10 * np.sin(2 * np.pi * np.arange(len(times)) / DAY) + correlated(random, len(times), 0.3)
    train, fresh = cut(pd.DataFrame({TIME: times, "value": values}), 14 * DAY)
    begin = 8 * DAY
    odd = span(len(fresh), begin, 36)
    fresh.loc[odd, "value"] = fresh["value"].iloc[begin]
    return Case(train, fresh, odd)


def with_damage(kind: str, seed: int) -> Case:
    """The fresh rows of `sine` with one of `KINDS` of damage, away from the fault."""
    case = sine(seed)
    near = np.convolve(case.odd, np.ones(2 * _MARGIN + 1), "same") > 0
    frame, rows, gross = damaged(case.fresh.rename(columns={TIME: "timestamp"}), kind, np.flatnonzero(~near))
    return Case(case.train, frame.rename(columns={"timestamp": TIME}), case.odd[rows], ignored=gross)


def spiky_training(seed: int) -> Case:
    """Ten gross cells among those learned."""
    case = sine(seed)
    train = case.train.copy()
    picked = np.random.default_rng(seed).choice(len(train), 10, replace=False)
    train.loc[picked, "value"] = 9000.0
    return Case(train, case.fresh, case.odd)


DAMAGED: dict[str, Callable[[int], Case]] = {
    "sine": sine,
    **{kind: partial(with_damage, kind) for kind in KINDS},
    "spiky_training": spiky_training,
}
