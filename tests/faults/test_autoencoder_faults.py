"""The known faults of autoencoders: each shown in a plain one, then absent from the default."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from aedetect import Detector
from aedetect.config import ModelConfig, TrainingConfig
from aedetect.models.auxiliary.latent import LatentAutoencoder
from aedetect.models.tabular.bottleneck import BottleneckAutoencoder
from aedetect.training.feed import MemoryFeed
from aedetect.training.loop import Hooks, train

from support.layouts import layout  # isort: skip

COLUMNS = list("abcdef")
ONE_NETWORK = {"training.fold_below": 0, "training.device": "cpu"}
PLAIN = {**ONE_NETWORK, "model.architecture": "bottleneck"}


def line(where: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    """Rows along one line through six columns, with a little noise, at the places `where` [rows]."""
    direction = np.array([1.0, -1.0, 0.5, 2.0, -0.5, 1.5])
    values = where[:, None] * direction + 0.1 * random.standard_normal((len(where), 6))
    return pd.DataFrame(values, columns=COLUMNS)


def two_ends(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return line(random.choice([-3.0, 3.0], rows) + 0.3 * random.standard_normal(rows), random)


def between(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return line(random.uniform(-1.5, 1.5, rows), random)


def auroc(detector: Detector, normal: pd.DataFrame, anomalies: pd.DataFrame) -> float:
    scores = detector.score(pd.concat([normal, anomalies], ignore_index=True))["anomaly_score"]
    labels = np.repeat([0, 1], [len(normal), len(anomalies)])
    return float(roc_auc_score(labels, scores))


@pytest.mark.slow
def test_anomalies_between_clusters_are_rebuilt_too_well_but_not_by_the_default() -> None:
    """What lies on the manifold between clusters, a bottleneck rebuilds as if it had seen it."""
    learned, normal, strange = two_ends(1500, 0), two_ends(300, 1), between(300, 2)
    assert auroc(Detector(PLAIN).fit(learned), normal, strange) < 0.95
    assert auroc(Detector(ONE_NETWORK).fit(learned), normal, strange) > 0.99


def curved(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    turn = random.uniform(0, 2 * np.pi, rows)
    parts = [np.sin(turn), np.cos(turn), np.sin(2 * turn), np.cos(2 * turn), turn, -turn]
    return pd.DataFrame(np.stack(parts, axis=1) + 0.1 * random.standard_normal((rows, 6)), columns=COLUMNS)


def intruders(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(2.5 + 0.2 * random.standard_normal((rows, 6)), columns=COLUMNS)


@pytest.mark.slow
def test_hidden_anomalies_are_learned_but_not_when_they_may_be_there() -> None:
    """A group of anomalies among the training rows teaches a plain network to rebuild its kind."""
    learned = pd.concat([curved(1425, 0), intruders(75, 1)], ignore_index=True)
    normal, strange = curved(300, 2), intruders(300, 3)
    plain = auroc(Detector(PLAIN).fit(learned), normal, strange)
    wary = auroc(Detector({**ONE_NETWORK, "training.contamination": "auto"}).fit(learned), normal, strange)
    assert plain < 0.9
    assert wary > 0.95


@pytest.mark.slow
def test_rows_learned_by_heart_do_not_set_the_threshold() -> None:
    """Errors on the rows learned from are too small: a threshold from them flags too many fresh rows."""
    learned, fresh = curved(60, 0), curved(2000, 1)
    plain = Detector({**PLAIN, "training.epochs": 1000, "training.patience": 100}).fit(learned)
    by_heart = np.quantile(plain.score(learned)["anomaly_score"], 0.95)
    assert (plain.score(fresh)["anomaly_score"] > by_heart).mean() > 0.1
    default = Detector({"threshold.alert_rate": 0.05, "training.device": "cpu"}).fit(learned)
    assert default.score(fresh)["is_anomaly"].mean() < 0.1


@pytest.mark.slow
def test_convergence_is_slow_from_nothing_but_not_from_principal_components() -> None:
    """Steps until held-out rows are rebuilt as well as a plain bottleneck does at the end of its run."""
    random = np.random.default_rng(0)
    mixed = random.standard_normal((3000, 4)) @ random.standard_normal((4, 16))
    rows = torch.from_numpy((mixed + 0.3 * random.standard_normal(mixed.shape)).astype(np.float32))
    rows = (rows - rows.mean(dim=0)) / rows.std(dim=0)
    shape, config = layout(16), ModelConfig(width=64)
    settings = TrainingConfig(epochs=40)

    def history(
        model: BottleneckAutoencoder | LatentAutoencoder, rows: torch.Tensor
    ) -> list[tuple[int, float]]:
        feed = MemoryFeed(rows[:2500].numpy(), 256, 0, torch.device("cpu"))
        record = train(model, feed, rows[2500:], settings, Hooks(), seed=0)
        return [(step, held_out) for step, _, held_out in record.history]

    torch.manual_seed(0)
    plain = BottleneckAutoencoder(shape, config)
    codes = LatentAutoencoder(shape, config, size=8)
    with torch.no_grad():
        # Codes undo the scaling of encoded rows: bent before, these are the same values again.
        codes.fit_linear(rows[:2500].asinh())
    slow, fast = history(plain, rows), history(codes, rows.asinh())
    target = min(loss for _, loss in slow) * 1.05
    steps_slow = next(step for step, loss in slow if loss <= target)
    steps_fast = next(step for step, loss in fast if loss <= target)
    assert steps_fast <= steps_slow / 3
