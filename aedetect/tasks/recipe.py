"""How another process makes the task of a run: from the model file and the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aedetect.config import Config
from aedetect.engine.task import Task
from aedetect.errors import ModelError
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.kept_models import kept_path


@dataclass(frozen=True)
class ModelTask:
    """The recipe of a task under a model file. `make` can be pickled: a class, a function, a partial.

    `settings`: those that were set, by section and name.
    """

    model: str
    sha256: str
    settings: dict[str, Any]
    make: Callable[[FittedModel], Task]

    @classmethod
    def of(
        cls, path: str, fitted: FittedModel, settings: Config, make: Callable[[FittedModel], Task]
    ) -> ModelTask:
        """The recipe for the model that was loaded from `path` and adjusted to `settings`."""
        return cls(path, str(fitted.sha256), settings.model_dump(exclude_unset=True), make)

    def build(self, threads: int) -> Task:
        """The task, computed by so many threads. Raises ModelError where the model file has changed."""
        import torch

        torch.set_num_threads(threads)
        settings = Config.model_validate(self.settings)
        load = partial(FittedModel.load, device=settings.training.device, sha256=self.sha256)
        try:
            fitted = load(self.model)
        except ModelError:
            # Where `refresh` has swapped the model since, the one that the run began with is kept beside it.
            kept = kept_path(self.model, self.sha256)
            if kept is None:
                raise
            fitted = load(kept)
        return self.make(fitted.adjusted(settings))
