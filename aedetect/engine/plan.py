"""Which output belongs to which input: settled and checked before any work is done."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aedetect.engine.output_names import Target
from aedetect.errors import DataError, UsageError
from aedetect.io.atomic import check_writable, same_file
from aedetect.io.files import FileInput
from aedetect.io.locate import COMPRESSION_SUFFIXES, STDIN, format_of_name
from aedetect.io.output_format import COMPRESSED_INSIDE, output_format
from aedetect.io.source import Input, has_rows
from aedetect.io.stores import identity, is_address, is_store_folder, join


@dataclass(frozen=True)
class Plan:
    """Which inputs go where. `outputs`: of each input, a path, '-' for stdout, or None.

    With `together` all go to one output, with a column that names each row's input. `side` is the
    file for the task's side output. `skipped`: inputs that were left out because they need nothing now.
    `rows_elsewhere`: whether other inputs have rows, so that one of none is done and no failure. `in_folder`:
    whether outputs have the names of their inputs, in a folder.
    """

    inputs: Sequence[Input]
    outputs: Sequence[str | None]
    together: bool = False
    side: str | None = None
    skipped: int = 0
    rows_elsewhere: bool = False
    in_folder: bool = False

    def surveyed(self) -> Plan:
        """This plan, once it was seen whether any input has rows."""
        return replace(self, rows_elsewhere=self.skipped > 0 or any(map(_has_rows, self.inputs)))


def _has_rows(source: Input) -> bool:
    # One that cannot be read fails by name when its turn comes.
    with contextlib.suppress(DataError):
        return has_rows(source)
    return False


def plan_outputs(
    inputs: Sequence[FileInput], output: str | None, keep_from: str | os.PathLike[str]
) -> list[str | None]:
    """The output of each input: all the same file, one each in a folder, or None.

    Raises UsageError where an output would overwrite an input, another output or `keep_from` (the
    model), OutputError where its folder is missing or may not be written; both before any work
    is done.
    """
    if output is None:
        return [None] * len(inputs)
    if output == STDIN:
        return [STDIN] * len(inputs)
    if is_folder(output):
        planned = [join(output, name) for name in _names_in_folder(inputs)]
        counts = Counter(planned)
        twice = next((path for path in planned if counts[path] > 1), None)
        if twice:
            raise UsageError(f"two inputs would both be written to {twice}; score them apart")
    else:
        planned = [output] * len(inputs)
    read = _Files([source.location.place for source in inputs if source.location.path != STDIN])
    for path in dict.fromkeys(planned):
        output_format(path)
        if read.hold(path):
            raise UsageError(f"{path}: the output is also an input; choose another name")
        if same_file(path, keep_from):
            raise UsageError(f"{path}: the output is also the model file; choose another name")
        check_writable(path, may_create_folder=path != output)
    return list(planned)


def check_model_output(target: Target, inputs: Sequence[FileInput] = ()) -> None:
    """Raises OutputError where no model can be written to `target`, UsageError where it may not."""
    path = target.path
    if str(path) == STDIN:
        raise UsageError("-o -: a model goes to a file, not to stdout; name one, e.g. -o model.aed")
    for source in inputs:
        if source.location.path != STDIN and same_file(path, source.location.place):
            raise UsageError(f"{path}: the model would overwrite an input; choose another name")
    target.check()


def plan_side_output(
    option: str,
    path: str | None,
    inputs: Sequence[FileInput],
    outputs: Sequence[str | None],
    model: str | os.PathLike[str],
) -> None:
    """Check the file that `option` names for rows beside the output.

    Raises UsageError where it is a folder or another file of the run, OutputError where it cannot be
    written; before any work is done.
    """
    if path is None:
        return
    if is_folder(path):
        raise UsageError(f"{option} {path}: a folder; name a file")
    plan_outputs(inputs, path, keep_from=model)
    if any(output not in (None, STDIN) and same_file(path, str(output)) for output in outputs):
        raise UsageError(f"{path}: both -o and {option} go there; name two files")


def is_folder(output: str | None) -> bool:
    """Whether each input has an output of its own in `output`, a folder that may be yet to come."""
    if output is not None and is_address(output):
        return is_store_folder(output)
    return output is not None and (output.endswith(os.sep) or os.path.isdir(output))


def goes_together(outputs: Sequence[str | None]) -> bool:
    """Whether the outputs of all inputs are one file, or standard output."""
    return len(set(outputs)) == 1 and outputs[0] is not None


class _Files:
    """Many files, of which it is soon said whether a path leads to one of them."""

    def __init__(self, paths: Sequence[str]):
        self._places = {_place(path) for path in paths}
        self._files = {status for path in paths if (status := _identity(path))}

    def hold(self, path: str) -> bool:
        return _place(path) in self._places or _identity(path) in self._files


def _place(path: str) -> str:
    return identity(path) or os.path.realpath(path)


def _identity(path: str) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


def _names_in_folder(inputs: Sequence[FileInput]) -> list[str]:
    """The name of each input's output: its own, where one can be written under it.

    An ending that says nothing is followed by '.csv'; a compression of what is compressed inside is left
    off, unless another input is called so.
    """
    given = [_given_name(source) for source in inputs]
    names: list[str] = []
    for name in given:
        bare, packing = _without_packing(name)
        if not packing or format_of_name(name) not in COMPRESSED_INSIDE:
            names.append(name)
        elif bare in given or bare in names:
            names.append(f"{name}{os.path.splitext(bare)[1]}")
        else:
            names.append(bare)
    return names


def _without_packing(name: str) -> tuple[str, str]:
    packing = next((suffix for suffix in COMPRESSION_SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(packing)], packing


def _given_name(source: FileInput) -> str:
    if source.location.path == STDIN:
        return "stdin.csv"
    name = source.location.relative or os.path.basename(source.location.path)
    return name if format_of_name(name) else f"{name}.csv"
