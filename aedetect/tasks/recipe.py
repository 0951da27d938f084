"""How another process makes the task of a run: from the model and the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from aedetect.config import Config
from aedetect.engine.task import Task
from aedetect.errors import ModelError
from aedetect.models.threads import use_threads
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.kept_models import kept_path
from aedetect.scoring.model_file import read_checked


@dataclass(frozen=True)
class ModelTask:
    """The recipe of a task under a model file. `make` can be pickled: a class, a function, a partial.

    `settings`: those that were set, by section and name. `content`: the bytes of the model file; None where
    it is to be read.
    """

    model: str
    sha256: str
    settings: dict[str, Any]
    make: Callable[[FittedModel], Task]
    content: bytes | None = None

    @classmethod
    def of(
        cls, path: str, fitted: FittedModel, settings: Config, make: Callable[[FittedModel], Task]
    ) -> ModelTask:
        """The recipe for the model that was loaded from `path` and adjusted to `settings`."""
        return cls(path, str(fitted.sha256), settings.model_dump(exclude_unset=True), make)

    def build(self, threads: int) -> Task:
        """The task, computed by so many threads. Raises ModelError where the model file has changed."""
        use_threads(threads)
        settings = Config.model_validate(self.settings)
        content = self.content if self.content is not None else self._read()
        fitted = FittedModel.of_bytes(content, name=self.model, device=settings.training.device)
        return self.make(fitted.adjusted(settings))

    def carried(self) -> ModelTask:
        """The recipe with the model itself, for processes that see none of this machine's files.

        Raises ModelError where the model file has changed.
        """
        return self if self.content is not None else replace(self, content=self._read())

    def _read(self) -> bytes:
        try:
            return read_checked(self.model, self.sha256)
        except ModelError:
            # Where `refresh` has swapped the model since, the one that the run began with is kept beside it.
            kept = kept_path(self.model, self.sha256)
            if kept is None:
                raise
            return read_checked(kept, self.sha256)
