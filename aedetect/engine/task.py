"""What the engine runs: a task over inputs, and those who look on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aedetect.io.source import Input

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CountNames:
    """Under which names a summary counts rows and cells, and what it calls an input that is done.

    `run` maps keys of the summary to names of counts; `file` are those that an entry of a file has.
    """

    run: Mapping[str, str]
    file: Sequence[str]
    done: str = "done"


@dataclass(frozen=True)
class OutputFields:
    """Columns of an output: leading ones, which may differ by input, and those added after them."""

    leading: Sequence[pa.Field]
    added: Sequence[pa.Field] = ()


@dataclass(frozen=True)
class BatchResult:
    """What became of one batch.

    `rows` go to the output; None where the task has none. `counts` are under the names of the task's
    `CountNames`. `detail` is what consumers look at, scores, say. `side` goes to the side output.
    """

    rows: pa.RecordBatch | None
    counts: Counter[str]
    detail: Any = None
    side: pa.RecordBatch | None = None


class TaskRun(Protocol):
    """One pass of a task over one input; batches are processed by several threads at once."""

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the input from its columns alone."""
        ...

    def fields(self) -> OutputFields:
        """The columns of the output. Raises UsageError where two bear one name."""
        ...

    def process(self, rows: pa.RecordBatch, first: int) -> BatchResult:
        """One batch, whose first row is row `first` (from 1) of the input."""
        ...

    def account(self, result: BatchResult, first: int) -> None:
        """Take note of a result; called in the order of the rows, by one thread."""
        ...

    def conclude(self, rows: int) -> list[str]:
        """What is to be said of the input at its end. Raises DataError where it was unusable."""
        ...


@runtime_checkable
class DivisibleRun(TaskRun, Protocol):
    """A pass whose rows may be divided among processes, each with a pass of its own over some of them."""

    def state(self) -> Any:
        """What was taken note of, as something that can be pickled."""
        ...

    def absorb(self, state: Any) -> None:
        """Take note of what another pass did, over the rows that follow; this one is what concludes."""
        ...


class Task(Protocol):
    """What is done to rows, whichever input they come from: what a new command writes."""

    @property
    def name(self) -> str:
        """The command's."""
        ...

    @property
    def counts(self) -> CountNames: ...

    @property
    def batch_rows(self) -> int:
        """Rows that are read at a time."""
        ...

    @property
    def independent(self) -> bool:
        """Whether an input can be done without the others, in any process."""
        ...

    @property
    def divisible(self) -> bool:
        """Whether the rows of an input can be divided among processes: its passes are `DivisibleRun`s."""
        ...

    @property
    def side_fields(self) -> Sequence[pa.Field]:
        """The columns of the side output; empty where the task has none."""
        ...

    def threads(self) -> AbstractContextManager[int]:
        """Around all passes over an input; gives how many batches are best processed at once."""
        ...

    def completed(self, source: Input) -> Input:
        """`source` as it is read: with all columns that its rows are to have."""
        ...

    def start(self, source: Input, typed: bool) -> TaskRun:
        """A pass over `source`; `typed`: text cells of learned columns become numbers.

        Raises DataError, ModelError or UsageError where the input does not fit.
        """
        ...


@dataclass
class FileSummary:
    """One input's entry in the summary. `status`: done, failed, or why it was skipped."""

    path: str
    output: str | None
    status: str
    counts: Counter[str] = field(default_factory=Counter)
    error: str | None = None

    def as_dict(self, names: CountNames) -> dict[str, Any]:
        """The entry under the names of the task."""
        counts = {name: self.counts[name] for name in names.file}
        return {
            "path": self.path, "output": self.output, "status": self.status, **counts, "error": self.error
        }  # fmt: skip


@dataclass(frozen=True)
class Processed:
    """One batch of one input, and what became of it. `first`: the number of its first row, from 1."""

    source: Input
    first: int
    rows: pa.RecordBatch
    result: BatchResult


class Consumer:
    """Goes along with a run, input by input; every method may be left as it is."""

    def begin(self, source: Input) -> None:
        """An input is about to be read. May raise DataError: it then counts as failed."""

    def see(self, batch: Processed) -> None:
        """A batch of the present input was processed."""

    def check(self, source: Input) -> None:
        """The input was read to its end. May raise DataError: its output is then not put in place."""

    def done(self, source: Input, entry: FileSummary) -> None:
        """The input's output is in place."""

    def finish(self) -> None:
        """All inputs are done, and at least one of them was good."""

    def findings(self) -> Mapping[str, Any]:
        """What it adds to the summary once the run is over."""
        return {}

    def remote(self) -> RemoteConsumer | None:
        """How to make what goes along with an input in another process; None where nothing need."""
        return None

    def remote_of_span(self) -> RemoteConsumer | None:
        """The same for a part of an input's rows, whose states `joined` puts together.

        Where it is None, `begin`, `check` and `done` are called here, and `see` is not.
        """
        return self.remote()

    def state(self) -> Any:
        """In another process: what is handed over of the one input that was done there."""
        return None

    def joined(self, states: Sequence[Any]) -> Any:
        """The state of an input, from those of its parts in the order of the rows."""
        return None

    def merge(self, source: Input, entry: FileSummary, state: Any) -> None:
        """Take in what the counterpart in another process handed over, once the output is in place."""


# Made in another process, from the task that runs there: a function that can be pickled.
RemoteConsumer = Callable[[Task], Consumer]


class Consumers(Consumer):
    """Several consumers as one, each asked in turn."""

    def __init__(self, each: Sequence[Consumer] = ()):
        self.each = each

    def begin(self, source: Input) -> None:
        for consumer in self.each:
            consumer.begin(source)

    def see(self, batch: Processed) -> None:
        for consumer in self.each:
            consumer.see(batch)

    def check(self, source: Input) -> None:
        for consumer in self.each:
            consumer.check(source)

    def done(self, source: Input, entry: FileSummary) -> None:
        for consumer in self.each:
            consumer.done(source, entry)

    def finish(self) -> None:
        for consumer in self.each:
            consumer.finish()

    def state(self) -> list[Any]:
        return [consumer.state() for consumer in self.each]


class Observing(Consumer):
    """Shows each batch to a function."""

    def __init__(self, observe: Callable[[Processed], None]):
        self._observe = observe

    def see(self, batch: Processed) -> None:
        self._observe(batch)
