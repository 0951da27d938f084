"""Everyday series, trained and scored by default: alarms as rare as promised, faults at their times.

One seed for all cases; `make everyday` shows others.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from everyday.damage import DAMAGED
from everyday.generators import CASES, SLOW
from everyday.judge import judged

_SEED = 3
_ALL = CASES | DAMAGED


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in _ALL]
)
def test_alarms_are_rare_and_the_fault_is_met_at_its_times(name: str, tmp_path: Path) -> None:
    assert judged(_ALL[name](_SEED), tmp_path).complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in _ALL if name not in SLOW])
def test_at_most_seeds_too(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    judgements = [judged(_ALL[name](seed), tmp_path_factory.mktemp(name)) for seed in range(5)]
    assert all(one.is_hit for one in judgements)
    assert sum(one.is_rare for one in judgements) >= 4
    assert sum(not one.complaints for one in judgements) >= 3
