"""Scoring files to files: which output belongs to which input, what became of each, a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.engine.spool import Spool, union_fields
from aedetect.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Verdicts
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aedetect.engine.callbacks import Monitor
from aedetect.errors import DataError
from aedetect.scoring.series import Judge, judge_of

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts

import contextlib
import os
import time
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect._version import __version__
from aedetect.engine.summary import SUMMARY_VERSION, FileOutcome, Follower, Summary
from aedetect.errors import AedetectError, ExitCode, ModelError
from aedetect.io.atomic import check_writable, same_file
from aedetect.io.files import FileInput
from aedetect.io.locate import STDIN, format_of_name
from aedetect.io.write import TEXT_FORMATS, open_sink, output_format
from aedetect.scoring.event_table import write_events
from aedetect.scoring.prior_state import Remembered
from aedetect.scoring.series import SeriesJudge
from aedetect.tasks.score import InputOutcome, Observer, Shape, full_schema, output_fields, score_input

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.detector import Detector, Verdicts


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
        planned = [os.path.join(output, _name_in_folder(source)) for source in inputs]
        counts = Counter(planned)
        twice = next((path for path in planned if counts[path] > 1), None)
        if twice:
            raise UsageError(f"two inputs would both be written to {twice}; score them apart")
    else:
        planned = [output] * len(inputs)
    read = _Files([source.location.path for source in inputs if source.location.path != STDIN])
    for path in dict.fromkeys(planned):
        output_format(path)
        if read.hold(path):
            raise UsageError(f"{path}: the output is also an input; choose another name")
        if same_file(path, keep_from):
            raise UsageError(f"{path}: the output is also the model file; choose another name")
        check_writable(path, may_create_folder=path != output)
    return list(planned)


def check_training_output(path: Path, inputs: Sequence[FileInput] = ()) -> None:
    """Raises OutputError where no model can be written to `path`, UsageError where it may not."""
    if str(path) == STDIN:
        raise UsageError("-o -: a model goes to a file, not to stdout; name one, e.g. -o model.aed")
    for source in inputs:
        if source.location.path != STDIN and same_file(path, source.location.path):
            raise UsageError(f"{path}: the model would overwrite an input; choose another name")
    check_writable(str(path))


def train_summary(
    detector: Detector, path: Path, started: datetime, seconds: float, notices: Sequence[str]
) -> dict[str, Any]:
    """What a training run came to; the contract of `train --json`."""
    import hashlib

    rate, smallest = detector.config.threshold.alert_rate, detector.calibration.smallest_rate
    warnings = list(notices)
    chosen = detector.config.threshold
    if chosen.value is None and chosen.alarms_per_day is None and rate < smallest:
        warnings.append(
            f"an alert rate of {rate:g} is finer than {len(detector.calibration.scores):,} calibration rows "
            f"can show (at best {smallest:.2g}); the threshold follows a fitted tail beyond them"
        )
    if detector.series is not None and chosen.value is None and chosen.alarms_per_day is None:
        windows = len(detector.calibration.scores) / detector.series.state.window
        # Rows of a window are strange together: as many rows as that are as good as one. Where the
        # share expected is more than twice the one asked for, it is said.
        if rate < 0.5 / (1 + windows):
            warnings.append(
                f"the threshold rests on {windows:,.0f} windows of normal rows, too few to hold an alert "
                f"rate of {rate:g}: now and then more rows will be flagged; learn from more rows, or say how "
                "many false events you accept with --alarms-per-day"
            )
    training = detector.training
    return {
        "schema_version": SUMMARY_VERSION,
        "aedetect_version": __version__,
        "command": "train",
        "model": {
            "path": str(path),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
            "trained": training.started,
        },
        "rows": training.rows,
        "rows_left_out": training.rows_left_out,
        "columns": [column.model_dump() for column in detector.schema.columns],
        "networks": len(training.members),
        "calibration": training.calibration,
        "threshold": detector.threshold,
        "alert_rate": rate,
        "warnings": warnings,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "exit_code": 0,
    }


def score_files(
    detector: Detector,
    model: dict[str, str | None],
    inputs: Sequence[FileInput],
    outputs: Sequence[str | None],
    threshold: float,
    shape: Shape,
    monitor: Monitor,
    observe: Observer | None = None,
    history: Sequence[FileInput] = (),
    events: str | None = None,
) -> Summary:
    """Score each input to its output. A bad input does not stop the others.

    Data and model errors of an input end up in the summary (with a single input they are raised);
    OutputError is raised: where one output cannot be written, others would fare no better.
    """
    summary = Summary(model, threshold, alert_rate_of(detector, threshold), datetime.now(UTC))
    follower = _Observing(observe) if observe else Follower()
    together = len(inputs) > 1 and goes_together(outputs)
    score_into(
        summary, detector, inputs, outputs, shape, monitor, follower,
        together=together, history=history, events=events,
    )  # fmt: skip
    return summary


def is_folder(output: str | None) -> bool:
    """Whether each input has an output of its own in `output`, a folder that may be yet to come."""
    return output is not None and (output.endswith(os.sep) or os.path.isdir(output))


def goes_together(outputs: Sequence[str | None]) -> bool:
    """Whether the outputs of all inputs are one file, or standard output."""
    return len(set(outputs)) == 1 and outputs[0] is not None


def score_into(
    summary: Summary,
    detector: Detector,
    inputs: Sequence[FileInput],
    outputs: Sequence[str | None],
    shape: Shape,
    monitor: Monitor,
    follower: Follower,
    *,
    together: bool,
    spared: int = 0,
    history: Sequence[FileInput] = (),
    remembered: Remembered | None = None,
    events: str | None = None,
) -> None:
    """What `score_files` does, entered into `summary` as it happens: it is true however this ends.

    With `together` all inputs go to one output, with a column that names each row's. `spared` is
    the number of inputs that were left out because they need no scoring now. Of time series,
    `history` are rows that went before, `remembered` what earlier runs left of such, and `events` the
    file for the table of events.
    """
    clock = time.monotonic()
    if inputs and outputs[0] is None:
        shape = Shape("none", shape.only_anomalies, shape.prefix)
    shape = replace(shape, series=detector.series is not None)
    run = _score_together if together else _score_apart
    try:
        judge = judge_of(detector, inputs, summary.settled, history, remembered)
        follower.judging(judge)
        errors = run(detector, judge, inputs, outputs, summary, shape, monitor, follower) if inputs else []
        if isinstance(judge, SeriesJudge):
            summary.events = len(judge.events)
            if events is not None:
                write_events(judge, events)
    finally:
        summary.seconds = time.monotonic() - clock
    conclude(summary, errors, len(inputs), spared)


def conclude(summary: Summary, errors: Sequence[AedetectError], inputs: int, spared: int) -> None:
    """Settle the exit code. Raises the failure of a run of which no input could be used."""
    if errors and len(errors) == inputs and not spared:
        raise _failure(errors)
    if errors:
        summary.exit_code = int(ExitCode.PARTIAL)


def _score_apart(
    detector: Detector,
    judge: Judge,
    inputs: Sequence[FileInput],
    outputs: Sequence[str | None],
    summary: Summary,
    shape: Shape,
    monitor: Monitor,
    follower: Follower,
) -> list[AedetectError]:
    errors: list[AedetectError] = []
    if len(inputs) > 1:
        for source in inputs:
            # A clash of names is found before the first output is written.
            with contextlib.suppress(DataError):
                output_fields(detector, source, shape)
    for source, output in zip(inputs, outputs, strict=True):
        outcome = InputOutcome()
        with _gathered(summary, source, output, outcome, errors, monitor) as entry:
            follower.begin(source)
            own = _typed(shape, output)
            schema = full_schema(output_fields(detector, source, own), own)
            with _sink(output, schema) as write:
                score_input(detector, source, judge, write, schema, own, outcome, monitor, follower.see)
                follower.check(source)
        if entry.error is None:
            follower.done(source, entry)
    return errors


def _score_together(
    detector: Detector,
    judge: Judge,
    inputs: Sequence[FileInput],
    outputs: Sequence[str | None],
    summary: Summary,
    shape: Shape,
    monitor: Monitor,
    follower: Follower,
) -> list[AedetectError]:
    errors: list[AedetectError] = []
    own = replace(_typed(shape, outputs[0]), source=True)
    fields: dict[str, list[pa.Field]] = {}
    for source in inputs:
        # Inputs that cannot be opened are met again, and named, when their turn comes.
        with contextlib.suppress(DataError):
            fields[source.name] = output_fields(detector, source, own)
    schema = full_schema(union_fields(list(fields.values())), own)
    good: list[tuple[FileInput, FileOutcome]] = []
    with contextlib.suppress(_NoGoodInput), _sink(outputs[0], schema) as write:
        for source in inputs:
            outcome = InputOutcome()
            with (
                contextlib.closing(Spool(schema)) as spool,
                _gathered(summary, source, outputs[0], outcome, errors, monitor) as entry,
            ):
                follower.begin(source)
                score_input(
                    detector, source, judge, spool.write, schema, own, outcome, monitor,
                    follower.see,
                )  # fmt: skip
                follower.check(source)
                for batch in spool.read():
                    write(batch)
            if entry.error is None:
                good.append((source, entry))
        if not good:
            raise _NoGoodInput
    for source, entry in good:
        follower.done(source, entry)
    return errors


class _Files:
    """Many files, of which it is soon said whether a path leads to one of them."""

    def __init__(self, paths: Sequence[str]):
        self._places = {os.path.realpath(path) for path in paths}
        self._files = {status for path in paths if (status := _identity(path))}

    def hold(self, path: str) -> bool:
        return os.path.realpath(path) in self._places or _identity(path) in self._files


def _identity(path: str) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


class _Observing(Follower):
    """Shows each batch to a function."""

    def __init__(self, observe: Observer):
        self._observe = observe

    def see(self, batch: pa.RecordBatch, verdicts: Verdicts) -> None:
        self._observe(batch, verdicts)


class _NoGoodInput(Exception):
    """Keeps an output without a single good input from being put in place."""


def _failure(errors: Sequence[AedetectError]) -> AedetectError:
    """The error of a run of which no input could be used."""
    if len(errors) == 1:
        return errors[0]
    told = "; ".join(str(error) for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return type(errors[0])(f"none of {len(errors)} inputs can be used: {told}{more}")


@contextlib.contextmanager
def _gathered(
    summary: Summary,
    source: FileInput,
    output: str | None,
    outcome: InputOutcome,
    errors: list[AedetectError],
    monitor: Monitor,
) -> Iterator[FileOutcome]:
    """Enters what becomes of one input into the summary; data and model errors do not escape."""
    monitor.stage(source.name)
    entry = FileOutcome(source.name, output)
    try:
        yield entry
    except (DataError, ModelError) as error:
        errors.append(error)
        entry.output, entry.status, entry.error = None, "failed", str(error)
    else:
        for name, value in asdict(outcome.counts).items():
            setattr(entry, name, value)
        summary.counts.add(outcome.counts)
        summary.warnings += outcome.warnings
        for text in outcome.warnings:
            monitor.notice(text)
    summary.files.append(entry)


@contextlib.contextmanager
def _sink(output: str | None, schema: pa.Schema) -> Iterator[Any]:
    if output is None:
        yield lambda _: None
        return
    if output != STDIN:
        folder = os.path.dirname(output)
        if folder and not os.path.exists(folder):
            os.makedirs(folder, exist_ok=True)
    with open_sink(output, schema) as sink:
        yield sink.write


def _typed(shape: Shape, output: str | None) -> Shape:
    typed = output is not None and output_format(output) not in TEXT_FORMATS
    return replace(shape, typed=typed)


def _name_in_folder(source: FileInput) -> str:
    if source.location.path == STDIN:
        return "stdin.csv"
    name = source.location.relative or Path(source.location.path).name
    return name if format_of_name(name) else f"{name}.csv"


def alert_rate_of(detector: Detector, threshold: float) -> float | None:
    """The share of normal rows expected above the threshold, to the digits that calibration gives."""

    scores = np.array([np.nextafter(threshold, np.inf)])
    return float(f"{float(detector.calibration.p_values(scores)[0]):.6g}")
