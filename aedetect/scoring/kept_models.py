"""The models that a model file held before: kept beside it, and put back in one step."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from aedetect.errors import ModelError, UsageError
from aedetect.io.atomic import atomic_output, writing
from aedetect.io.stores import is_address
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.model_file import read_model_file

_SHOWN_DIGITS = 12
# What file systems answer that know no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}


@dataclass(frozen=True)
class KeptModel:
    """A model that was replaced. `number`: the higher, the later that was. `trained`: None where damaged."""

    path: Path
    number: int
    sha256: str
    trained: str | None

    def as_dict(self) -> dict[str, str | None]:
        """For JSON."""
        return {"path": str(self.path), "sha256": self.sha256, "trained": self.trained}


def kept_models(model: str | os.PathLike[str]) -> list[KeptModel]:
    """What is kept beside a model file, the last one replaced first.

    Files are called `model.kept-1.aed` and so on; where the model is a symbolic link, they are beside what it
    leads to.
    """
    kept = []
    for number, path in sorted(_numbered(_target(model)).items(), reverse=True):
        with contextlib.suppress(FileNotFoundError):
            digest = digest_of_file(path)
            try:
                trained = read_model_file(path)[0].training.started
            except ModelError:
                trained = None
            kept.append(KeptModel(path, number, digest, trained))
    return kept


def kept_path(model: str | os.PathLike[str], sha256: str) -> Path | None:
    """The kept model of that digest; None where there is none."""
    if is_address(model):
        return None
    paths = _numbered(_target(model)).values()
    return next((path for path in paths if digest_of_file(path) == sha256), None)


def replace_model(model: Path, fitted: FittedModel, keep: int) -> None:
    """Put a new model in the place of the one in the file, which is kept with `keep` others at most.

    Whoever opens the file meanwhile finds one or the other. Raises OutputError where that fails.
    """
    _keep(model)
    fitted.save(model)
    _forget(model, keep)


def roll_back(model: Path, sha256: str | None = None) -> KeptModel:
    """Put the last kept model back that is another than the one in use, which is kept as the last.

    So the same once more undoes it. `sha256`: the beginning of the digest of the model to put back instead.
    Returns the one put back, as it was kept. Raises ModelError where there is none or it is damaged,
    UsageError where none has that digest, OutputError where writing fails.
    """
    current, kept = digest_of_file(model), kept_models(model)
    others = [one for one in kept if one.sha256 != current]
    if sha256 is not None:
        matching = [one for one in others if one.sha256.startswith(sha256.lower())]
        if not matching:
            raise UsageError(_no_such(model, sha256, kept, current))
        if len({one.sha256 for one in matching}) > 1:
            raise UsageError(
                f"{sha256}: more than one kept model has a digest that begins so; give more of it"
            )
        others = matching
    if not others:
        raise ModelError(f"{model}: no other model is kept beside it, so there is none to go back to")
    chosen = others[0]
    if chosen.trained is None:
        raise ModelError(f"{chosen.path}: the kept model is damaged; go back to another with --to DIGEST")
    data = chosen.path.read_bytes()
    _keep(model)
    with atomic_output(model) as stream:
        stream.write(data)
    with writing(chosen.path):
        chosen.path.unlink()
    return chosen


def _no_such(model: Path, sha256: str, kept: list[KeptModel], current: str) -> str:
    if current.startswith(sha256.lower()):
        return f"{model}: this is the model with the digest {sha256} already"
    known = ", ".join(one.sha256[:_SHOWN_DIGITS] for one in kept)
    return f"{model}: no kept model has a digest that begins with {sha256!r}; kept are {known or 'none'}"


def _keep(model: Path) -> None:
    """Give the model file a second name, under which it stays once it is replaced."""
    target = _target(model)
    kept = _numbered(target)
    # A run that was stopped may have come this far before.
    digest = digest_of_file(target)
    if kept and digest_of_file(kept[max(kept)]) == digest:
        return
    path = _path_of(target, max(kept, default=0) + 1)
    with writing(path):
        try:
            os.link(target, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with atomic_output(path) as stream, open(target, "rb") as source:
                shutil.copyfileobj(source, stream)


def _forget(model: Path, keep: int) -> None:
    """Remove all but the last `keep` kept models."""
    numbered = _numbered(_target(model))
    for number in sorted(numbered)[: max(len(numbered) - keep, 0)]:
        with writing(numbered[number]):
            numbered[number].unlink(missing_ok=True)


def _target(model: str | os.PathLike[str]) -> Path:
    return Path(os.path.realpath(model)) if os.path.islink(model) else Path(model)


def _numbered(target: Path) -> dict[int, Path]:
    """The kept models of a file by their numbers."""
    name = re.compile(rf"{re.escape(target.stem)}\.kept-(\d+){re.escape(target.suffix)}")
    with contextlib.suppress(FileNotFoundError):
        matches = ((name.fullmatch(path.name), path) for path in target.parent.iterdir())
        return {int(match[1]): path for match, path in matches if match is not None}
    return {}


def _path_of(target: Path, number: int) -> Path:
    return target.with_name(f"{target.stem}.kept-{number}{target.suffix}")


def digest_of_file(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
