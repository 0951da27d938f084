"""Windows with missing cells are judged by those they have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.models.ensemble import mostly_known, window_errors, window_scores
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.models.evaluation.missing import held, held_windows
from aedetect.models.evaluation.window_kernels import running_max, running_min_from_behind
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import SERIES_ARCHITECTURES, build_series

STEPS, CPU = 16, "cpu"
NAN = float("nan")


def wave(rows: int, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    """Two channels [rows, 2] of one period."""
    random, places = np.random.default_rng(seed), np.arange(rows)[:, None]
    clean = np.sin(2 * np.pi * places / STEPS + np.array([0.0, 1.0]))
    return (clean + noise * random.normal(size=(rows, 2))).astype(np.float32)


def windows_of(segment: np.ndarray) -> Tensor:
    return torch.from_numpy(segment).unfold(0, STEPS, 1).transpose(1, 2).contiguous()


@pytest.fixture(scope="module", params=SERIES_ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> WindowEvaluation:
    torch.manual_seed(0)
    built = build_series(WindowLayout(STEPS, 2), ModelConfig(architecture=request.param)).eval()
    learned = windows_of(wave(600))
    with torch.no_grad():
        built.fit_score_normalisation(
            windows_of(wave(200, 1)), learned, torch.zeros(len(learned), dtype=torch.bool)
        )
    return built.settled()


def spoiled(share: float, rows: int = 400, seed: int = 3) -> np.ndarray:
    segment = wave(rows, 2)
    segment[np.random.default_rng(seed).random(segment.shape) < share] = NAN
    return segment


@pytest.fixture(params=["numpy", "torch"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def array_of(library: str, values: np.ndarray) -> np.ndarray | Tensor:
    return values if library == "numpy" else torch.from_numpy(values)


def test_missing_cells_are_held(library: str) -> None:
    cells = np.array([[NAN, 1.0, NAN], [2.0, NAN, NAN], [NAN, NAN, NAN]], np.float32)
    assert held(array_of(library, cells)).tolist() == [[2, 1, 0], [2, 1, 0], [2, 1, 0]]
    whole = array_of(library, np.ones((2, 3), np.float32))
    assert held(whole) is whole


def test_of_whole_batches_each_window_is_held_by_itself(library: str) -> None:
    cells = np.array([[[1.0], [NAN]], [[NAN], [2.0]], [[NAN], [NAN]]], np.float32)
    assert held(array_of(library, cells))[..., 0].tolist() == [[1, 1], [2, 2], [0, 0]]


def test_largest_so_far_and_smallest_to_come(library: str) -> None:
    values = array_of(library, np.array([[2, 1], [1, 5], [3, 4]]))
    assert running_max(values).tolist() == [[2, 1], [2, 5], [3, 5]]
    assert running_min_from_behind(values).tolist() == [[1, 1], [1, 4], [3, 4]]


@pytest.mark.parametrize(("known", "scored"), [(8, True), (7, False)])
def test_a_window_of_which_less_than_half_is_known_has_no_score(
    model: WindowEvaluation, known: int, scored: bool
) -> None:
    segment = wave(STEPS)
    segment[known:] = NAN
    assert np.isfinite(window_scores([model], segment, STEPS, CPU)).tolist() == [scored]
    assert mostly_known(segment, STEPS).tolist() == [scored]


def test_few_missing_cells_change_little(model: WindowEvaluation) -> None:
    if not model.takes_missing:
        pytest.skip("is given the last known values, which are off in a wave")
    whole = window_scores([model], wave(400, 2), STEPS, CPU)
    some = window_scores([model], spoiled(0.05), STEPS, CPU)
    assert np.isfinite(some).all()
    assert np.median(np.abs(some / whole - 1)) < 0.1
    assert some.max() < 1.5 * whole.max()


def test_what_is_odd_stays_odd_where_cells_are_missing(model: WindowEvaluation) -> None:
    segment = spoiled(0.1)
    normal = np.nanmax(window_scores([model], segment, STEPS, CPU))
    segment[200:208] = 3.0
    segment[203] = NAN
    assert window_scores([model], segment, STEPS, CPU)[193:200].min() > normal


def test_scores_of_whole_windows_do_not_depend_on_missing_cells_elsewhere(model: WindowEvaluation) -> None:
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
def test_scores_with_missing_cells_do_not_depend_on_the_cut(model: WindowEvaluation, cut: int) -> None:
    if not model.takes_missing or model.margin:
        pytest.skip("holds the last known values, or sees beyond its window")
    segment = spoiled(0.1, rows=BLOCK_ROWS + 300)
    whole = window_scores([model], segment, STEPS, CPU)
    parts = [segment[: cut + STEPS - 1], segment[cut:]]
    found = np.concatenate([window_scores([model], part, STEPS, CPU) for part in parts])
    np.testing.assert_array_equal(found, whole)


def test_errors_are_those_of_known_cells(model: WindowEvaluation) -> None:
    windows = windows_of(spoiled(0.1)).numpy()
    errors = window_errors([model], windows, CPU)
    assert np.isfinite(errors).all()
    assert (errors >= 0).all()
    if model.takes_missing:
        assert (errors[np.isnan(windows)] == 0).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_windows_hold_what_each_knows_itself(library: str, share: float) -> None:
    random = np.random.default_rng(0)
    segment = random.normal(size=(120, 3)).astype(np.float32)
    segment[random.random((120, 3)) < share] = NAN
    segment[40:80] = NAN
    each = held(windows_of(segment).numpy()).reshape(-1, 3 * STEPS)
    np.testing.assert_array_equal(np.asarray(held_windows(array_of(library, segment), STEPS)), each)
