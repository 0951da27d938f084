"""Evidence from known anomalies: what is like them, or differs from normal rows as they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from aedetect.models.buffers import DataSizedBuffers
from aedetect.models.combine import TailSurprise
from aedetect.models.evaluation import known_anomalies as evaluation
from aedetect.models.live import as_tensor, settled, settled_arrays

# What anomalies have in common shows in few of them only if little of them is learned by heart.
_REGULARISATION, _STEPS = 0.01, 200


@dataclass(frozen=True)
class Judged:
    """Rows as the other parts of a model see them.

    `points` [rows, width] in a view, `log_distances` [rows] of the nearest normal row, and `surprises` [rows,
    parts].
    """

    points: Tensor
    log_distances: Tensor
    surprises: Tensor

    def inputs(self) -> Tensor:
        """What a regression sees of them [rows, width + parts]."""
        inputs: Tensor = evaluation.regressed(self.points, self.surprises)
        return inputs


class KnownAnomalies(DataSizedBuffers):
    """Learns what is like known anomalies, or strange as they are; see `evaluation.known_anomalies`."""

    points: Tensor
    coefficients: Tensor
    intercept: Tensor

    data_sized: ClassVar[Mapping[str, int]] = {"points": 0}

    def __init__(self, width: int, parts: int):
        super().__init__()
        # These names stand in model files. No points: no anomaly is known.
        self.register_buffer("points", torch.zeros(0, width))
        self.register_buffer("coefficients", torch.zeros(width + parts))
        self.register_buffer("intercept", torch.zeros(()))
        self.surprise = TailSurprise(2)

    def fit(self, known: Judged, normal: Judged, folds: Tensor) -> Tensor:
        """Learn from `known` anomalies and from `normal` rows that are judged as if they were not learned.

        `folds` [rows] of the normal ones: those with one, not negative, calibrate, and each is judged by
        what the rows of others teach. Returns their surprises [those], in order.
        """
        self.points = known.points.clone()
        inputs, anomalies = normal.inputs(), known.inputs()
        models, odds = [], torch.zeros(len(folds), device=folds.device)
        for fold in folds[folds >= 0].unique():  # type: ignore[no-untyped-call]
            others = folds != fold
            models.append(_regression(inputs[others], anomalies))
            coefficients, intercept = models[-1]
            odds = torch.where(others, odds, inputs @ coefficients + intercept)
        self.coefficients.copy_(torch.stack([coefficients for coefficients, _ in models]).mean(dim=0))
        self.intercept.copy_(torch.stack([intercept for _, intercept in models]).mean())
        calibrating = [values[folds >= 0] for values in (normal.points, normal.log_distances, odds)]
        judge = self.settled()
        self.surprise.fit(as_tensor(judge.scores(*map(settled, calibrating))))
        return as_tensor(self.settled().weighed(*map(settled, calibrating)))

    def settled(self) -> evaluation.KnownAnomalies:
        """The evaluation pass as scoring runs it."""
        parts = len(self.coefficients) - self.points.shape[1]
        return evaluation.KnownAnomalies(self.points.shape[1], parts, settled_arrays(self))


def _regression(normal: Tensor, anomalies: Tensor) -> tuple[Tensor, Tensor]:
    """Coefficients [inputs] and intercept of a penalised logistic regression; both kinds weigh alike."""
    # Only a training with known anomalies needs it, and importing it takes a while.
    from sklearn.linear_model import LogisticRegression

    values = torch.cat([normal, anomalies]).double().cpu().numpy()
    center, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    labels = np.arange(len(values)) >= len(normal)
    model = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=_STEPS)
    model.fit((values - center) / spread, labels)
    coefficients = model.coef_[0] / spread
    intercept = model.intercept_[0] - coefficients @ center
    return normal.new_tensor(coefficients), normal.new_tensor(intercept)
