"""A run that nobody watches: locks, the ledger, which inputs are new, and a record of what came of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aedetect.engine.deliveries import Facts
from aedetect.engine.ledger import (
    Ledger,
    Mark,
    StoredTail,
    check_state_path,
    check_unchanged,
    is_young,
    mark_of,
    place_of,
)
from aedetect.engine.metrics_file import last_success, metrics
from aedetect.engine.output_names import METRICS, SUMMARY, check_suffix
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, FileSummary, RemoteConsumer, Task
from aedetect.errors import AedetectError, DataError, ExitCode, Terminated, UsageError, lacking
from aedetect.io.atomic import atomic_output, check_writable, same_file
from aedetect.io.files import FileInput
from aedetect.io.locate import STDIN
from aedetect.io.lock import Locks
from aedetect.io.source import Input
from aedetect.io.stores import was_address


@dataclass(frozen=True)
class Records:
    """Files that a run keeps: its ledger, its summary, its metrics, which may be labelled with a `job`."""

    new_only: bool = False
    state: Path | None = None
    summary: Path | None = None
    metrics: Path | None = None
    job: str | None = None

    def __post_init__(self) -> None:
        if self.new_only and self.state is None:
            raise UsageError("--new-only needs --state FILE, where it notes what was scored")
        if self.state is not None and not self.new_only:
            raise UsageError("--state FILE goes with --new-only")
        for option, path in (
            ("--summary", self.summary),
            ("--metrics", self.metrics),
            ("--state", self.state),
        ):
            if path is not None and was_address(path):
                address = str(path).replace(":/", "://", 1)
                raise UsageError(f"{option} {address}: this goes to a file on this machine; name a path")
        if self.job is not None and self.metrics is None:
            raise UsageError("--job NAME goes with --metrics FILE, whose metrics it labels")

    @property
    def kept(self) -> bool:
        """Whether what comes of the run can be read elsewhere than on the terminal."""
        return self.new_only or self.summary is not None or self.metrics is not None

    def check_inputs(self, sources: Sequence[FileInput]) -> None:
        """Raises Clash where a record of the run would replace an input."""
        self.check_unused([source.location.path for source in sources if source.location.filesystem is None])

    def check_unused(self, taken: Sequence[str | None]) -> None:
        """Raises Clash where the summary or the metrics would replace one of the files `taken`."""
        for option, path in (("--summary", self.summary), ("--metrics", self.metrics)):
            if path is None or (path.exists() and not path.is_file()):
                continue
            if any(other and same_file(path, other) for other in taken):
                raise Clash(
                    f"{path}: {option} would replace an input, an output, the model or the state file; "
                    "name another"
                )

    def check_suffixes(self) -> None:
        """Raises Clash where the summary or the metrics are named as something else."""
        for option, path, kind in (
            ("--summary", self.summary, SUMMARY),
            ("--metrics", self.metrics, METRICS),
        ):
            try:
                check_suffix(path or "-", kind, option)
            except UsageError as error:
                raise Clash(str(error)) from None

    def check_state(self, sources: Sequence[FileInput], taken: Sequence[str | None]) -> None:
        """Raises UsageError where the state file is also another file of the run, or inputs have no name."""
        if self.state is None:
            return
        for source in sources:
            place_of(source)
        local = [source.location.path for source in sources if source.location.filesystem is None]
        check_state_path(self.state, [*local, *(path for path in taken if path)])


class Clash(UsageError):
    """A record would go to a file of other use: no record of that is written there."""


@contextlib.contextmanager
def recorded(summary: RunSummary, records: Records, taken: Sequence[str | None]) -> Iterator[None]:
    """Writes `summary` to the files of `records` when the block ends, also when it fails.

    Raises OutputError where they cannot be written; a failure of the block itself comes first. Raises
    Clash where one of them is also among `taken`, paths of other use: nothing is written then.
    """
    for option, path in (("--summary", records.summary), ("--metrics", records.metrics)):
        if path is not None and str(path) == STDIN:
            raise UsageError(f"{option} -: this goes to a file, not to stdout, which --json is for")
        if path is not None:
            check_writable(path)
    records.check_unused(taken)
    if records.summary and records.metrics and same_file(records.summary, records.metrics):
        raise UsageError(f"{records.metrics}: both --summary and --metrics go there; name two files")
    try:
        yield
    except Clash:
        raise
    except BaseException as error:
        summary.findings["error"], summary.exit_code = _text_and_code(error)
        with contextlib.suppress(AedetectError):
            _write(summary, records)
        raise
    _write(summary, records)


@contextlib.contextmanager
def opened_ledger(path: Path | None) -> Iterator[Ledger | None]:
    """The ledger at `path`; None where no run keeps one."""
    if path is None:
        yield None
        return
    with Ledger(path) as ledger:
        yield ledger


@dataclass(frozen=True)
class Chosen:
    """The inputs that need doing now, with their outputs, and those that earlier runs have done."""

    inputs: list[FileInput]
    outputs: list[str | None]
    known: list[FileInput]
    skipped: int


def choose_new(
    sources: Sequence[FileInput],
    outputs: Sequence[str | None],
    ledger: Ledger | None,
    model: str,
    min_age: float,
) -> tuple[Chosen, list[FileSummary]]:
    """Which inputs need doing: not those the ledger knows under `model`, nor those still too recent.

    Entries for the summary are given of those that are skipped: 'known' or 'young'.
    """
    chosen = Chosen([], [], [], 0)
    skipped: list[FileSummary] = []
    for source, output in zip(sources, outputs, strict=True):
        status = _why_skipped(source, ledger, model, min_age)
        if status is None:
            chosen.inputs.append(source)
            chosen.outputs.append(output)
            continue
        skipped.append(FileSummary(source.name, None, status))
        if status == "known":
            chosen.known.append(source)
    return Chosen(chosen.inputs, chosen.outputs, chosen.known, len(skipped)), skipped


def _why_skipped(source: FileInput, ledger: Ledger | None, model: str, min_age: float) -> str | None:
    # One that cannot even be looked at is let through, to fail by name when its turn comes.
    with contextlib.suppress(DataError):
        if min_age and is_young(source, min_age):
            return "young"
        if ledger is not None and ledger.knows(source, model):
            return "known"
    return None


class Marker(Consumer):
    """Marks what each input looks like before it is read, and sees to it that it stays so."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}

    def begin(self, source: Input) -> None:
        assert isinstance(source, FileInput)
        self.marks[source.name] = mark_of(source)

    def check(self, source: Input) -> None:
        assert isinstance(source, FileInput)
        check_unchanged(source, self.marks[source.name])

    def state(self) -> dict[str, Mark]:
        return self.marks


