"""What a model is held against is not learned from: inputs that are also the gate, or the labelled rows."""

from __future__ import annotations

import os
from collections.abc import Sequence

from aedetect.engine.ledger import digest_of
from aedetect.errors import UsageError
from aedetect.io.atomic import same_file
from aedetect.io.files import FileInput
from aedetect.io.locate import STDIN


def held_apart(recent: Sequence[FileInput], held: Sequence[FileInput]) -> tuple[list[FileInput], list[str]]:
    """The recent inputs that are none of `held`, nor copies of them, and what is to be said of the others.

    Raises UsageError where none is left, DataError for a file that cannot be read.
    """
    rest: list[FileInput] = []
    said: list[str] = []
    for source in recent:
        other = next((one for one in held if _are_one(source, one)), None)
        if other is None:
            rest.append(source)
        elif other.name == source.name:
            said.append(f"{source.name}: the models are held against it, so it is not learned from")
        else:
            said.append(
                f"{source.name}: the same rows as {other.name}, which the models are held against; it is not "
                "learned from"
            )
    if not rest:
        raise UsageError(
            f"{recent[0].name}: nothing is left to learn from but what the models are held against; "
            "name other recent rows"
        )
    return rest, said


def _are_one(first: FileInput, second: FileInput) -> bool:
    one, other = first.location, second.location
    if STDIN in (one.path, other.path) or one.filesystem is not None or other.filesystem is not None:
        return one.path == other.path and one.filesystem == other.filesystem
    if same_file(one.path, other.path):
        return True
    if not (os.path.isfile(one.path) and os.path.isfile(other.path)):
        return False
    alike = os.path.getsize(one.path) == os.path.getsize(other.path)
    return alike and digest_of(first) == digest_of(second)
