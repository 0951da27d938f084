"""The networks behind codes, imputation and new rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.layouts import layout

from aedetect.config import Config
from aedetect.data.arrays import Floats, Matrix
from aedetect.errors import UsageError
from aedetect.models.evaluation.heads import AuxiliaryHeads
from aedetect.training.feed import MemoryFeed
from aedetect.training.fit_auxiliary import fit_auxiliary_heads

CPU = torch.device("cpu")
QUICK = {"training.epochs": 4, "training.batch_size": 64, "model.width": 16}


def plane(rows: int, seed: int = 0) -> Matrix:
    """Four columns that two numbers make up."""
    two = np.random.default_rng(seed).standard_normal((rows, 2))
    return np.column_stack([two, two.sum(axis=1), two[:, 0] - two[:, 1]]).astype(np.float32)


def heads(calibration: int = 60, **settings: object) -> AuxiliaryHeads:
    changed = {name.replace("__", "."): value for name, value in settings.items()}
    config = Config.build(overrides=QUICK | changed)
    feed = MemoryFeed(plane(240), 64, 0, CPU)
    return fit_auxiliary_heads(feed, plane(calibration, 1), layout(4), config, CPU, 4)


def values(found: AuxiliaryHeads) -> Floats:
    return np.concatenate([array.astype(np.float64).ravel() for array in found.arrays.values.values()])


def test_same_seed_same_networks_and_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = heads()
    assert torch.equal(torch.rand(2), expected)
    assert np.array_equal(values(first), values(heads()))
    assert not np.array_equal(values(first), values(heads(training__seed=1)))


def test_two_numbers_tell_a_row_of_a_plane() -> None:
    assert heads().codes.errors(plane(100, 2)).mean() < 0.05


def test_a_code_is_shorter_than_a_row_unless_another_length_is_asked_for() -> None:
    """The more columns of noise there are, the more numbers 90% of their variance would need."""
    config = Config.build(overrides=QUICK)
    for columns, size in ((1, 1), (2, 1), (3, 2), (4, 2), (8, 4), (9, 5), (30, 15)):
        rows = np.random.default_rng(0).standard_normal((300, columns)).astype(np.float32)
        feed = MemoryFeed(rows, 64, 0, CPU)
        found = fit_auxiliary_heads(feed, rows[:0], layout(columns), config, CPU, columns)
        assert found.codes.size == size, columns


def test_features_of_one_column_do_not_make_a_code_longer() -> None:
    """A date is several features, a category one for each of its values."""
    config = Config.build(overrides=QUICK)
    rows = np.random.default_rng(0).standard_normal((300, 12)).astype(np.float32)
    found = fit_auxiliary_heads(MemoryFeed(rows, 64, 0, CPU), rows[:0], layout(12), config, CPU, 3)
    assert found.codes.size == 2


def test_a_code_is_as_long_as_asked_for_and_no_longer_than_a_row() -> None:
    assert heads(model__latent_dim=3).codes.basis.shape[1] == 3
    with pytest.raises(UsageError) as caught:
        heads(model__latent_dim=5)
    assert str(caught.value) == ("model.latent_dim = 5: the learned columns make 4 values; choose at most 4")


def test_rows_that_may_be_anomalies_are_not_learned() -> None:
    wary = heads(training__contamination="auto")
    assert len(wary.repair.memory) < len(heads().repair.memory)
