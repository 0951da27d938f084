"""The files of what is said of the rows of one bucket, by input and row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aedetect.data.arrays import AnyArray, Integers, Matrix
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.io.atomic import atomic_output
from aedetect.scoring.spread.pieces import shared_files

FLAGGED, UNSCORABLE, WARMUP = 1, 2, 4
# `row`: its number in its input, from 0; `marks`: of the above.
VERDICT = np.dtype(
    [("row", "<i8"), ("score", "<f8"), ("p_value", "<f8"), ("event", "<i8"), ("marks", np.uint8)]
)
# A series by where it was first met: the place of an input, and its number there.
Key = tuple[int, int]
_TAILS = pa.schema(
    [("place", pa.int64()), ("local", pa.int64()), ("name", pa.list_(pa.string())), ("tail", pa.binary())]
)


def share_record(columns: int) -> np.dtype[np.void]:
    """What is written of a row that is flagged or muted: its number, and the share of each column."""
    return np.dtype([("row", "<i8"), ("shares", "<f4", (columns,))])


@dataclass(frozen=True)
class BucketFiles:
    """Where the verdicts of one bucket are, in the folder that all share."""

    folder: str
    bucket: int

    def path(self, what: str) -> str:
        return os.path.join(self.folder, f"bucket-{self.bucket:07}.{what}")

    def write(self, what: str, parts: Iterator[AnyArray]) -> None:
        """Records of one input after the other, with a file that tells where each begins."""
        counts = [0]
        with atomic_output(self.path(what)) as stream:
            for records in parts:
                stream.write(records.data)
                counts.append(counts[-1] + len(records))
        with atomic_output(self.path(f"{what}.npy")) as stream:
            np.save(stream, np.array(counts, np.int64), allow_pickle=False)

    def read(self, what: str, place: int, record: np.dtype[np.void]) -> AnyArray:
        """The records of the input number `place`, as the system maps them into memory."""
        with shared_files(self.folder):
            bounds = np.load(self.path(f"{what}.npy"), mmap_mode="r", allow_pickle=False)
            first, end = int(bounds[place]), int(bounds[place + 1])
            if end == first:
                return np.empty(0, record)
            return np.memmap(self.path(what), record, "r", first * record.itemsize, end - first)

    def write_tails(self, parts: Iterator[Sequence[tuple[Key, Name, SeriesContext]]]) -> None:
        """What later runs are to know of the series of one input after the other."""
        with atomic_output(self.path("tails")) as stream, pa.ipc.new_file(stream, _TAILS) as writer:
            for tails in parts:
                rows = [
                    {"place": key[0], "local": key[1], "name": list(name), "tail": context.to_bytes()}
                    for key, name, context in tails
                ]
                writer.write_batch(pa.RecordBatch.from_pylist(rows, _TAILS))

    def tails(self, place: int) -> list[tuple[Key, Name, SeriesContext]]:
        """The same, of the input number `place`."""
        with shared_files(self.folder), pa.OSFile(self.path("tails")) as stream:
            batch = pa.ipc.open_file(stream).get_batch(place)
            return [
                ((row["place"], row["local"]), tuple(row["name"]), SeriesContext.from_bytes(row["tail"]))
                for row in batch.to_pylist()
            ]


def verdicts(
    rows: Integers, scores: AnyArray, p_values: AnyArray, events: AnyArray, marks: AnyArray
) -> AnyArray:
    """What is said of rows [rows] as records."""
    records = np.empty(len(rows), VERDICT)
    each = zip(VERDICT.names or (), (rows, scores, p_values, events, marks), strict=True)
    for name, values in each:
        records[name] = values
    return records


def shares_of(rows: Integers, shares: Matrix) -> AnyArray:
    """The shares [rows, columns] of flagged rows as records."""
    records = np.empty(len(rows), share_record(shares.shape[1]))
    records["row"], records["shares"] = rows, shares
    return records
