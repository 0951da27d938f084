"""Drift of columns without a network: what training and scoring count, in little time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aedetect.config import Config
from aedetect.data.features import FeatureEncoder
from aedetect.data.reference import Sketch
from aedetect.io.inputs import as_inputs
from aedetect.tasks.drift import Drift
from aedetect.tasks.drift.compare import compare
from aedetect.tasks.drift.counted import Counted, ScoreSketch, TrainingCounts
from aedetect.training.profiling import profile_inputs
from aedetect.training.split import TrainingRows

CONFIG = Config()


@dataclass(frozen=True)
class Learned:
    """What training counts of a table."""

    encoder: FeatureEncoder
    training: TrainingCounts

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Learned:
        inputs = as_inputs(frame.reset_index(drop=True), CONFIG.data)
        profile = profile_inputs(inputs, CONFIG)
        rows = TrainingRows(inputs, profile.encoder, CONFIG)
        for _ in rows.watched_blocks():
            pass
        assert rows.sketch is not None
        most = CONFIG.data.max_categories
        return cls(profile.encoder, TrainingCounts(rows.sketch, rows.empty, rows.infinite, most))

    def drift(self, frame: pd.DataFrame) -> Drift:
        """What is said of new rows; nothing of scores."""
        scores = ScoreSketch(np.ones(8))
        now = Counted(Sketch.empty(self.encoder, self.training.sketch.edges), scores)
        (source,) = as_inputs(frame.reset_index(drop=True), CONFIG.data)
        for batch in source.open(1000).batches():
            now.update(self.encoder.transform(batch), np.ones(len(batch), np.bool_), self.training.leaves_out)
        return compare(self.encoder, self.training, now, CONFIG.drift)
