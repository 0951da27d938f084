"""The convolutional denoiser of windows as it judges, by numpy and by torch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from aedetect.config import ModelConfig
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.convolutional import ConvolutionalEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.windows.convolutional import ConvolutionalAutoencoder

STEPS = 24
CONFIG = ModelConfig(architecture="convolutional")


def segment(rows: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, channels)).astype(np.float32)


def batch_of(count: int, channels: int, seed: int = 0) -> np.ndarray:
    return segment(count * STEPS, channels, seed).reshape(count, STEPS, channels)


@cache
def fitted(channels: int) -> ConvolutionalAutoencoder:
    torch.manual_seed(0)
    model = ConvolutionalAutoencoder(WindowLayout(STEPS, channels), CONFIG).eval()
    with torch.no_grad():
        # The last layer begins next to nothing.
        model.exit.weight.mul_(10)
    windows = torch.from_numpy(batch_of(100, channels))
    model.fit_score_normalisation(windows[:40], windows, torch.zeros(100, dtype=torch.bool))
    return model


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 3])
def test_numpy_and_torch_say_the_same(channels: int) -> None:
    model, rows, batch = fitted(channels), segment(200, channels, 1), batch_of(150, channels, 1)
    in_numpy, in_torch = model.settled(), model.evaluation()
    slid = in_torch.sliding_scores(torch.from_numpy(rows), 3, 5).numpy()
    np.testing.assert_allclose(in_numpy.sliding_scores(rows, 3, 5), slid, rtol=1e-5)
    errors = in_torch.errors(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(in_numpy.errors(batch), errors, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(in_numpy.errors(batch).mean(axis=(1, 2)), errors.mean(axis=(1, 2)), rtol=1e-5)
    rebuilt = in_torch.reconstruct(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(in_numpy.reconstruct(batch), rebuilt, rtol=1e-5, atol=1e-5)


def test_what_training_lessens_follows_the_same_network() -> None:
    model, batch = fitted(3), torch.from_numpy(batch_of(50, 3, 2))
    judge = model.settled()
    assert isinstance(judge, ConvolutionalEvaluation)
    torch.manual_seed(1)
    learned = model.objective(batch)
    torch.manual_seed(1)
    sigma = 0.1 * torch.exp(np.log(10.0) * torch.rand(50, 1, 1))
    noisy = batch + sigma * torch.randn_like(batch)
    settled = judge.errors_at(batch.numpy(), noisy.numpy(), sigma.numpy())
    np.testing.assert_allclose(learned.detach().numpy(), settled, rtol=1e-3, atol=1e-4)
    learned.mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_window_is_judged_alike_wherever_it_stands() -> None:
    judge, batch = fitted(3).settled(), batch_of(300, 3, 3)
    whole = judge.errors(batch)
    for first, end in [(0, 1), (5, 130), (299, 300)]:
        np.testing.assert_array_equal(judge.errors(batch[first:end]), whole[first:end])


@pytest.mark.parametrize("start", [1, 15, 64, 100])
def test_scores_do_not_depend_on_the_cut(start: int) -> None:
    judge, rows = fitted(3).settled(), segment(400, 3, 4)
    whole, left = judge.sliding_scores(rows, 0, 0), min(start, judge.margin)
    part = judge.sliding_scores(rows[start - left : 300 + judge.margin], left, judge.margin)
    np.testing.assert_array_equal(part, whole[start : 300 - STEPS + 1])


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("entrance.weight", (24, 3, 1), r"entrance\.weight has the shape \(24, 3, 1\), not \(24, 4, 1\)"),
        ("layers.2.bias", (7,), r"layers\.2\.bias has the shape \(7,\), not \(24\)"),
        ("exit.weight", (1, 24, 1), r"exit\.weight has the shape \(1, 24, 1\), not \(3, 24, 1\)"),
        ("reference", (2,), r"reference has the shape \(2,\), not \(\)"),
    ],
)
def test_arrays_of_another_shape_are_refused(name: str, shape: tuple[int, ...], message: str) -> None:
    values = {key: tensor.numpy() for key, tensor in fitted(3).state_dict().items()}
    values[name] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=f"^{message}$"):
        ConvolutionalEvaluation(WindowLayout(STEPS, 3), CONFIG, Arrays(values))
