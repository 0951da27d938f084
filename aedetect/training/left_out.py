"""What is said of rows that are not learned from: how many, why, and which is the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aedetect.config import Config
from aedetect.data.labels import label_reader
from aedetect.engine.cluster import Here, Workers
from aedetect.io.source import Input
from aedetect.training.passes import Chunk, Part, Passes, chunks_of

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


def labelled_notice(
    count: int, inputs: Sequence[Input], config: Config, workers: Workers | None = None
) -> str:
    """The sentence on rows that are labelled as anomalies, which were read and passed over before.

    `workers` look for the first; None for this process.
    """
    places = Passes(inputs, workers or Here()).map(_FirstLabelled(config))
    first = next((place for place in places if place is not None), None)
    why = LABELLED if count != 1 else "labelled as an anomaly"
    return left_out_notice(count, why, first)


@dataclass(frozen=True)
class _FirstLabelled:
    """Where the first row of a part stands that is labelled as an anomaly; None where there is none."""

    config: Config

    def __call__(self, part: Part) -> str | None:
        labelled = chunks_of(part, self.config, label_reader(self.config.data), anomalies=True)
        first = next((chunk for chunk in labelled if len(chunk.batch)), None)
        return place_in(first, 0) if first is not None else None
