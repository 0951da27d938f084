"""`aedetect clean`: rows without noise and impossible values."""

from __future__ import annotations

from functools import partial

from aedetect.cli import options
from aedetect.cli.command import running
from aedetect.cli.convert import RowsOptions, convert
from aedetect.cli.options import OUTPUT, THRESHOLD, option
from aedetect.errors import UsageError


def clean(
    rows: RowsOptions,
    denoise: bool = option(
        "--denoise",
        "Remove noise from all numbers, too, as if it were half a standard deviation of their column.",
        default=False,
    ),
    noise: str | None = option(
        "--noise S",
        "Remove noise of this strength, in standard deviations of the column.",
    ),
    only_anomalous_cells: bool = option(
        "--only-anomalous-cells", "Replace just the cells to blame for a flagged row.", default=False
    ),
    changes: str | None = option(
        "--changes FILE", "List each changed cell: row, column, was, is, why.", panel=OUTPUT
    ),
    alert_rate: str | None = option(
        "--alert-rate R",
        "With --only-anomalous-cells, flag this share of normal rows; default: as trained.",
        panel=THRESHOLD,
    ),
) -> None:
    """Replace values that no row can have; with --denoise, remove noise from numbers.

    Infinite or unreadable numbers, numbers far beyond all learned and categories never seen are
    replaced by what is expected there. Missing cells stay missing (see `aedetect impute`); cells
    that are not changed stay as they were written.

    Example: aedetect clean march.csv -m model.aed -o march-clean.csv --changes changes.csv
    """
    with running("clean", rows.messages) as out:
        if only_anomalous_cells and (denoise or noise is not None):
            asked = "--noise" if noise is not None else "--denoise"
            raise UsageError(f"--only-anomalous-cells and {asked} exclude each other; choose one")
        if denoise and noise is not None:
            raise UsageError("--noise S says how strong the noise is, and is enough; leave --denoise out")
        if alert_rate is not None and not only_anomalous_cells:
            raise UsageError("--alert-rate needs --only-anomalous-cells")
        rows.look()
        from aedetect.tasks.rows_run import clean_task

        strength = 0.0 if noise is None else options.number(noise, "--noise")
        if denoise:
            from aedetect.tasks.clean import USUAL_NOISE

            strength = USUAL_NOISE
        make = partial(
            clean_task, noise=strength, flagged_only=only_anomalous_cells, listed=changes is not None
        )
        settings = rows.checked_settings({"threshold.alert_rate": alert_rate})
        convert(out, rows.request(side=changes), settings, make)
