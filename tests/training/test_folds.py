"""One network, or one for each fold of a small table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.config import TrainingConfig
from aedetect.io.inputs import as_inputs
from aedetect.models.ensemble import member_errors
from aedetect.models.threads import single_threaded
from aedetect.training.folds import Folds
from aedetect.training.split import TrainingRows

CPU = torch.device("cpu")
QUICK = {
    "model.architecture": "bottleneck",
    "model.width": 8,
    "training.epochs": 2,
    "training.device": "cpu",
}


def numbered(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.float32)[:, None]


def planned(rows: int, **training: Any) -> Folds:
    return Folds.of_matrix(numbered(rows), TrainingConfig(**training), CPU)


@given(st.integers(10, 300), st.sampled_from([None, 2, 3, 8]), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_each_row_calibrates_the_one_network_that_never_saw_it(
    rows: int, count: int | None, seed: int
) -> None:
    plan = planned(rows, folds=count, seed=seed)
    assert len(plan.parts) == (count or 5)
    assert sorted(np.concatenate([part.calibration[:, 0] for part in plan.parts])) == list(range(rows))
    for part in plan.parts:
        learned = torch.cat(list(part.feed.epoch(0))).numpy()
        everything = np.concatenate([learned, part.validation, part.calibration])[:, 0]
        assert sorted(everything) == list(range(rows))
    assert plan.feed is plan.parts[0].feed
    assert plan.calibration is plan.parts[0].calibration


def test_many_rows_have_one_network() -> None:
    (part,) = planned(300, fold_below=300).parts
    assert part.feed.rows + len(part.validation) + len(part.calibration) == 300
    assert len(part.calibration) == 60
    assert len(planned(299, fold_below=300).parts) == 5


def test_each_network_is_fed_in_an_order_of_its_own() -> None:
    orders = [next(part.feed.epoch(0))[:, 0].numpy() for part in planned(200, folds=2, batch_size=200).parts]
    ranks = [np.searchsorted(np.sort(order), order) for order in orders]
    assert not np.array_equal(*(rank[:60] for rank in ranks))


@pytest.mark.parametrize(("training", "description"), [
    ({"training.folds": 3}, "cross-conformal"),
    ({"training.fold_below": 0}, "split-conformal"),
])  # fmt: skip
def test_calibration_scores_are_those_of_the_network_that_never_saw_the_row(
    training: dict[str, Any], description: str
) -> None:
    detector = Detector({**QUICK, **training}).fit(tiny_frame(150))
    model = detector.fitted
    inputs = as_inputs(tiny_frame(150), model.config.data)
    matrix = TrainingRows(inputs, model.encoder, model.config).matrix(150)[0]
    plan = Folds.of_matrix(matrix, model.config.training, CPU)
    assert len(model.members) == len(plan.parts)
    assert model.training.calibration == description
    with single_threaded("cpu"):
        parts = [
            member_errors(network, part.calibration, "cpu").mean(axis=1)
            for network, part in zip(model.members, plan.parts, strict=True)
        ]
    expected = np.sort(np.concatenate(parts))
    np.testing.assert_allclose(model.calibration.scores * float(model.scale), expected, rtol=1e-4)


def test_networks_begin_and_end_with_weights_of_their_own() -> None:
    members = Detector({**QUICK, "training.folds": 2}).fit(tiny_frame(60)).fitted.members
    first, second = (next(iter(network.arrays.values.values())) for network in members)
    assert not np.array_equal(first, second)
