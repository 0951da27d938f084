"""Single steps that lie off their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from aedetect.scoring.calibration import Calibration
from aedetect.scoring.step_deviation import alone_cells, step_deviations, step_scores, usual_deviations


@pytest.fixture
def wandering() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.cumsum(random.normal(0, 0.05, (500, 2)), axis=0).astype(np.float32)


def test_a_spike_stands_out_from_its_neighbours(wandering: np.ndarray) -> None:
    usual = usual_deviations([step_deviations(wandering, causal=False)])
    wandering[250, 1] += 5
    wandering[100:110] = np.nan
    stated = step_scores(step_deviations(wandering, causal=False), usual)
    assert int(np.nanargmax(stated)) == 250
    assert np.isnan(stated[100:110]).all()


def test_causal_deviations_use_no_later_steps(wandering: np.ndarray) -> None:
    causal = step_deviations(wandering, causal=True)
    wandering[300:] += 7
    np.testing.assert_array_equal(causal[:300], step_deviations(wandering, causal=True)[:300])


@pytest.mark.parametrize("end", [0, -1])
def test_at_the_ends_of_a_slope_steps_are_no_further_off_than_elsewhere(end: int) -> None:
    slope = np.arange(100, dtype=np.float32)[:, None]
    assert step_deviations(slope, causal=False)[end] == pytest.approx(0)
    slope[end] += 40
    assert step_deviations(slope, causal=False)[end] > 30


def _alone(segment: np.ndarray, normal: np.ndarray, causal: bool = False) -> list[list[int]]:
    deviations = step_deviations(normal, causal)
    usual = usual_deviations([deviations])
    held_out = Calibration(np.sort(step_scores(deviations, usual)[5:]))
    marked = alone_cells(segment, step_deviations(segment, causal), usual, held_out, causal)
    return [np.flatnonzero(channel).tolist() for channel in marked.T]


def test_few_cells_far_off_are_alone_and_many_on_end_are_not(wandering: np.ndarray) -> None:
    odd = wandering.copy()
    odd[100:103, 0] += 50
    odd[300:305, 0] -= 50
    odd[200, 1] += 50
    odd[400, 1] += 0.2
    assert _alone(odd, wandering) == [[100, 101, 102], [200]]


def test_causal_ones_hang_on_no_later_cell(wandering: np.ndarray) -> None:
    odd = wandering.copy()
    odd[300:305, 0] -= 50
    assert _alone(odd, wandering, causal=True) == [[300, 301, 302], []]
    assert _alone(odd[:302], wandering, causal=True) == [[300, 301], []]
