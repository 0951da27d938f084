"""Every sentence of an explanation is true of the training rows: recomputed from them, not from the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.truth import Truth

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain import Explainer, ExplainRequest
from aedetect.tasks.explain.select import choose

QUICK = {"training.epochs": 1, "training.folds": 2, "model.width": 16, "training.device": "cpu"}


def rows(size: int, seed: int) -> pd.DataFrame:
    """Columns of all kinds: whole, money, shares, mostly nothing, long numbers, words, truth values, gaps."""
    random = np.random.default_rng(seed)
    engine = random.choice(["Turbo-fan", "Jet", "Piston", "Rocket"], size, p=[0.03, 0.6, 0.35, 0.02])
    load = random.random(size)
    return pd.DataFrame(
        {
            "passengers": random.poisson(3, size),
            "price": (random.gamma(2, 60, size) + 0.5).round(2),
            "load": np.where(load < 0.2, 0.0, load),
            "delay": np.where(random.random(size) < 0.7, 0.0, random.exponential(20, size)),
            "serial": random.integers(110_000_000_000, 110_070_000_000, size),
            "skewed": np.exp(random.normal(0, 4, size)),
            "engine": engine,
            "late": random.choice(["yes", "no"], size, p=[0.04, 0.96]),
            "fuel": np.where(random.random(size) < 0.1, np.nan, random.normal(50, 5, size).round(1)),
            "class": np.ones(size, int),
        }
    )


def strange(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fresh rows, training rows, and rows with one cell beyond or at an extreme, unseen or missing."""
    random = np.random.default_rng(seed + 100)
    frame = pd.concat([rows(12, seed + 1), train.head(8), rows(40, seed + 2)], ignore_index=True)
    frame = frame.astype({"passengers": float, "serial": float})
    for place in range(20, 60):
        name = random.choice(["passengers", "price", "load", "delay", "skewed", "fuel", "engine", "late"])
        if name in ("engine", "late"):
            frame.loc[place, name] = "Zeppelin" if name == "engine" else "yes"
            continue
        low, high = train[name].min(), train[name].max()
        away = 10 ** random.uniform(-6, 1) * (high - low)
        frame.loc[place, name] = random.choice([low, high, low - away, high + away, np.nan])
    frame.loc[59, "class"] = 2
    return frame


@pytest.mark.parametrize(
    ("size", "seed", "from_text"),
    [
        (150, 1, True),
        (900, 2, False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((150, 0, False), (900, 0, True), (3000, 3, False))
        ),
    ],
)
def test_every_sentence_is_true(tmp_path: Path, size: int, seed: int, from_text: bool) -> None:
    train = rows(size, seed)
    new = strange(train, seed)
    if from_text:
        train.to_csv(tmp_path / "train.csv", index=False)
        new.to_csv(tmp_path / "new.csv", index=False)
    detector = Detector(QUICK).fit(tmp_path / "train.csv" if from_text else train)
    (given,) = as_inputs(tmp_path / "new.csv" if from_text else new, detector.config.data)
    chosen = choose(detector.fitted, given, ExplainRequest(rows=range(1, len(new) + 1)))
    explainer, truth = Explainer(detector.fitted), Truth(train)
    claims = [
        claim
        for ranked in chosen.ranked
        for claim in truth.claims(explainer.explain(ranked, ""), new.iloc[ranked.row - 1])
    ]
    assert [claim for claim in claims if claim.fault] == []
    kinds = {claim.kind for claim in claims}
    assert kinds >= {"value", "bound", "extreme", "share", "unseen", "expected", "alike", "nearest", "row"}
