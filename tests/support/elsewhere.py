"""Workers of this process that share nothing with it, for tests of what runs on a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest

from aedetect.scoring.fitted import FittedModel


class Elsewhere:
    """One item after the other, here, but all is pickled on its way, as on a cluster."""

    number = 2
    taken_part = 2

    def map(
        self,
        build: Callable[[int], Callable[[Any], Any]],
        items: Sequence[Any],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Any]:
        work = copied(build)(1)
        for item in items:
            yield copied(work(copied(item)))


def copied(thing: Any) -> Any:
    """What another process gets of something."""
    return ForkingPickler.loads(ForkingPickler.dumps(thing))


def work_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `--on ray` mean such workers, whether Ray is installed or not."""

    @contextlib.contextmanager
    def opened(*_: Any) -> Iterator[Elsewhere]:
        yield Elsewhere()

    for module in ("aedetect.engine.distributed", "aedetect.tasks.spread_series"):
        monkeypatch.setattr(f"{module}.opened_workers", opened)
    monkeypatch.setattr("aedetect.tasks.score_run.check_place", lambda _: None)


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
