"""Rows that are scored inside an engine and by the command line, and whether the verdicts are the same."""

from __future__ import annotations

import contextlib
import io
import pickle  # noqa: TID251 - what engines send scorers with
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from support.pages import DOCS, blocks
from support.prompt import Prompt
from support.sensors import broken, readings
from support.tables import tiny_frame

Sent = TypeVar("Sent")
# Numbers the rows, whose order an engine does not keep.
NUMBER = "n"


def mixed_rows(rows: int = 3000, seed: int = 5) -> pa.Table:
    """Rows of `tiny_frame`, some far off, some with gaps, unseen categories and cells that are no numbers."""
    frame = tiny_frame(rows, seed)
    frame.loc[::97, "temp"] = 90.0
    frame.loc[5::211, "temp"] = np.nan
    frame.loc[7::301, "site"] = "moon"
    frame.loc[9::401, "site"] = None
    frame.loc[11::501, "temp"] = np.inf
    texts = frame["load"].map("{:.3f}".format)
    texts[13::601] = "out of order"
    return numbered(frame.assign(load=texts))


def machine_rows(days: float = 3, machines: int = 3, seed: int = 2) -> pa.Table:
    """Rows of several machines, one of which is stuck for a while; some have no time."""
    frame = broken(readings(days, machines, seed), 200, 230)
    frame["time"] = frame["time"].astype("datetime64[us]")
    frame.loc[17::401, "time"] = pd.NaT
    frame.loc[19::307, "load"] = np.nan
    return numbered(frame)


def numbered(frame: pd.DataFrame) -> pa.Table:
    """The rows of a DataFrame as an Arrow table, with their numbers."""
    return pa.Table.from_pandas(frame.assign(**{NUMBER: range(len(frame))}), preserve_index=False)


def shuffled(rows: pa.Table, seed: int = 1) -> pa.Table:
    """The rows in another order."""
    return rows.take(np.random.default_rng(seed).permutation(len(rows)))


def by_command_line(prompt: Prompt, rows: pa.Table, model: Path, *flags: object) -> pa.Table:
    """What `aedetect score` makes of the rows in a Parquet file."""
    parquet.write_table(rows, prompt.folder / "rows.parquet")
    result = prompt("score", "rows.parquet", "-m", model, "-o", "scored.parquet", *flags)
    assert result.exit_code == 0, result.output
    return parquet.read_table(prompt.folder / "scored.parquet")


def check_same(scored: pa.Table, expected: pa.Table) -> None:
    """The same columns, rows and verdicts to the last bit, in whatever order rows are."""
    assert scored.column_names == expected.column_names
    assert len(scored) == len(expected)
    scored, expected = scored.sort_by(NUMBER), expected.sort_by(NUMBER)
    for name in expected.column_names:
        given, wanted = bits(scored.column(name), expected.schema.field(name).type), expected.column(name)
        assert given.equals(bits(wanted, wanted.type)), name


def bits(column: pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    """Floating-point numbers as the integers that their bits are; other values in the type given."""
    array = column.combine_chunks().cast(type_)
    return array.view(pa.int64()) if pa.types.is_float64(type_) else array


def sent(thing: Sent) -> Sent:
    """What arrives in another process."""
    arrived: Sent = pickle.loads(pickle.dumps(thing))  # noqa: S301 - made here
    return arrived


def snippets(engine: str) -> list[str]:
    """The code that docs/engines.md shows under the heading of an engine, and what the first of it prints."""
    page = (DOCS / "engines.md").read_text(encoding="utf-8")
    section = page.partition(f"## {engine}\n")[2].partition("\n## ")[0]
    return [block.text for block in blocks(section) if block.language in ("py", "text")]


def printed_by(code: str, names: dict[str, Any]) -> str:
    """What code prints; the names that it uses and makes are `names`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "<engines.md>", "exec"), names)  # noqa: S102, the code of our own page
    return printed.getvalue()
