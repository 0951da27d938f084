"""What two models have in common when they are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from aedetect.scoring.fitted import FittedModel


def content_of(fitted: FittedModel) -> dict[str, Any]:
    """All that the file of a model holds, but for when it was trained and how long that took."""
    tensors = {
        name: (str(np.asarray(tensor).dtype), np.asarray(tensor).tobytes())
        for name, tensor in fitted.tensors().items()
    }
    training = fitted.training.model_dump(exclude={"started", "seconds"})
    return {
        "tensors": tensors,
        "training": training,
        "schema": fitted.schema.model_dump(),
        "encoder": fitted.encoder.state.model_dump(),
        "config": fitted.config.model_dump(),
    }
