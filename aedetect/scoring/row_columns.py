"""What is said of each of many rows: in memory, or in a file that the system maps into it."""

from __future__ import annotations

import tempfile

import numpy as np

from aedetect.data.arrays import AnyArray
from aedetect.io.atomic import writing

_WRITTEN_AT_ONCE = 100_000


def row_column(rows: int, fill: float | bool, in_file: bool) -> AnyArray:
    """A column [rows] that is `fill` everywhere, of its type; a file is gone once the column is.

    Memory that a file stands behind is given back where others need it. Raises OutputError where the file
    cannot be written.
    """
    if not in_file or not rows:
        return np.full(rows, fill)
    kind = np.full(0, fill).dtype
    with writing(tempfile.gettempdir()), tempfile.TemporaryFile(prefix="aedetect-") as file:
        # Written in full: where room on the disk is lacking, that is said now.
        for first in range(0, rows, _WRITTEN_AT_ONCE):
            file.write(np.full(min(_WRITTEN_AT_ONCE, rows - first), fill).data)
        file.flush()
        return np.asarray(np.memmap(file, kind, "r+", shape=(rows,)))
