"""`aedetect encode`: rows as a few numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aedetect.cli.command import running
from aedetect.cli.convert import RowsOptions, convert
from aedetect.cli.options import OUTPUT, option


def encode(
    rows: RowsOptions,
    map: Path | None = option(
        "--map FILE", "Draw the rows on a plane, by their codes: .png, .svg or .html.", panel=OUTPUT
    ),
) -> None:
    """Compress rows to a few numbers each, z0, z1 and so on, beside their id columns.

    `aedetect decode` rebuilds rows from them. How many there are is settled in training
    (`aedetect train --latent-dim K`); a row that cannot be read has none.

    Example: aedetect encode march.csv -m model.aed -o codes.parquet --map march.png
    """
    with running("encode", rows.messages) as out:
        if map is not None:
            from aedetect.tasks.projection import check_map

            check_map(map, rows.output)
        from aedetect.tasks.rows_run import encode_task, map_of_codes

        make = partial(encode_task, scored=map is not None)
        consumer = None if map is None else partial(map_of_codes, path=map)
        convert(out, rows.request(locked=[] if map is None else [map]), rows.settings(), make, consumer)
