"""`aedetect decode`: codes as rows again."""

from __future__ import annotations

from aedetect.cli.command import running
from aedetect.cli.convert import RowsOptions, convert


def decode(rows: RowsOptions) -> None:
    """Rebuild rows from the codes that `aedetect encode` wrote, in the model's columns and units.

    Columns that stand beside the codes, such as ids, are kept. What a code leaves out of a row
    comes back as what is expected there.

    Example: aedetect decode codes.parquet -m model.aed -o rows.csv
    """
    with running("decode", rows.messages) as out:
        rows.look()
        from aedetect.tasks.rows_run import decode_task

        convert(out, rows.request(), rows.settings(), decode_task)
