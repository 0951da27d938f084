"""What every architecture for time series owes, over the registry, and what is particular to each."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from aedetect.config import ModelConfig
from aedetect.errors import UsageError
from aedetect.models.base import WindowAutoencoder
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.live import as_tensor
from aedetect.models.registry import SERIES_ARCHITECTURES, build_series
from aedetect.models.windows.patches import PatchAutoencoder

STEPS, CHANNELS = 12, 3
LAYOUT = WindowLayout(STEPS, CHANNELS)


def waves(count: int, seed: int = 0, channels: int = CHANNELS) -> Tensor:
    """Windows [count, steps, channels] cut anywhere from noisy waves of one period."""
    random = torch.Generator().manual_seed(seed)
    phase = 6.28 * torch.rand(count, 1, 1, generator=random) + torch.arange(channels)
    clean = (torch.arange(STEPS)[None, :, None] * 0.5 + phase).sin()
    return clean + 0.1 * torch.randn(count, STEPS, channels, generator=random)


def fitted(name: str) -> WindowAutoencoder:
    torch.manual_seed(0)
    model = build_series(LAYOUT, ModelConfig(architecture=name)).eval()
    with torch.no_grad():
        model.fit_score_normalisation(waves(50, 1), waves(400), torch.zeros(400, dtype=torch.bool))
    return model


def judged(model: WindowAutoencoder, windows: Tensor) -> Tensor:
    """Errors as scoring has them."""
    return as_tensor(model.settled().errors(windows.numpy()))


def sliding(model: WindowAutoencoder, segment: Tensor, left: int, right: int) -> Tensor:
    return as_tensor(model.settled().sliding_scores(segment.numpy(), left, right))


@pytest.fixture(params=SERIES_ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> WindowAutoencoder:
    return fitted(request.param)


@torch.no_grad()
@pytest.mark.parametrize("training", [True, False])
def test_errors_are_unreduced_finite_and_not_negative(model: WindowAutoencoder, training: bool) -> None:
    extremes = torch.cat([waves(5, 2), 1e4 * waves(5, 3), torch.zeros(1, STEPS, CHANNELS)])
    errors = model.train(training).errors(extremes)
    assert errors.shape == (11, STEPS, CHANNELS)
    assert errors.isfinite().all()
    assert (errors >= 0).all()


@torch.no_grad()
def test_what_was_expected_has_the_shape_of_what_was_seen(model: WindowAutoencoder) -> None:
    expected = as_tensor(model.settled().reconstruct(waves(4, 2).numpy()))
    assert expected.shape == (4, STEPS, CHANNELS)
    assert expected.isfinite().all()


@torch.no_grad()
def test_vectors_are_finite_points(model: WindowAutoencoder) -> None:
    vectors = model.vectors(waves(4, 2))
    assert vectors.shape == (4, LAYOUT.width)
    assert vectors.isfinite().all()


@torch.no_grad()
def test_evaluation_draws_nothing_at_random(model: WindowAutoencoder) -> None:
    batch, state = waves(4, 2), torch.get_rng_state()
    assert torch.equal(model.errors(batch), model.errors(batch))
    judge = model.evaluation()
    assert torch.equal(judge.reconstruct(batch), judge.reconstruct(batch))
    assert torch.equal(torch.get_rng_state(), state)


@torch.no_grad()
def test_a_window_is_scored_by_itself(model: WindowAutoencoder) -> None:
    batch = waves(64, 2)
    changed = torch.cat([batch[:1], waves(63, 3)])
    assert torch.equal(judged(model, batch)[0], judged(model, changed)[0])
    assert torch.equal(judged(model, batch[:1])[0], judged(model, batch)[0])


@torch.no_grad()
def test_sliding_scores_are_what_windows_say(model: WindowAutoencoder) -> None:
    segment = waves(1, 4)[0].repeat(4, 1)
    scores = sliding(model, segment, 0, 0)
    assert scores.shape == (len(segment) - STEPS + 1,)
    if not model.settled().margin:
        windows = segment.unfold(0, STEPS, 1).transpose(1, 2)
        torch.testing.assert_close(scores, judged(model, windows).mean(dim=(1, 2)), rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_context_around_a_segment_is_in_no_window(model: WindowAutoencoder) -> None:
    segment = waves(1, 4)[0].repeat(8, 1)
    margin = model.settled().margin
    whole = sliding(model, segment, 0, 0)
    part = sliding(model, segment[20 - margin : 60 + margin], margin, margin)
    torch.testing.assert_close(part, whole[20 : 60 - STEPS + 1], rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_a_model_file_holds_all_it_takes(model: WindowAutoencoder) -> None:
    stored = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    other = build_series(LAYOUT, model.config).eval()
    other.load_state_dict(stored)
    assert torch.equal(judged(other, waves(9, 5)), judged(model, waves(9, 5)))
    again = other.state_dict()
    assert list(again) == list(stored)
    assert all(torch.equal(again[name], tensor) for name, tensor in stored.items())


@torch.no_grad()
def test_a_model_of_all_windows_merges_its_folds(model: WindowAutoencoder) -> None:
    name = model.config.architecture
    model.merge_folds([fitted(name), fitted(name)])
    assert judged(model, waves(9, 5)).isfinite().all()


@torch.no_grad()
def test_the_obvious_stands_out(model: WindowAutoencoder) -> None:
    odd = waves(20, 6)
    odd[:, ::2] += 3
    found = judged(model, torch.cat([waves(20, 7), odd])).mean(dim=(1, 2))
    assert found[20:].min() > found[:20].max()


def test_an_unknown_name_is_wrong_use() -> None:
    with pytest.raises(
        UsageError, match=r"^unknown architecture 'patchs'; did you mean 'patches'\? \(for time"
    ):
        build_series(LAYOUT, ModelConfig(architecture="patchs"))


@torch.no_grad()
def test_what_no_code_can_hold_is_not_drowned_by_the_memory() -> None:
    model = fitted("patches")
    faint = waves(20, 8)
    # Small beside the waves, but across all that windows do.
    faint += 0.5 * (torch.arange(STEPS) % 2 * 2 - 1)[None, :, None]
    found = judged(model, torch.cat([waves(20, 9), faint])).mean(dim=(1, 2))
    assert found[20:].min() > found[:20].max()


@torch.no_grad()
def test_a_channel_that_drifts_weighs_less() -> None:
    model = fitted("patches")
    assert isinstance(model, PatchAutoencoder)
    drifting = waves(400)
    drifting[:, :, 0] += torch.linspace(-20, 20, 400)[:, None]
    model.fit_score_normalisation(drifting[::8], drifting, torch.zeros(400, dtype=torch.bool))
    assert model.weights[0] < 0.1
    assert (model.weights[1:] > 0.8).all()


@torch.no_grad()
def test_one_channel_is_never_weighed() -> None:
    model = PatchAutoencoder(WindowLayout(STEPS, 1), ModelConfig())
    drifting = waves(400, channels=1) + torch.linspace(-20, 20, 400)[:, None, None]
    model.fit_score_normalisation(drifting[::8], drifting, torch.zeros(400, dtype=torch.bool))
    assert model.weights.tolist() == [1.0]


@torch.no_grad()
def test_a_model_of_all_windows_takes_what_is_typical_from_those_that_left_some_out() -> None:
    whole, folds = fitted("patches"), [fitted("patches"), fitted("patches"), fitted("patches")]
    for fold, typical in zip(folds, (1.0, 5.0, 3.0), strict=True):
        assert isinstance(fold, PatchAutoencoder)
        fold.typical.fill_(typical)
    whole.merge_folds(folds)
    assert isinstance(whole, PatchAutoencoder)
    assert whole.typical.tolist() == [3.0, 3.0]
