"""Windows with missing cells are judged by what they have."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aedetect.config import ModelConfig
from aedetect.models.base import WindowLayout
from aedetect.models.ensemble import mostly_known, reconstructed_windows, window_errors, window_scores
from aedetect.models.missing import held
from aedetect.models.registry import SERIES_ARCHITECTURES, build_series

CPU = torch.device("cpu")
STEPS, CHANNELS = 24, 2


def waves(rows: int, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    random = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(rows) / STEPS
    clean = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    return np.asarray(clean + random.normal(0, 0.05, clean.shape), dtype=np.float32)


def fitted(architecture: str = "patches") -> list:  # type: ignore[type-arg]
    torch.manual_seed(0)
    config = ModelConfig(architecture=architecture, width=8)
    model = build_series(WindowLayout(STEPS, CHANNELS), config)
    cut = torch.from_numpy(waves(800)).unfold(0, STEPS, 1).transpose(1, 2).contiguous()
    model.eval()
    model.fit_score_normalisation(cut[600:], cut[:600], torch.zeros(600, dtype=torch.bool))
    return [model]


def test_missing_cells_are_held() -> None:
    values = torch.tensor([[np.nan, 1.0], [2.0, np.nan], [np.nan, np.nan]])
    assert held(values).tolist() == [[2.0, 1.0], [2.0, 1.0], [2.0, 1.0]]
    assert held(torch.full((3, 1), np.nan)).tolist() == [[0.0]] * 3


@pytest.mark.parametrize("architecture", sorted(SERIES_ARCHITECTURES))
def test_scores_are_about_what_they_were(architecture: str) -> None:
    models, segment = fitted(architecture), waves(400, seed=1)
    whole = window_scores(models, segment, STEPS, CPU)
    thinned = segment.copy()
    thinned[np.random.default_rng(2).random(len(segment)) < 0.1] = np.nan
    found = window_scores(models, thinned, STEPS, CPU)
    assert np.isfinite(found).all()
    assert abs(np.log(np.median(found) / np.median(whole))) < 0.5
    windows = np.lib.stride_tricks.sliding_window_view(thinned, STEPS, axis=0).transpose(0, 2, 1)[:50]
    assert np.isfinite(reconstructed_windows(models, windows.copy(), CPU)).all()
    assert np.isfinite(window_errors(models, windows.copy(), CPU)).all()


def test_windows_without_missing_cells_score_the_same_beside_others() -> None:
    models, segment = fitted(), waves(400, seed=1)
    thinned = segment.copy()
    thinned[300] = np.nan
    whole, found = (window_scores(models, part, STEPS, CPU) for part in (segment, thinned))
    np.testing.assert_allclose(found[: 300 - STEPS], whole[: 300 - STEPS], rtol=1e-5)


def test_an_odd_window_is_odd_with_some_cells_missing() -> None:
    models, segment = fitted(), waves(400, seed=1)
    segment[200:210] += 3
    segment[::9] = np.nan
    found = window_scores(models, segment, STEPS, CPU)
    assert found[190:200].min() > 5 * np.median(found[:100])


def test_windows_of_which_less_than_half_is_known_have_no_score() -> None:
    models, segment = fitted(), waves(100, seed=1)
    segment[40 : 40 + STEPS] = np.nan
    found = window_scores(models, segment, STEPS, CPU)
    assert np.isnan(found).tolist() == (~mostly_known(segment, STEPS)).tolist()
    assert np.isnan(found[40])
    assert not np.isnan(found[[40 - STEPS // 2, 40 + STEPS // 2]]).any()
