"""What every architecture for tables owes: one suite over the registry, so that a new one is covered."""

import re

import numpy as np
import pytest
import torch
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.errors import UsageError
from aedetect.models.base import Autoencoder, CrossFitted
from aedetect.models.device import placed
from aedetect.models.ensemble import member_errors
from aedetect.models.registry import ARCHITECTURES, EVALUATIONS, build, evaluation_of
from aedetect.models.threads import single_threaded

LAYOUTS = {
    "mixed": layout(3, 4, 6, gaps=True),
    "numbers": layout(3, gaps=True),
    "categories": layout(0, 4, 6),
    "one": layout(1),
}


def fitted(architecture: str, kind: str) -> Autoencoder:
    torch.manual_seed(0)
    built = build(LAYOUTS[kind], ModelConfig(architecture=architecture, width=16)).eval()
    with torch.no_grad():
        validation, learned = rows(built, 64), rows(built, 200, seed=2)
        built.fit_score_normalisation(validation, learned, torch.arange(200) % 7 == 0)
    return built


@pytest.fixture(params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=LAYOUTS)
def model(request: pytest.FixtureRequest, architecture: str) -> Autoencoder:
    return fitted(architecture, request.param)


def rows(model: Autoencoder, count: int, seed: int = 0) -> torch.Tensor:
    """Encoded rows [count, features], a tenth of the numbers missing."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal((count, model.layout.numeric)).astype(np.float32)
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    codes = [random.integers(0, size, count) for size in model.layout.cardinalities]
    return torch.from_numpy(np.column_stack([numbers, *codes]).astype(np.float32))


@pytest.mark.parametrize("training", [True, False])
def test_errors_have_the_shape_of_the_batch_and_are_finite_and_not_negative(
    model: Autoencoder, training: bool
) -> None:
    batch = rows(model, 32)
    errors = model.train(training).errors(batch)
    assert errors.shape == batch.shape
    assert torch.isfinite(errors).all()
    assert (errors >= 0).all()


def test_a_penalty_is_one_finite_number_a_row(model: Autoencoder) -> None:
    penalty = model.train().penalty(rows(model, 32))
    assert penalty is None or (penalty.shape == (32,) and bool(torch.isfinite(penalty).all()))


def test_vectors_are_finite_points(model: Autoencoder) -> None:
    vectors = model.vectors(rows(model, 32))
    assert vectors.dim() == 2
    assert len(vectors) == 32
    assert torch.isfinite(vectors).all()


def test_evaluation_draws_nothing_at_random(model: Autoencoder) -> None:
    batch = rows(model, 16)
    state = torch.get_rng_state()
    assert torch.equal(model.errors(batch), model.errors(batch))
    judge = model.evaluation()
    assert torch.equal(judge.reconstruct(batch), judge.reconstruct(batch))
    assert torch.equal(torch.get_rng_state(), state)


def test_training_draws_noise(model: Autoencoder) -> None:
    batch = rows(model, 64)
    model.train()
    assert not torch.equal(model.errors(batch), model.errors(batch))


def test_a_seed_repeats_what_training_draws(model: Autoencoder) -> None:
    batch = rows(model, 64)
    model.train()
    torch.manual_seed(1)
    first = model.errors(batch)
    torch.manual_seed(1)
    assert torch.equal(model.errors(batch), first)


def test_every_weight_can_be_learned(model: Autoencoder) -> None:
    model.train().errors(rows(model, 256)).mean().backward()
    # What judges the parts is trained after them, by itself.
    judge = set(model.judge.parameters()) if isinstance(model, CrossFitted) else set()
    idle = [name for name, weight in model.named_parameters() if weight.grad is None and weight not in judge]
    assert idle == []


def test_a_row_is_scored_by_itself(model: Autoencoder) -> None:
    batch = rows(model, 1024)
    changed = batch.clone()
    changed[1:] = rows(model, 1023, seed=1)
    assert torch.equal(model.errors(batch)[0], model.errors(changed)[0])


def test_scores_depend_neither_on_the_size_of_batches_nor_on_order(model: Autoencoder) -> None:
    judge, matrix = model.settled(), rows(model, 1500, seed=3).numpy()
    with single_threaded("cpu"):
        whole = member_errors(judge, matrix, "cpu")
        parts = [member_errors(judge, part, "cpu") for part in np.split(matrix, [1, 700])]
        turned = member_errors(judge, matrix[::-1], "cpu")[::-1]
    assert whole.dtype == np.float32
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(turned, whole)


def test_numpy_and_torch_come_to_the_same(model: Autoencoder) -> None:
    judge, batch = model.settled(), rows(model, 300, seed=4)
    errors, expected = judge.errors(batch.numpy()), model.evaluation().errors(batch).detach().numpy()
    # What is left of distances that are nothing beside the points' own lengths is mostly rounding.
    loose = model.config.architecture == "memory"
    np.testing.assert_allclose(errors, expected, rtol=0.05 if loose else 1e-3, atol=1e-5)
    rebuilt = model.evaluation().reconstruct(batch).detach().numpy()
    np.testing.assert_allclose(judge.reconstruct(batch.numpy()), rebuilt, rtol=1e-3, atol=1e-4)


def test_the_arrays_of_a_file_are_the_model(model: Autoencoder) -> None:
    arrays = placed({name: values.numpy() for name, values in model.state_dict().items()}, "cpu")
    judge = evaluation_of(model.layout, model.config, arrays)
    batch = rows(model, 100).numpy()
    assert np.array_equal(judge.errors(batch), model.settled().errors(batch))
    assert set(judge.arrays.values) == set(model.state_dict())


@pytest.mark.parametrize("fault", ["lacking", "stray", "shape"])
def test_arrays_that_are_no_such_model_are_refused(model: Autoencoder, fault: str) -> None:
    arrays = {name: values.numpy() for name, values in model.state_dict().items()}
    # Older models have no gate, and are judged without one.
    names = set(arrays) - ({"gate"} if fault == "lacking" else set())
    for name in names if fault != "stray" else ["stray"]:
        others = {key: values for key, values in arrays.items() if key != name}
        if fault != "lacking":
            others[name] = np.zeros((3, 2, 2, 2), np.float32)
        with pytest.raises((KeyError, ValueError), match=re.escape(name)):
            evaluation_of(model.layout, model.config, placed(others, "cpu"))


def test_an_empty_batch_has_no_errors(model: Autoencoder) -> None:
    assert model.errors(rows(model, 0)).shape == (0, model.layout.width)


def test_extremes_give_large_finite_errors(architecture: str) -> None:
    model = fitted(architecture, "numbers")
    normal = rows(model, 64)
    extreme = normal[:1].nan_to_num(0.0)
    extreme[0, 0] = 710.0
    found = model.errors(extreme)
    assert torch.isfinite(found).all()
    assert found.sum() > 20 * model.errors(normal).sum(dim=1).median()


def test_a_missing_number_that_never_was_missing_is_an_error(architecture: str) -> None:
    torch.manual_seed(0)
    model = build(LAYOUTS["one"], ModelConfig(architecture=architecture, width=16)).eval()
    assert model.errors(torch.tensor([[torch.nan]])).item() > model.errors(torch.tensor([[0.1]])).item()


def test_reconstruction_is_an_encoded_row(model: Autoencoder) -> None:
    values = model.evaluation().reconstruct(rows(model, 16))
    assert values.shape == (16, model.layout.width)
    assert torch.isfinite(values).all()
    for index, size in enumerate(model.layout.cardinalities):
        codes = values[:, model.layout.numeric + index]
        assert ((codes >= 0) & (codes < size) & (codes == codes.round())).all()


def test_weights_and_buffers_restore_a_model(model: Autoencoder) -> None:
    stored = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    other = build(model.layout, model.config)
    other.load_state_dict(stored)
    batch = rows(model, 16)
    assert torch.equal(other.eval().errors(batch), model.errors(batch))
    assert torch.equal(other.evaluation().reconstruct(batch), model.evaluation().reconstruct(batch))
    again = other.state_dict()
    assert list(again) == list(stored)
    assert all(torch.equal(again[name], tensor) for name, tensor in stored.items())


def test_tensors_that_are_no_such_model_are_refused(model: Autoencoder) -> None:
    stored = dict(model.state_dict())
    left_out = next(iter(stored))
    stored["stray"] = stored.pop(left_out)
    with pytest.raises(RuntimeError, match="(?s)Missing key.*Unexpected key"):
        build(model.layout, model.config).load_state_dict(stored)


def test_fitting_again_replaces_what_was_fitted(architecture: str) -> None:
    model, fresh = fitted(architecture, "mixed"), fitted(architecture, "mixed")
    others, none = rows(model, 300, seed=9), torch.zeros(300, dtype=torch.bool)
    with torch.no_grad():
        model.fit_score_normalisation(rows(model, 50, seed=8), others.flip(0), none)
        torch.manual_seed(1)
        model.fit_score_normalisation(rows(model, 64), others, none)
        torch.manual_seed(1)
        fresh.fit_score_normalisation(rows(model, 64), others, none)
    batch = rows(model, 16)
    assert torch.equal(model.errors(batch), fresh.errors(batch))


def test_unknown_architecture_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="^unknown architecture 'denoisin'; did you mean 'denoising'?"):
        build(LAYOUTS["one"], ModelConfig(architecture="denoisin"))


def test_every_architecture_has_its_evaluation_pass(model: Autoencoder) -> None:
    module, _, name = EVALUATIONS[model.config.architecture].partition(":")
    assert (type(model).evaluation_class.__module__, type(model).evaluation_class.__name__) == (module, name)
    assert list(EVALUATIONS) == list(ARCHITECTURES)
