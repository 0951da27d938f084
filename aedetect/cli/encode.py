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
        "--map FILE",
        "Draw the rows on a plane, as `aedetect report` does: .png, .svg or .html.",
        panel=OUTPUT,
    ),
) -> None:
    """Compress rows to a few numbers each, z0, z1 and so on, beside their id columns.

    `aedetect decode` rebuilds rows from them, about: how far off they are is said. How many there are
    is settled in training (`aedetect train --latent N`); a row that cannot be read has none.

    Example: aedetect encode march.csv -m model.aed -o codes.parquet --map march.png
    """
    with running("encode", rows.messages) as out:
        rows.look()
        if map is not None:
            from aedetect.tasks.projection import check_map

            check_map(map, rows.output)
        from aedetect.tasks.rows_run import encode_task, who_sees_codes

        make = partial(encode_task, scored=map is not None)
        locked = [] if map is None else [map]
        convert(
            out,
            rows.request(locked=locked),
            rows.checked_settings(),
            make,
            partial(who_sees_codes, map_path=map),
        )
