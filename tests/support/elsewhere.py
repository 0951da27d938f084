"""Workers that stand for others: all that goes to them and comes from them is pickled."""

from __future__ import annotations

import pickle  # noqa: TID251 - what goes to another process is pickled
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from aedetect.scoring.fitted import FittedModel


class Elsewhere:
    """Each item is worked on as if by another process, by work that is made anew."""

    number = 2
    taken_part = 2

    def map(
        self,
        build: Callable[[int], Callable[[Any], Any]],
        items: Sequence[Any],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Any]:
        for item in items:
            yield _sent(_sent(build)(1)(_sent(item)))


def _sent(something: Any) -> Any:
    return pickle.loads(pickle.dumps(something))  # noqa: S301 - made here


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
