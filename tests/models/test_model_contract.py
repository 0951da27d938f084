"""What every architecture owes: one suite over the registry."""

import numpy as np
import pytest
import torch
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.errors import UsageError
from aedetect.models.registry import ARCHITECTURES, build

LAYOUTS = {
    "mixed": layout(3, 4, 6, gaps=True),
    "numbers": layout(3, gaps=True),
    "categories": layout(0, 4, 6),
    "one": layout(1),
}


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return request.param


@pytest.fixture(params=LAYOUTS)
def model(request, architecture):
    torch.manual_seed(0)
    built = build(LAYOUTS[request.param], ModelConfig(architecture=architecture, width=16)).eval()
    with torch.no_grad():
        built.fit_score_normalisation(rows(built, 64), rows(built, 200, seed=2), torch.arange(200) % 7 == 0)
    return built


def rows(model, count: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((count, model.layout.numeric)).astype(np.float32)
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    codes = [random.integers(0, size, count) for size in model.layout.cardinalities]
    return torch.from_numpy(np.column_stack([numbers, *codes]).astype(np.float32))


@pytest.mark.parametrize("training", [True, False])
def test_errors_have_the_shape_of_the_batch_and_are_finite_and_not_negative(model, training):
    batch = rows(model, 32)
    errors = model.train(training).errors(batch)
    assert errors.shape == batch.shape
    assert torch.isfinite(errors).all()
    assert (errors >= 0).all()


def test_evaluation_draws_nothing_at_random(model):
    batch = rows(model, 16)
    assert torch.equal(model.errors(batch), model.errors(batch))


def test_training_draws_noise(model):
    batch = rows(model, 64)
    assert not torch.equal(model.train().errors(batch), model.errors(batch))


def test_every_weight_can_be_learned(model):
    model.train().errors(rows(model, 256)).mean().backward()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert idle == []


def test_a_row_is_judged_by_itself(model):
    batch = rows(model, 1024)
    changed = batch.clone()
    changed[1:] = rows(model, 1023, seed=1)
    assert torch.equal(model.errors(batch)[0], model.errors(changed)[0])


def test_extremes_give_large_finite_errors(architecture):
    torch.manual_seed(0)
    model = build(LAYOUTS["numbers"], ModelConfig(architecture=architecture, width=16)).eval()
    normal = rows(model, 64)
    with torch.no_grad():
        model.fit_score_normalisation(normal, rows(model, 200, seed=2), torch.arange(200) % 7 == 0)
    extreme = normal[:1].nan_to_num(0.0)
    extreme[0, 0] = 710.0
    found = model.errors(extreme)
    assert torch.isfinite(found).all()
    assert found.sum() > 20 * model.errors(normal).sum(dim=1).median()


def test_a_missing_number_that_never_was_missing_is_an_error(architecture):
    torch.manual_seed(0)
    model = build(LAYOUTS["one"], ModelConfig(architecture=architecture, width=16)).eval()
    assert model.errors(torch.tensor([[torch.nan]])).item() > model.errors(torch.tensor([[0.1]])).item()


def test_reconstruction_is_an_encoded_row(model):
    values = model.reconstruct(rows(model, 16))
    assert values.shape == (16, model.layout.width)
    assert torch.isfinite(values).all()
    for index, size in enumerate(model.layout.cardinalities):
        codes = values[:, model.layout.numeric + index]
        assert ((codes >= 0) & (codes < size) & (codes == codes.round())).all()


def test_weights_and_buffers_restore_a_model(model):
    other = build(model.layout, model.config)
    other.load_state_dict(model.state_dict())
    batch = rows(model, 16)
    assert torch.equal(other.eval().errors(batch), model.errors(batch))


def test_unknown_architecture_is_wrong_use():
    with pytest.raises(UsageError, match="^unknown architecture 'denoisin'; did you mean 'denoising'?"):
        build(LAYOUTS["one"], ModelConfig(architecture="denoisin"))
