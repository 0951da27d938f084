"""A model on its way to the workers of an engine: its bytes, and how it is used there."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from aedetect.config import Config
from aedetect.errors import UsageError
from aedetect.models.device import CPU
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.model_header import read_whole, refusing

Model = str | os.PathLike[str] | bytes

# Models that a process holds on to: more than one where several are used in turn.
_MOST_LOADED = 4
_loaded: OrderedDict[tuple[str, str], FittedModel] = OrderedDict()
_loading = Lock()


@dataclass(frozen=True)
class PackedModel:
    """The bytes of a model file, so that workers need no file of it; it can be pickled.

    `name`: what messages call it. `sha256`: the digest of `data`. `settings`: those that are set in place of
    the model's own, as JSON.
    """

    data: bytes = field(repr=False)
    name: str
    sha256: str
    settings: str

    @classmethod
    def of(
        cls, model: Model, settings: Mapping[str, Any] | None = None, sha256: str | None = None
    ) -> PackedModel:
        """The model in a file or in the bytes of one, checked.

        `settings`: dotted names and values, as `Detector.adjusted` takes them. Raises ModelError for a file
        that is missing, damaged, too new, or whose digest is not `sha256`, and UsageError for settings that
        will not do.
        """
        if isinstance(model, bytes):
            data, name = model, "the model"
        elif isinstance(model, (str, os.PathLike)):
            name = os.fspath(model)
            with refusing(name):
                data = read_whole(name)
        else:
            raise UsageError(
                f"model must be the path of a model file, or its bytes, not {type(model).__name__}; "
                "a Detector is saved to a file first (save)"
            )
        digest = hashlib.sha256(data).hexdigest()
        config = Config.build(overrides=settings)
        packed = cls(data, name, digest, config.model_dump_json(exclude_unset=True))
        packed._load(digest if sha256 is None else sha256)
        return packed

    def fitted(self) -> FittedModel:
        """The model, loaded once a process, on its CPU."""
        return self._load(self.sha256)

    def _load(self, sha256: str) -> FittedModel:
        key = (self.sha256, self.settings)
        # Threads that come meanwhile wait for the one model.
        with _loading:
            fitted = _loaded.get(key) if sha256.lower() == self.sha256 else None
            if fitted is None:
                fitted = FittedModel.of_bytes(self.data, name=self.name, device=CPU, sha256=sha256)
                fitted = fitted.adjusted(Config.model_validate_json(self.settings))
                _loaded[key] = fitted
            _loaded.move_to_end(key)
            while len(_loaded) > _MOST_LOADED:
                _loaded.popitem(last=False)
        return fitted
