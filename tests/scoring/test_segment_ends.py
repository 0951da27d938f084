"""Near the ends of a segment, steps are judged by windows that reach beyond, and without the odd ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder, WindowLayout
from aedetect.models.ensemble import single_threaded, window_scores
from aedetect.models.registry import build_series
from aedetect.scoring.row_scores import least_over_rows
from aedetect.scoring.segment_ends import least_at_ends

WINDOW = 24
CPU = torch.device("cpu")


def wave(steps: int, seed: int = 0) -> np.ndarray:
    noise = 0.1 * np.random.default_rng(seed).normal(size=(steps, 1))
    return (np.sin(np.arange(steps) / 3)[:, None] + noise).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> WindowAutoencoder:
    torch.manual_seed(0)
    built = build_series(WindowLayout(WINDOW, 1), ModelConfig()).eval()
    learned = torch.from_numpy(wave(2000)).unfold(0, WINDOW, 1).transpose(1, 2)
    with torch.no_grad():
        built.fit_score_normalisation(learned[:200], learned, torch.zeros(len(learned), dtype=torch.bool))
    return built


def least(model: WindowAutoencoder, steps: np.ndarray, odd: slice | None = None) -> np.ndarray:
    marks = np.zeros(len(steps), dtype=np.bool_)
    if odd is not None:
        marks[odd] = True
    with single_threaded(CPU):
        return least_at_ends([model], steps, WINDOW, marks, CPU)


def usual(model: WindowAutoencoder, steps: np.ndarray) -> np.ndarray:
    with single_threaded(CPU):
        return least_over_rows(window_scores([model], steps, WINDOW, CPU), WINDOW, False)


@pytest.mark.parametrize(("spike", "beside"), [(195, slice(197, 200)), (4, slice(0, 3))])
def test_a_spike_near_an_end_says_nothing_of_the_steps_beside_it(
    model: WindowAutoencoder, spike: int, beside: slice
) -> None:
    steps = wave(200, 1)
    normal = usual(model, steps).max()
    steps[spike] += 5
    # All windows of the segment that hold the last steps hold the spike.
    assert (usual(model, steps)[beside] > 2 * normal).all()
    assert (least(model, steps, slice(spike, spike + 1))[beside] < 2 * normal).all()
    assert least(model, steps, slice(spike, spike + 1))[spike] > 2 * normal


def test_what_goes_on_to_the_end_stays_odd(model: WindowAutoencoder) -> None:
    steps = wave(200, 1)
    normal = usual(model, steps).max()
    steps[192:] += 5
    assert (least(model, steps, slice(192, 200))[192:] > 2 * normal).all()


def test_far_from_the_ends_nothing_is_said(model: WindowAutoencoder) -> None:
    said = ~np.isnan(least(model, wave(200)))
    assert said.nonzero()[0].tolist() == [*range(WINDOW), *range(200 - WINDOW, 200)]


def test_ends_may_overlap(model: WindowAutoencoder) -> None:
    short = least(model, wave(WINDOW + 3))
    assert short.shape == (WINDOW + 3,)
    assert not np.isnan(short).any()
