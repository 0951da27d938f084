"""`aedetect impute`: rows without gaps."""

from __future__ import annotations

from functools import partial

from aedetect.cli import options
from aedetect.cli.command import running
from aedetect.cli.convert import RowsOptions, convert
from aedetect.cli.options import OUTPUT, option


def impute(
    rows: RowsOptions,
    mark: bool = option(
        "--mark", "Add a column 'imputed' that names the cells filled.", panel=OUTPUT, default=False
    ),
    draws: str | None = option(
        "--draws N", "Give N plausible fills of each row, numbered in a column 'draw'."
    ),
    seed: str = option("--seed N", "Same seed, same draws; default: 0.", default="0"),
) -> None:
    """Fill missing cells with the values that the rest of their row suggests.

    Observed cells stay as they were written. Filled ones keep the column's type and range: whole
    numbers stay whole, categories are known ones.

    Example: aedetect impute march.csv -m model.aed -o march-filled.csv --mark
    """
    with running("impute", rows.messages) as out:
        rows.look()
        from aedetect.tasks.rows_run import impute_task

        fills = None if draws is None else options.whole(draws, "--draws")
        make = partial(impute_task, mark=mark, draws=fills, seed=options.whole(seed, "--seed"))
        convert(out, rows.request(), rows.checked_settings(), make)
