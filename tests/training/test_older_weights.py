"""Beginning with the weights of an older model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aedetect.models.base import CrossFitted
from aedetect.models.registry import build
from aedetect.scoring.fitted import FittedModel
from aedetect.training.older_weights import load_weights
from aedetect.training.warm_start import Start


@pytest.fixture(scope="module")
def older(tiny_model: Path) -> FittedModel:
    return FittedModel.load(tiny_model, device="cpu")


def test_weights_are_taken_over_and_used_again_where_there_are_more_networks(older: FittedModel) -> None:
    start = Start.of(older, "trained on")
    stored = older.members[0].arrays.values
    expected = {name: torch.from_numpy(stored[name]) for name in stored}
    for networks in (1, 2, 3):
        model = build(older.encoder.layout, older.config.model)
        assert isinstance(model, CrossFitted)
        model.prepare(torch.zeros(8, older.encoder.layout.width), networks)
        load_weights(start, model, 0)
        for name, weights in model.named_parameters():
            again = torch.cat([expected[name]] * networks)[: len(weights)]
            assert torch.equal(weights, again), name
