"""`aedetect explain`: why was it flagged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress, plain, simple_table
from aedetect.cli.exit import reported
from aedetect.cli.options import SERIES
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.explain import Chosen, Explanation

_TOP = 5
_MOST_COLUMNS, _MOST_NEAREST = 8, 8
_LEAST_SHARE = 0.01


def explain(
    input: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="A file, '-' for CSV on stdin, or an URI.", show_default=False),
    ],
    model: options.Model,
    row: Annotated[
        list[int] | None,
        typer.Option(
            metavar="N", help="Explain this row, counted from 1; may be repeated.", show_default=False
        ),
    ] = None,
    id: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE", help="Explain the rows with this id; may be repeated.", show_default=False
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Explain the K strangest flagged rows; default: 5.", show_default=False
        ),
    ] = None,
    event: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Of time series: explain the event of this number, as in anomaly_event.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help="Of time series: look at this series alone, e.g. a machine.",
            rich_help_panel=SERIES,
            show_default=False,
        ),
    ] = None,
    alert_rate: options.AlertRate = None,
    threshold: options.Threshold = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say why rows, or events of time series, were flagged: which columns, what was expected instead.

    Each row gets a plain sentence, its columns with their share in the score, the value seen, the
    value that normal rows alike in all else have, how rare the value is, and the normal rows
    nearest to it. Of time series each event is explained, by what the model expected at that time.
    With --verbose, all columns.

    Example: aedetect explain march.csv -m model.aed --top 10
    """
    out = Output("explain", json, quiet, verbose)
    with reported(out):
        if (row or id) and top is not None:
            raise UsageError("--top excludes --row and --id; choose one")
        if event is not None and (row or id or top is not None):
            raise UsageError("--event excludes --row, --id and --top; choose one")
        if top is not None and top < 1:
            raise UsageError(f"--top {top}: must be at least 1")
        overrides = {
            **options.reading(format, delimiter, encoding),
            **options.flagging(alert_rate, threshold),
            "training.device": device,
        }
        wished = (row or [], id or [], top or _TOP)
        _explain(out, input, model, wished, (event, entity or []), overrides, config)


def _explain(
    out: Output,
    word: str,
    model: Path,
    wished: tuple[list[int], list[str], int],
    series: tuple[int | None, list[str]],
    overrides: dict[str, Any],
    config: Path | None,
) -> None:
    from aedetect._version import __version__
    from aedetect.tasks.explain import Explainer, Wish, choose

    settings = options.settings(config, overrides)
    fitted, sources, told = options.opened([word], model, settings)
    if fitted.series is not None:
        _explain_series(out, fitted, sources, told, wished, series)
        return
    if series[0] is not None or series[1]:
        raise UsageError(f"{model}: no model of time series, which --event and --entity are for")
    if len(sources) > 1:
        raise UsageError(f"{word}: {len(sources)} files; explain one at a time")
    with TerminalProgress(out, settings.training.device) as callback:
        chosen = choose(fitted, sources[0], Wish(*wished), callback)
        explainer = Explainer(fitted)
        explained = [explainer.explain(found) for found in chosen.finds]
    warnings = list(chosen.warnings)
    if explained and not explainer.knows_normal_rows:
        warnings.append(
            f"{model}: made before aedetect kept normal rows to compare with, so what was expected is not "
            "known; retrain it"
        )
        out.warn(warnings[-1])
    out.result(
        {
            "schema_version": 1,
            "aedetect_version": __version__,
            "command": "explain",
            "model": told,
            "path": sources[0].name,
            "rows": chosen.rows,
            "anomalies": chosen.anomalies,
            "threshold": fitted.threshold,
            "explained": [one.as_dict() for one in explained],
            "warnings": warnings,
            "exit_code": 0,
        }
    )
    if not (out.json or out.quiet):
        _show(out, chosen, explained, fitted.threshold, out.verbose)


def _explain_series(
    out: Output,
    fitted: FittedModel,
    sources: list[FileInput],
    told: dict[str, str | None],
    wished: tuple[list[int], list[str], int],
    series: tuple[int | None, list[str]],
) -> None:
    from aedetect._version import __version__
    from aedetect.cli import explain_tables as events

    rows, ids, top = wished
    if ids:
        raise UsageError("--id is for models of tables; of time series give --event, --row or --entity")
    wish = events.SeriesWish(series[0], rows, series[1], top)
    with TerminalProgress(out, str(fitted.device)) as callback:
        found = events.explain_series(fitted, sources, wish, callback)
    out.result(
        {
            "schema_version": 1,
            "aedetect_version": __version__,
            "command": "explain",
            "model": told,
            "path": sources[0].name,
            **events.as_dict(found),
            "threshold": fitted.threshold,
            "warnings": found.warnings,
            "exit_code": 0,
        }
    )
    if not (out.json or out.quiet):
        assert fitted.series is not None
        clock = fitted.series.state.clock
        zone = " UTC" if clock.aware or clock.zone else ""
        events.show(out, found, fitted.threshold, zone, out.verbose)


def _show(
    out: Output, chosen: Chosen, explained: list[Explanation], threshold: float, everything: bool
) -> None:
    if not explained:
        strangest = chosen.strangest
        ending = f"; the strangest is row {strangest.row}: see --row {strangest.row}" if strangest else ""
        out.say(f"{chosen.rows:,} rows, none flagged{ending}")
    for place, one in enumerate(explained):
        if place:
            out.say()
        out.say(_headline(one, threshold))
        out.say(f"  {one.sentence}")
        if one.columns:
            out.say()
            out.table(_reasons(one, everything))
        if one.nearest:
            out.say()
            out.figures(_nearest(one))


def _headline(one: Explanation, threshold: float) -> str:
    ids = "".join(f", {plain(name, 20)} {plain(value, 30)}" for name, value in one.ids.items())
    if one.score is None:
        return f"{plain(one.source)}: {one.place}{ids}: unscorable"
    verdict = "flagged" if one.flagged else "not flagged"
    more = f" and {one.alike - 1:,} more just like it" if one.alike > 1 else ""
    return (
        f"{plain(one.source)}: {one.place}{ids}{more}: {verdict}, score {one.score:.4g} "
        f"(threshold {threshold:.4g}, p-value {one.p_value:.2g})"
    )


def _reasons(one: Explanation, everything: bool) -> Table:
    table = simple_table("column", "share", "value", "expected", "how rare", right=("share",))
    told = [
        reason
        for place, reason in enumerate(one.columns)
        if everything or not place or (place < _MOST_COLUMNS and reason.share >= _LEAST_SHARE)
    ]
    for reason in told:
        table.add_row(
            plain(reason.column, 30),
            f"{reason.share:.0%}",
            plain(reason.told, 30),
            plain(reason.expected.text, 40) if reason.expected else "",
            plain(reason.rarity.text),
        )
    return table


def _nearest(one: Explanation) -> Table:
    names = [reason.column for reason in one.columns if reason.column in one.nearest[0]][:_MOST_NEAREST]
    table = simple_table("nearest", *(plain(name, 16) for name in names))
    table.add_row("this row", *(plain(_seen(one, name), 16) for name in names))
    for row in one.nearest:
        table.add_row("normal", *(plain(row[name], 16) for name in names))
    return table


def _seen(one: Explanation, name: str) -> str:
    return next(reason.told for reason in one.columns if reason.column == name)
