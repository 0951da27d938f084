"""Near the ends of a segment, steps are judged by windows that reach beyond, and without the odd ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.config import ModelConfig
from aedetect.models.ensemble import window_scores
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import build_series
from aedetect.models.threads import single_threaded
from aedetect.scoring.beside import least_beside
from aedetect.scoring.row_scores import least_over_rows

WINDOW = 24
CPU = "cpu"


def wave(steps: int, seed: int = 0) -> np.ndarray:
    noise = 0.1 * np.random.default_rng(seed).normal(size=(steps, 1))
    return (np.sin(np.arange(steps) / 3)[:, None] + noise).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> WindowEvaluation:
    torch.manual_seed(0)
    built = build_series(WindowLayout(WINDOW, 1), ModelConfig()).eval()
    learned = torch.from_numpy(wave(2000)).unfold(0, WINDOW, 1).transpose(1, 2)
    with torch.no_grad():
        built.fit_score_normalisation(learned[:200], learned, torch.zeros(len(learned), dtype=torch.bool))
    return built.settled()


def least(model: WindowEvaluation, steps: np.ndarray, odd: slice | list[int] = slice(0)) -> np.ndarray:
    marks = np.zeros(len(steps), dtype=np.bool_)
    marks[odd] = True
    with single_threaded(CPU):
        return least_beside([model], steps, ~marks, marks, CPU)


def usual(model: WindowEvaluation, steps: np.ndarray) -> np.ndarray:
    with single_threaded(CPU):
        return least_over_rows(window_scores([model], steps, WINDOW, CPU), WINDOW, False)


@pytest.mark.parametrize(("spike", "beside"), [(195, slice(197, 200)), (4, slice(0, 3))])
def test_a_spike_near_an_end_says_nothing_of_the_steps_beside_it(
    model: WindowEvaluation, spike: int, beside: slice
) -> None:
    steps = wave(200, 1)
    normal = usual(model, steps).max()
    steps[spike] += 5
    # All windows of the segment that hold the last steps hold the spike.
    assert (usual(model, steps)[beside] > 2 * normal).all()
    assert (least(model, steps, slice(spike, spike + 1))[beside] < 2 * normal).all()
    assert np.isnan(least(model, steps, slice(spike, spike + 1))[spike])


def test_what_goes_on_to_the_end_stays_odd(model: WindowEvaluation) -> None:
    steps = wave(200, 1)
    normal = usual(model, steps).max()
    steps[192:] += 5
    assert (least(model, steps)[192:] > 2 * normal).all()


def test_between_two_odd_stretches_steps_are_judged_without_them(model: WindowEvaluation) -> None:
    steps = wave(200, 1)
    normal = usual(model, steps).max()
    odd = [90, 91, 110, 111]
    steps[odd] += 5
    # All windows hold one of them.
    assert (usual(model, steps)[92:110] > 2 * normal).all()
    found = least(model, steps, odd)
    assert (found[92:110] < 2 * normal).all()
    assert np.isnan(found[odd]).all()


def test_far_from_the_ends_nothing_is_said(model: WindowEvaluation) -> None:
    said = ~np.isnan(least(model, wave(200)))
    assert said.nonzero()[0].tolist() == [*range(WINDOW - 1), *range(201 - WINDOW, 200)]


def test_only_windows_of_the_steps_asked_for_are_looked_at(model: WindowEvaluation) -> None:
    odd, asked = np.zeros((2, 200), dtype=np.bool_)
    odd[[50, 100]], asked[110] = True, True
    with single_threaded(CPU):
        found = least_beside([model], wave(200), asked, odd, CPU)
    said = (~np.isnan(found)).nonzero()[0]
    assert (said.min(), said.max()) == (110 - WINDOW + 1, 100 + WINDOW - 1)


def test_ends_may_overlap(model: WindowEvaluation) -> None:
    short = least(model, wave(WINDOW + 3))
    assert short.shape == (WINDOW + 3,)
    assert not np.isnan(short).any()
