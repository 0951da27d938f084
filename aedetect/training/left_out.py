"""What is said of rows that are not learned from: how many, why, and which is the first."""

from __future__ import annotations

from collections.abc import Sequence

from aedetect.config import Config
from aedetect.io.source import Input
from aedetect.training.passes import Chunk, chunks

INFINITE = "with a number that is infinite or beyond 3.4e38"
EMPTY = "without any value"
LABELLED = "labelled as anomalies"


def place_in(chunk: Chunk, index: int) -> str:
    """Where a row stands: 'row 7 (line 8) of a.csv'."""
    return f"{chunk.source.locate(int(chunk.numbers[index]))} of {chunk.source.name}"


def left_out_notice(count: int, why: str, first: str | None) -> str:
    """The sentence; `first`: where the first of these rows stands, if that is known."""
    known = f"; {'it' if count == 1 else 'the first'} is {first}" if first else ""
    return f"left out of training: {count:,} row{'s' * (count != 1)} {why}{known}"


def labelled_notice(count: int, inputs: Sequence[Input], config: Config) -> str:
    """The sentence on rows that are labelled as anomalies, which were read and passed over before."""
    labelled = (chunk for chunk in chunks(inputs, config, anomalies=True) if len(chunk.batch))
    first = next(labelled, None)
    why = LABELLED if count != 1 else "labelled as an anomaly"
    return left_out_notice(count, why, place_in(first, 0) if first else None)
