"""Rows of which something is known beforehand: when they were planned, what people said of them.

`train` learns from some of them and not from others; neither can judge a model, as it was told of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Mask
from aedetect.data.cells import CellRules
from aedetect.io.source import Input, batch_rows
from aedetect.scoring.feedback_store import Note
from aedetect.training.feedback_rows import NotedEvents, called
from aedetect.training.planned_rows import PlanRequest, opened_pass


def known_rows(
    inputs: Sequence[Input], config: Config, planned: PlanRequest, notes: Sequence[Note]
) -> tuple[Mask, Mask] | None:
    """Which rows `train` leaves out, and which people called normal [rows], one input after the other.

    None where nothing is known of any. Raises UsageError or DataError for plans that do not fit the inputs,
    or cannot be read.
    """
    if config.series.time is not None:
        planned = replace(planned, noted=NotedEvents.of(notes))
    around = planned.over(inputs, config)
    on_rows = [note for note in notes if note.counts and note.event is None]
    if not on_rows and not any(map(opened_pass, around)):
        return None
    rules = CellRules(config.data.decimal, tuple(config.data.na_values))
    left_out, normal = [np.empty(0, dtype=np.bool_)], [np.empty(0, dtype=np.bool_)]
    for source in around:
        planning, first = opened_pass(source), 0
        for batch in source.open(batch_rows(config, len(source.open(1024).schema))).batches():
            odd, usual = called(batch, on_rows, rules)
            if planning is not None:
                odd |= planning.planned(batch, np.arange(first + 1, first + len(batch) + 1))
            left_out.append(odd)
            normal.append(usual & ~odd)
            first += len(batch)
    return np.concatenate(left_out), np.concatenate(normal)
