"""Rows to codes and back: the jobs behind `encode` and `decode`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data import cells
from aedetect.data.features.decoder import restored, restored_types
from aedetect.engine.stream import Converted
from aedetect.errors import DataError, ModelError
from aedetect.io.source import Input, batch_rows
from aedetect.models.ensemble import in_blocks
from aedetect.tasks.input_warnings import Watch
from aedetect.tasks.projection import Drawn

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from aedetect.detector import Detector

CODE_PREFIX = "z"


def code_names(size: int) -> list[str]:
    return [f"{CODE_PREFIX}{index}" for index in range(size)]


class Encode:
    """Each row's id columns and its code, z0, z1, …; null where a row cannot be read.

    With `mapped`, rows are drawn for a map as they pass by, flagged ones marked. Raises ModelError
    for a model that has no code member.
    """

    name = "encode"

    def __init__(self, detector: Detector, mapped: bool = False):
        self.drawn = Drawn(detector.auxiliary_heads.codes.size) if mapped else None
        self.detector = detector
        self.codes = detector.auxiliary_heads.codes
        self.device: torch.device = detector.device
        self.batch_rows = batch_rows(detector.config, len(detector.encoder.owners))

    def start(self, source: Input, typed: bool) -> _Encoding:
        return _Encoding(self, source)


class _Encoding:
    def __init__(self, job: Encode, source: Input):
        arriving = source.open(1024).schema
        schema = job.detector.schema
        self.warnings = schema.check(source.name, arriving)
        self._job = job
        self._name = source.name
        self._ids = [arriving.field(name) for name in schema.names("id") if name in arriving.names]
        self._watch = Watch(source, schema)

    def fields(self) -> list[pa.Field]:
        import pyarrow as pa

        return [*self._ids, *(pa.field(name, pa.float32()) for name in code_names(self._job.codes.size))]

    def convert(self, batch: pa.RecordBatch, first: int) -> Converted:
        import pyarrow as pa

        job = self._job
        if job.drawn is None:
            encoded, flagged = job.detector.encoder.transform(batch), np.zeros(len(batch), np.bool_)
        else:
            verdicts = job.detector.score_batch(batch, job.detector.threshold)
            encoded, flagged = verdicts.encoded, verdicts.flagged
        self._watch.see(encoded, first - 1)
        codes = in_blocks(job.codes.encode, encoded.matrix, job.device)
        if job.drawn is not None:
            known = np.where(encoded.unscorable[:, None], np.nan, codes)
            job.drawn.add(self._name, first, known, flagged)
        own = [batch.column(item.name) for item in self._ids]
        found = [pa.array(column, mask=encoded.unscorable) for column in codes.T]
        out = pa.RecordBatch.from_arrays([*own, *found], schema=pa.schema(self.fields()))
        return Converted(out, int(encoded.unscorable.sum()))

    def conclude(self, rows: int) -> list[str]:
        return self._watch.conclude(rows)


class Decode:
    """Rows rebuilt from codes: what stands beside z0, z1, … and then the model's columns.

    Raises ModelError for a model that has no code member.
    """

    name = "decode"

    def __init__(self, detector: Detector):
        self.detector = detector
        self.codes = detector.auxiliary_heads.codes
        self.device: torch.device = detector.device
        self.batch_rows = batch_rows(detector.config, len(detector.encoder.owners))

    def start(self, source: Input, typed: bool) -> _Decoding:
        return _Decoding(self, source)


class _Decoding:
    def __init__(self, job: Decode, source: Input):
        arriving = source.open(1024).schema
        self._names = code_names(job.codes.size)
        lacking = [name for name in self._names if name not in arriving.names]
        if lacking:
            raise ModelError(
                f"{source.name}: has no column {lacking[0]!r}; this model's codes are "
                f"{_span(self._names)}: decode what its own `aedetect encode` wrote"
            )
        self.warnings: list[str] = []
        self._job = job
        self._source = source
        self._types = restored_types(job.detector.encoder)
        self._beside = [item for item in arriving if item.name not in (*self._names, *self._types)]
        self._bad = 0

    def fields(self) -> list[pa.Field]:
        import pyarrow as pa

        return [*self._beside, *(pa.field(name, type_) for name, type_ in self._types.items())]

    def convert(self, batch: pa.RecordBatch, first: int) -> Converted:
        import pyarrow as pa
        import pyarrow.compute as pc

        job = self._job
        read = [cells.numbers(batch.column(name), cells.CellRules()) for name in self._names]
        codes = np.column_stack([column.values for column in read])
        usable = np.asarray((np.abs(codes) <= cells.LARGEST).all(axis=1))
        bad = np.column_stack([column.bad for column in read]).any(axis=1)
        if bad.any():
            where = self._source.locate(first + int(bad.argmax()))
            raise DataError(f"{self._source.name}: {where}: a code is no number; was the file changed?")
        filled = np.where(usable[:, None], codes, 0.0).astype(np.float32)
        matrix = in_blocks(job.codes.decode, filled, job.device)
        found = restored(job.detector.encoder, matrix)
        keep = pa.array(usable)
        rebuilt = [
            pc.if_else(keep, found[name], pa.scalar(None, type_)) for name, type_ in self._types.items()
        ]
        own = [batch.column(item.name) for item in self._beside]
        out = pa.RecordBatch.from_arrays([*own, *rebuilt], schema=pa.schema(self.fields()))
        return Converted(out, int((~usable).sum()))

    def conclude(self, rows: int) -> list[str]:
        return []


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
