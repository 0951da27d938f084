"""The strangest rows of a run, however its inputs were spread over processes."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
from support.tables import tiny_frame

from aedetect import load
from aedetect.engine.stream import Run, read_inputs
from aedetect.engine.summary import RunSummary
from aedetect.engine.task import Consumer, FileSummary
from aedetect.io.files import open_inputs
from aedetect.io.source import Input, ReadOptions
from aedetect.tasks.notify.flagged_rows import FlaggedRows
from aedetect.tasks.score import ScoreTask


def inputs(folder: Path) -> list[Input]:
    for number in range(3):
        frame = tiny_frame(30, seed=number)
        frame.loc[[number, 20], "temp"] = [500.0 + number, 900.0 - number]
        frame.to_csv(folder / f"{number}.csv", index=False)
    return list(open_inputs([str(folder)], ReadOptions()))


def read(task: ScoreTask, sources: list[Input], consumer: Consumer) -> None:
    for source in sources:
        consumer.begin(source)
        read_inputs(Run(task, RunSummary("score", task.counts, {}), consumer), [source])
        consumer.check(source)


def test_other_processes_hand_over_what_one_would_have_seen(tmp_path: Path, tiny_model: Path) -> None:
    fitted = load(tiny_model, device="cpu").fitted
    sources = inputs(tmp_path)
    task = ScoreTask(fitted, sources)
    alone, joined = FlaggedRows(fitted.threshold), FlaggedRows(fitted.threshold)
    read(task, sources, alone)
    for source in sources:
        remote = joined.remote()(task)
        read(task, [source], remote)
        state = ForkingPickler.loads(ForkingPickler.dumps(remote.state()))
        joined.merge(source, FileSummary(source.name, None, "scored"), state)
    named = [(row.source.name, row.row) for row in alone.seen.strangest]
    assert named == [(row.source.name, row.row) for row in joined.seen.strangest]
    assert len(named) == 3
    np.testing.assert_array_equal(alone.seen.histogram.counts, joined.seen.histogram.counts)
    assert alone.seen.histogram.counts.sum() == 90


def test_rows_of_an_input_that_fails_do_not_count(tmp_path: Path, tiny_model: Path) -> None:
    fitted = load(tiny_model, device="cpu").fitted
    sources = inputs(tmp_path)
    task = ScoreTask(fitted, sources)
    rows = FlaggedRows(fitted.threshold)
    rows.begin(sources[0])
    read_inputs(Run(task, RunSummary("score", task.counts, {}), rows), sources[:1])
    rows.begin(sources[1])
    assert rows.seen.strangest == []
