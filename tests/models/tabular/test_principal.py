"""Linear autoencoders for tables of categories."""

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from support.layouts import layout

from aedetect import Detector
from aedetect.config import ModelConfig
from aedetect.models.registry import build
from aedetect.models.tabular.principal import PrincipalAutoencoder

KINDS = np.array(["red", "green", "blue"])


def rows(count: int, seed: int, mixed: bool = False) -> pd.DataFrame:
    """Three columns that always agree; mixed: one of them does not."""
    random = np.random.default_rng(seed)
    codes = np.repeat(random.integers(0, 3, count)[:, None], 3, axis=1)
    if mixed:
        codes[:, 1] = (codes[:, 1] + random.integers(1, 3, count)) % 3
    noise = random.choice(["x", "y", "z"], (count, 2))
    return pd.DataFrame(np.column_stack([KINDS[codes], noise]), columns=list("abcde"))


def test_a_table_of_categories_gets_it_by_default() -> None:
    assert isinstance(build(layout(0, 3, 3), ModelConfig(width=8)), PrincipalAutoencoder)
    assert not isinstance(build(layout(1, 3, 3), ModelConfig(width=8)), PrincipalAutoencoder)


def test_common_categories_in_a_combination_never_seen_stand_out() -> None:
    detector = Detector({"training.epochs": 20, "training.folds": 2, "model.width": 16}).fit(rows(300, 0))
    found = detector.score(pd.concat([rows(200, 1), rows(20, 2, mixed=True)], ignore_index=True))
    assert roc_auc_score([0] * 200 + [1] * 20, found.anomaly_score) > 0.99
    assert found.anomaly_features[200:].notna().all()


def test_wide_tables_get_few_components() -> None:
    torch.manual_seed(0)
    model = build(layout(600), ModelConfig(architecture="principal", width=8)).eval()
    learned = torch.randn(300, 4) @ torch.randn(4, 600) + 0.1 * torch.randn(300, 600)
    with torch.no_grad():
        model.fit_score_normalisation(learned[:50], learned, torch.zeros(300, dtype=torch.bool))
    assert model.basis.shape[0] == 600
    assert model.basis.shape[1] <= 4
    other = build(layout(600), model.config)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.eval().errors(learned), model.errors(learned))