def _marker(_: Task) -> Consumer:
    return Marker()


class Bookkeeper(Marker):
    """Enters each input into the ledger once its output is in place.

    `tails_of` gives what is to be kept of the series of an input.
    """

    def __init__(self, ledger: Ledger, model: str, summary: RunSummary):
        super().__init__()
        self._ledger = ledger
        self._model = model
        self._summary = summary

    def done(self, source: Input, entry: FileSummary) -> None:
        assert isinstance(source, FileInput)
        counts = entry.counts
        if counts["rows"]:
            self._note_twin(source)
        mark = self.marks.pop(source.name)
        self._ledger.add(
            source,
            mark,
            self._model,
            entry.output,
            counts["rows"],
            counts["anomalies"],
            self.tails_of(source),
            self.facts_of(source),
        )

    def tails_of(self, source: FileInput) -> Sequence[StoredTail]:
        """The ends of series to be kept with an input; none unless overridden."""
        return ()

    def facts_of(self, source: FileInput) -> Facts:
        """What was seen of an input, which later ones are held against; nothing unless overridden."""
        return Facts()

    def remote(self) -> RemoteConsumer:
        return _marker

    def remote_of_span(self) -> None:
        """What a file looks like is asked once, here, and not for each of its parts."""
        return

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self.marks |= state
        self.done(source, entry)

    def _note_twin(self, source: Input) -> None:
        assert isinstance(source, FileInput)
        other = self._ledger.same_content(self.marks[source.name], place_of(source), self._model)
        if other is not None:
            self._summary.warnings.append(
                f"{source.name}: has the same content as {other}, which was scored before"
            )


class Unlocker(Consumer):
    """Lets other runs at an output as soon as it is in place."""

    def __init__(self, locks: Locks):
        self._locks = locks

    def done(self, source: Input, entry: FileSummary) -> None:
        if entry.output is not None:
            self._locks.release(entry.output)

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        self.done(source, entry)


def _text_and_code(error: BaseException) -> tuple[str, int]:
    if isinstance(error, AedetectError):
        return str(error), int(error.exit_code)
    if isinstance(error, Terminated):
        return "terminated", int(ExitCode.TERMINATED)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", int(ExitCode.INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return "whoever read the output closed it", int(ExitCode.CLOSED_PIPE)
    memory = lacking(error)
    if memory is not None:
        return f"out of {memory}", int(ExitCode.DATA)
    return f"a bug in aedetect: {type(error).__name__}: {error}", int(ExitCode.BUG)


def _write(summary: RunSummary, records: Records) -> None:
    entries = summary.as_dict()
    if records.summary is not None:
        with atomic_output(records.summary) as stream:
            text = json.dumps(entries, ensure_ascii=False, allow_nan=False, indent=2)
            stream.write(text.encode() + b"\n")
    if records.metrics is not None:
        text = metrics(entries, last_success(records.metrics, entries, records.job), records.job)
        with atomic_output(records.metrics) as stream:
            stream.write(text.encode())
