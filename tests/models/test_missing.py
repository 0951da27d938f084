"""Windows with missing cells are judged by those they have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder, WindowLayout
from aedetect.models.ensemble import BLOCK_ROWS, mostly_known, window_errors, window_scores
from aedetect.models.missing import held, held_windows
from aedetect.models.registry import SERIES_ARCHITECTURES, build_series

STEPS, CPU = 16, torch.device("cpu")
NAN = float("nan")


def wave(rows: int, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    """Two channels [rows, 2] of one period."""
    random, places = np.random.default_rng(seed), np.arange(rows)[:, None]
    clean = np.sin(2 * np.pi * places / STEPS + np.array([0.0, 1.0]))
    return (clean + noise * random.normal(size=(rows, 2))).astype(np.float32)


def windows_of(segment: np.ndarray) -> Tensor:
    return torch.from_numpy(segment).unfold(0, STEPS, 1).transpose(1, 2).contiguous()


@pytest.fixture(scope="module", params=SERIES_ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> WindowAutoencoder:
    torch.manual_seed(0)
    built = build_series(WindowLayout(STEPS, 2), ModelConfig(architecture=request.param)).eval()
    learned = windows_of(wave(600))
    with torch.no_grad():
        built.fit_score_normalisation(
            windows_of(wave(200, 1)), learned, torch.zeros(len(learned), dtype=torch.bool)
        )
    return built


def spoiled(share: float, rows: int = 400, seed: int = 3) -> np.ndarray:
    segment = wave(rows, 2)
    segment[np.random.default_rng(seed).random(segment.shape) < share] = NAN
    return segment


def test_missing_cells_are_held() -> None:
    cells = torch.tensor([[NAN, 1.0, NAN], [2.0, NAN, NAN], [NAN, NAN, NAN]])
    assert held(cells).tolist() == [[2, 1, 0], [2, 1, 0], [2, 1, 0]]
    whole = torch.ones(2, 3)
    assert held(whole) is whole


@pytest.mark.parametrize(("known", "scored"), [(8, True), (7, False)])
def test_a_window_of_which_less_than_half_is_known_has_no_score(
    model: WindowAutoencoder, known: int, scored: bool
) -> None:
    segment = wave(STEPS)
    segment[known:] = NAN
    assert np.isfinite(window_scores([model], segment, STEPS, CPU)).tolist() == [scored]
    assert mostly_known(segment, STEPS).tolist() == [scored]


def test_few_missing_cells_change_little(model: WindowAutoencoder) -> None:
    if not model.takes_missing:
        pytest.skip("is given the last known values, which are off in a wave")
    whole = window_scores([model], wave(400, 2), STEPS, CPU)
    some = window_scores([model], spoiled(0.05), STEPS, CPU)
    assert np.isfinite(some).all()
    assert np.median(np.abs(some / whole - 1)) < 0.1
    assert some.max() < 1.5 * whole.max()


def test_what_is_odd_stays_odd_where_cells_are_missing(model: WindowAutoencoder) -> None:
    segment = spoiled(0.1)
    normal = np.nanmax(window_scores([model], segment, STEPS, CPU))
    segment[200:208] = 3.0
    segment[203] = NAN
    assert window_scores([model], segment, STEPS, CPU)[193:200].min() > normal


def test_scores_of_whole_windows_do_not_depend_on_missing_cells_elsewhere(model: WindowAutoencoder) -> None:
    if model.margin:
        pytest.skip("sees beyond its window")
    segment = wave(400, 2)
    whole = window_scores([model], segment, STEPS, CPU)
    segment[100:103, 0] = NAN
    some = window_scores([model], segment, STEPS, CPU)
    touched = np.zeros(len(whole), dtype=bool)
    touched[100 - STEPS + 1 : 103] = True
    np.testing.assert_array_equal(some[~touched], whole[~touched])


@pytest.mark.parametrize("cut", [1, 63, 700, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_scores_with_missing_cells_do_not_depend_on_the_cut(model: WindowAutoencoder, cut: int) -> None:
    if not model.takes_missing or model.margin:
        pytest.skip("holds the last known values, or sees beyond its window")
    segment = spoiled(0.1, rows=BLOCK_ROWS + 300)
    whole = window_scores([model], segment, STEPS, CPU)
    parts = [segment[: cut + STEPS - 1], segment[cut:]]
    found = np.concatenate([window_scores([model], part, STEPS, CPU) for part in parts])
    np.testing.assert_array_equal(found, whole)


@torch.no_grad()
def test_errors_are_those_of_known_cells(model: WindowAutoencoder) -> None:
    windows = windows_of(spoiled(0.1)).numpy()
    errors = window_errors([model], windows, CPU)
    assert np.isfinite(errors).all()
    assert (errors >= 0).all()
    if model.takes_missing:
        assert (errors[np.isnan(windows)] == 0).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_windows_hold_what_each_knows_itself(share: float) -> None:
    random = torch.Generator().manual_seed(0)
    segment = torch.randn(120, 3, generator=random)
    segment[torch.rand(120, 3, generator=random) < share] = NAN
    segment[40:80] = NAN
    assert torch.equal(held_windows(segment, STEPS), held(segment.unfold(0, STEPS, 1).transpose(1, 2)))
