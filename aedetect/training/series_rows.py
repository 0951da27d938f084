"""Rows of series as they are read to learn from, or to calibrate with."""

from __future__ import annotations

import numpy as np

from aedetect.data.features import Encoded
from aedetect.data.series.buffer import Gatherer
from aedetect.errors import DataError
from aedetect.training.passes import Chunk
from aedetect.training.split import unreadable_cell


def take(gatherer: Gatherer, chunk: Chunk) -> Encoded:
    """Keep rows to learn from, or to calibrate with; the encoded rows.

    Raises DataError for a cell that cannot be read and a row without a time.
    """
    encoded, times = gatherer.take(chunk.batch, chunk.locate)
    for column, fault in encoded.unreadable.items():
        raise DataError(unreadable_cell(chunk, column, fault.first_row, gatherer.encoder))
    if np.isnan(times.seconds).any():
        index, clock = int(np.isnan(times.seconds).argmax()), gatherer.clock
        value = clock.cells_of(chunk.batch, gatherer.encoder.schema.rules)[index].as_py()
        what = (
            f"{str(value)[:40]!r} is no timestamp as the others are" if times.bad[index] else "no timestamp"
        )
        raise DataError(f"{chunk.locate(index)}, column {clock.column!r}: {what}; repair or remove the row")
    return encoded
