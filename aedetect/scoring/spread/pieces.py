"""The files of one input's rows, cut into buckets by series, and reading one bucket of them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import IO

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Integers
from aedetect.data.series.buffer import Rows, together
from aedetect.data.series.entities import Name
from aedetect.data.series.row_records import as_records, record_of
from aedetect.errors import OutputError
from aedetect.io.atomic import atomic_output

# Rows are sorted by bucket in runs of so many bytes.
RUN_BYTES = 32 << 20


@contextlib.contextmanager
def shared_files(folder: str) -> Iterator[None]:
    """Turns the failure to read what workers have left in `folder` into OutputError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: what workers have left there cannot be read: {reason}") from None


def bucket_of(name: Name, buckets: int) -> int:
    """Which of so many buckets a series is in, by its name alone."""
    text = json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little") % buckets


class PiecesWriter:
    """Writes the rows of one input as they are read, in runs, each sorted by bucket.

    `names`: those of the input's series by their numbers there, as far as they are known by then. Raises
    OutputError where the file cannot be written.
    """

    def __init__(self, stream: IO[bytes], names: Sequence[Name], buckets: int):
        self._stream, self._names, self._buckets = stream, names, buckets
        self._bucket_of = np.empty(0, dtype=np.int64)
        self._held: list[tuple[Rows, Floats]] = []
        self._size = 0
        self._record: np.dtype[np.void] | None = None
        self._bounds: list[Integers] = []

    def add(self, rows: Rows, offset: Floats) -> None:
        """Take the next rows; `offset` [rows] as of `WallTimes`."""
        self._held.append((rows, offset))
        self._size += rows.values.nbytes + 40 * len(rows)
        if self._size > RUN_BYTES:
            self._write()

    def index(self) -> dict[str, AnyArray]:
        """Writes what is held, and gives what finds rows again, for `np.savez`."""
        self._write()
        more = self._buckets_of_names()
        text = json.dumps([list(name) for name in self._names]).encode()
        return {
            "bounds": np.array(self._bounds, np.int64).reshape(-1, self._buckets + 1),
            "names": np.frombuffer(text, np.uint8),
            "bucket_of": more,
            "record": np.empty(0, self._record) if self._record is not None else np.empty(0, np.uint8),
        }

    def _write(self) -> None:
        parts, offsets = [rows for rows, _ in self._held], [offset for _, offset in self._held]
        self._held, self._size = [], 0
        if not any(map(len, parts)):
            return
        rows, offset = together(parts, parts[0].values.shape[1]), np.concatenate(offsets)
        if self._record is None:
            self._record = record_of(rows, [("series", np.uint32), ("offset", np.float64)])
        bucket = self._buckets_of_names()[rows.series]
        order = np.argsort(bucket, kind="stable")
        records = as_records(rows, order, self._record)
        records["series"], records["offset"] = rows.series[order], offset[order]
        self._stream.write(records.data)
        self._bounds.append(np.searchsorted(bucket[order], np.arange(self._buckets + 1)))

    def _buckets_of_names(self) -> Integers:
        """The bucket of each series [series] that is known."""
        new = [bucket_of(name, self._buckets) for name in self._names[len(self._bucket_of) :]]
        self._bucket_of = np.r_[self._bucket_of, np.array(new, dtype=np.int64)]
        return self._bucket_of


def write_index(path: str, index: dict[str, AnyArray]) -> None:
    """Puts what `PiecesWriter.index` gives into a file. Raises OutputError where that fails."""
    with atomic_output(path) as stream:
        np.savez(stream, allow_pickle=False, **index)


@dataclass(frozen=True)
class Pieces:
    """The files of the input number `place`, or of its span number `span`, in the folder that all share.

    `before`: how many rows of the input go before.
    """

    folder: str
    place: int
    span: int = 0
    before: int = 0

    @property
    def rows_path(self) -> str:
        return f"{self._stem}.rows"

    @property
    def index_path(self) -> str:
        return f"{self._stem}.npz"

    @property
    def _stem(self) -> str:
        return os.path.join(self.folder, f"input-{self.place:07}-{self.span:05}")

    def of(self, bucket: int) -> BucketPieces:
        """What there is of a bucket."""
        with shared_files(self.folder), np.load(self.index_path, allow_pickle=False) as index:
            bounds, bucket_of, record = index["bounds"], index["bucket_of"], index["record"].dtype
            names = json.loads(index["names"].tobytes().decode()) if (bucket_of == bucket).any() else []
        local = np.flatnonzero(bucket_of == bucket)
        firsts = np.r_[0, np.cumsum(bounds[:, -1])] if len(bounds) else np.zeros(1, np.int64)
        runs = [
            (self.before + int(first), int(first + low), int(first + high))
            for first, low, high in zip(firsts, bounds[:, bucket], bounds[:, bucket + 1], strict=False)
        ]
        return BucketPieces(self.rows_path, record, local, [tuple(names[number]) for number in local], runs)


@dataclass(frozen=True)
class BucketPieces:
    """The rows of one bucket in one input.

    `local` [series]: the numbers of its series in the input, ascending, and their `names`. `runs`: the number
    of the first row of each run in the input, and between which rows of the file the bucket's are.
    """

    path: str
    record: np.dtype[np.void]
    local: Integers
    names: Sequence[Name]
    runs: Sequence[tuple[int, int, int]]

    def __len__(self) -> int:
        return sum(high - low for _, low, high in self.runs)

    def records(self) -> Iterator[tuple[AnyArray, Integers]]:
        """Some rows at a time, in the order of the input: their records, and their numbers there, from 0."""
        if not len(self):
            return
        with shared_files(os.path.dirname(self.path)), open(self.path, "rb") as file:
            for first, low, high in self.runs:
                if high > low:
                    file.seek(low * self.record.itemsize)
                    records = np.frombuffer(file.read((high - low) * self.record.itemsize), self.record)
                    yield records, records["place"].astype(np.int64) + first
