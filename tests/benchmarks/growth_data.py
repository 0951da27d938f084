"""Files of any size for the benchmark of growth: `python growth_data.py AXIS SIZE FILE [SEED]`.

Rows are points of five hidden normal numbers, sent through a fixed random map, with normal noise of a fifth
of their spread; they are drawn from numpy's default_rng, written in pieces, and cost little memory whatever
the size. A process of its own writes them, so that the one that measures stays small."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

LATENT, NOISE = 5, 0.2
# Columns of the files of many rows, rows of those of many columns, and of those of many categories.
COLUMNS, ROWS, CATEGORY_ROWS = 20, 10_000, 300_000
# Numbers beside the column of categories, channels of a series, and rows of each series.
NUMBERS, CHANNELS, STEPS = 4, 4, 100
CELLS_AT_ONCE = 2_000_000

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def rows_of(axis: str, size: int) -> int:
    """How many rows the file of a size has."""
    return {"rows": size, "columns": ROWS, "categories": CATEGORY_ROWS, "series": size * STEPS}[axis]


def parts(axis: str, size: int, seed: int) -> Iterator[pa.Table]:
    """The file's rows, piece by piece; the hidden map is the same whatever the seed."""
    columns = {"rows": COLUMNS, "columns": size, "categories": NUMBERS, "series": CHANNELS}[axis]
    mixing = np.random.default_rng(0).standard_normal((LATENT, columns), dtype=np.float32)
    random = np.random.default_rng((1, seed))
    at_once = max(CELLS_AT_ONCE // columns, 1)
    rows = rows_of(axis, size)
    for start in range(0, rows, at_once):
        count = min(at_once, rows - start)
        numbers = _numbers(random, mixing, count)
        cells = {f"c{index}": numbers[:, index] for index in range(columns)}
        if axis == "categories":
            cells = {"category": _categories(random, size, start, count), **cells}
        elif axis == "series":
            cells = {**_places(size, start, count, seed), **cells}
        yield pa.table(cells)


def _numbers(random: np.random.Generator, mixing: Matrix, rows: int) -> Matrix:
    clean = random.standard_normal((rows, LATENT), dtype=np.float32) @ mixing
    noise = random.standard_normal(clean.shape, dtype=np.float32)
    # Rounded as sensors and people write them; otherwise text takes nine digits a number.
    return np.round(clean + NOISE * np.sqrt(LATENT) * noise, 4)


def _categories(random: np.random.Generator, size: int, start: int, rows: int) -> pa.Array:
    """Few values fill most rows and each occurs: the first `size` rows of the file hold each once."""
    codes = np.floor(size ** random.random(rows)).astype(np.int64) - 1
    places = np.arange(start, start + rows)
    codes = np.where(places < size, places, np.minimum(codes, size - 1))
    return pa.array([f"value-{code}" for code in codes.tolist()])


def _places(size: int, start: int, rows: int, seed: int) -> dict[str, pa.Array]:
    """A row a minute of each series, in the order of time, as a collector writes them."""
    places = np.arange(start, start + rows)
    minutes = (places // size + seed * STEPS) * np.timedelta64(1, "m")
    names = [f"series-{place:06d}" for place in (places % size).tolist()]
    return {"time": pa.array(np.datetime64("2024-01-01", "us") + minutes), "series": pa.array(names)}


def write(path: Path, axis: str, size: int, seed: int) -> None:
    """The file, CSV or Parquet by its suffix."""
    writer = None
    for part in parts(axis, size, seed):
        if writer is None:
            kind = pc.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
            writer = kind(path, part.schema)
        writer.write_table(part)
    assert writer
    writer.close()


if __name__ == "__main__":
    write(Path(sys.argv[3]), sys.argv[1], int(sys.argv[2]), int(sys.argv[4]) if sys.argv[4:] else 0)
