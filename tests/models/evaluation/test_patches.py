"""The linear autoencoder of windows as it judges, by numpy and by torch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from aedetect.config import ModelConfig
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.patches import PatchEvaluation
from aedetect.models.evaluation.window_kernels import windows_of
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.windows.patches import PatchAutoencoder

STEPS = 12
CONFIG = ModelConfig()


def segment(rows: int, channels: int, missing: float = 0.0, seed: int = 0) -> np.ndarray:
    """Waves of one period [rows, channels], so large a share of whose cells is missing."""
    random = np.random.default_rng(seed)
    clean = np.sin(0.5 * np.arange(rows)[:, None] + np.arange(channels))
    values = (clean + 0.1 * random.normal(size=clean.shape)).astype(np.float32)
    values[random.random(values.shape) < missing] = np.nan
    return values


@cache
def fitted(channels: int) -> PatchAutoencoder:
    torch.manual_seed(0)
    model = PatchAutoencoder(WindowLayout(STEPS, channels), CONFIG).eval()
    learned = torch.from_numpy(windows_of(segment(600, channels), STEPS).reshape(-1, STEPS, channels).copy())
    learned = learned[torch.randperm(len(learned))]
    model.fit_score_normalisation(learned[::7], learned, torch.arange(len(learned)) % 20 == 0)
    return model


def batch_of(rows: np.ndarray) -> np.ndarray:
    return windows_of(rows, STEPS).reshape(-1, STEPS, rows.shape[1]).copy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_numpy_and_torch_say_the_same(channels: int, missing: float) -> None:
    model, rows = fitted(channels), segment(200, channels, missing, seed=1)
    in_numpy, in_torch = model.settled(), model.evaluation()
    slid = in_torch.sliding_scores(torch.from_numpy(rows), 0, 0).numpy()
    np.testing.assert_allclose(in_numpy.sliding_scores(rows, 0, 0), slid, rtol=1e-5)
    batch = batch_of(rows)
    # Single cells may be next to nothing: what a window scores is their mean.
    errors = in_torch.errors(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(in_numpy.errors(batch).mean(axis=(1, 2)), errors.mean(axis=(1, 2)), rtol=2e-5)
    rebuilt = in_torch.reconstruct(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(in_numpy.reconstruct(batch), rebuilt, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_window_is_judged_alike_wherever_it_stands(missing: float) -> None:
    judge, rows = fitted(3).settled(), segment(300, 3, missing, seed=2)
    scores, batch = judge.sliding_scores(rows, 0, 0), batch_of(rows)
    errors = judge.errors(batch)
    for first, end in [(0, 1), (1, 70), (150, 289)]:
        part = judge.sliding_scores(rows[first : end + STEPS - 1], 0, 0)
        np.testing.assert_array_equal(part, scores[first:end])
        np.testing.assert_array_equal(judge.errors(batch[first:end]), errors[first:end])


def test_windows_that_calibrate_round_as_those_that_come() -> None:
    judge, rows = fitted(3).settled(), segment(100, 3, seed=3)
    assert isinstance(judge, PatchEvaluation)
    alone = np.concatenate([judge.parts(window.reshape(1, -1)) for window in batch_of(rows) * judge.weights])
    np.testing.assert_array_equal(alone, judge.parts(windows_of(rows * judge.weights, STEPS)))


def test_steps_of_context_are_in_no_window() -> None:
    judge, rows = fitted(1).settled(), segment(100, 1, seed=3)
    within = judge.sliding_scores(rows[10:90], 0, 0)
    np.testing.assert_array_equal(judge.sliding_scores(rows, 10, 10), within)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("basis", (12, 5), r"basis has the shape \(12, 5\), not \(36, 16\)"),
        ("center", (7,), r"center has the shape \(7,\), not \(36\)"),
        ("weights", (1,), r"weights has the shape \(1,\), not \(3\)"),
        ("typical", (3,), r"typical has the shape \(3,\), not \(2\)"),
        ("memory.points", (9, 3), r"memory\.points has the shape \(9, 3\), not \(9, 16\)"),
    ],
)
def test_arrays_of_another_shape_are_refused(name: str, shape: tuple[int, ...], message: str) -> None:
    values = {key: tensor.numpy() for key, tensor in fitted(3).state_dict().items()}
    values[name] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=f"^{message}$"):
        PatchEvaluation(WindowLayout(STEPS, 3), CONFIG, Arrays(values))


def test_arrays_that_are_absent_are_refused() -> None:
    values = {key: tensor.numpy() for key, tensor in fitted(3).state_dict().items() if key != "center"}
    with pytest.raises(KeyError, match="center"):
        PatchEvaluation(WindowLayout(STEPS, 3), CONFIG, Arrays(values))
