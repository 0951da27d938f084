"""Rows labelled as anomalies: no network learns to rebuild them, but what weighs evidence does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.io.source import Input
from aedetect.training.profiling import chunks

# More known anomalies than these are a matter for a classifier.
MOST_LABELLED = 2048


def labelled_anomalies(
    inputs: Sequence[Input], encoder: FeatureEncoder, config: Config, known: Sequence[Input] = ()
) -> Matrix:
    """Encoded rows known to be anomalies [anomalies, features], the first few thousand.

    They are the rows of `known`, and those of `inputs` that are labelled as such, where there is a label.
    Cells that cannot be read are missing: strange rows may be strange in this, too.
    """
    blocks = [np.empty((0, encoder.layout.width), dtype=np.float32)]
    for source in known:
        blocks += [encoder.transform(batch).matrix for batch in source.open(MOST_LABELLED).batches()]
    if config.data.label is not None:
        for chunk in chunks(inputs, config, anomalies=True):
            blocks.append(encoder.transform(chunk.batch).matrix)
            if sum(map(len, blocks)) >= MOST_LABELLED:
                break
    return np.concatenate(blocks)[:MOST_LABELLED]
