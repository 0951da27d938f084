"""`aedetect explain`: why was it flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from aedetect.cli import completion, options
from aedetect.cli.command import Opened, opened, running
from aedetect.cli.options import SERIES, argument, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.tables import simple_table
from aedetect.cli.text import plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.config import Config
    from aedetect.tasks.explain import Chosen, Explanation

_TOP = 5
_MOST_COLUMNS, _MOST_NEAREST = 8, 8
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class ExplainRequest:
    """Which rows, or which event of which series, to explain."""

    word: str
    rows: list[int]
    ids: list[str]
    top: int
    event: int | None
    entity: list[str]


def explain(
    input: Annotated[str, argument("INPUT", "A file, '-' for CSV on stdin, or a URI.", default=...)],
    model: options.ModelOptions,
    threshold: options.ThresholdOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    row: list[int] | None = option("--row N", "Explain this row, counted from 1; may be repeated."),
    id: list[str] | None = option("--id VALUE", "Explain the rows with this id; may be repeated."),
    top: int | None = option("--top K", "Explain the K strangest flagged rows; default: 5."),
    event: int | None = option(
        "--event N", "Explain the event of this number, as in the column anomaly_event.", panel=SERIES
    ),
    entity: list[str] | None = option(
        "--entity VALUE",
        "Look at this series alone, e.g. a machine; repeated where several columns name a series.",
        completion.entities,
        panel=SERIES,
    ),
) -> None:
    """Say why rows, or events of time series, were flagged: which columns, what was expected instead.

    Each row gets a plain sentence, its columns with their share in the score, the value seen, the
    value of normal rows that are alike in all else, how rare the value is, and the normal rows
    nearest to it. Of time series each event is explained, by what the model expected at that time.
    With --verbose, all columns are listed.

    Example: aedetect explain march.csv -m model.aed --top 10
    """
    with running("explain", messages) as out:
        if (row or id) and top is not None:
            raise UsageError("--top excludes --row and --id; choose one")
        if event is not None and (row or id or top is not None):
            raise UsageError("--event excludes --row, --id and --top; choose one")
        if top is not None and top < 1:
            raise UsageError(f"--top {top}: must be at least 1")
        request = ExplainRequest(input, row or [], id or [], top or _TOP, event, entity or [])
        settings = run.settings(reading.overrides(), threshold.overrides())
        _explain(out, request, model, settings)


def _explain(out: Output, request: ExplainRequest, model: options.ModelOptions, settings: Config) -> None:
    from aedetect.engine.summary import envelope
    from aedetect.tasks.explain import Explainer, Wish, choose

    subject = opened([request.word], model, settings)
    fitted, sources = subject.fitted, subject.sources
    if fitted.series is not None:
        _explain_series(out, subject, request)
        return
    if request.event is not None or request.entity:
        raise UsageError(f"{model.model}: no model of time series, which --event and --entity are for")
    if len(sources) > 1:
        raise UsageError(f"{request.word}: {len(sources)} files; explain one at a time")
    with TerminalProgress(out, settings.training.device) as callback:
        chosen = choose(fitted, sources[0], Wish(request.rows, request.ids, request.top), callback)
        explainer = Explainer(fitted)
        explained = [explainer.explain(found) for found in chosen.finds]
    warnings = list(chosen.warnings)
    if explained and not explainer.knows_normal_rows:
        warnings.append(
            f"{model.model}: made before aedetect kept normal rows to compare with, so what was expected "
            "is not known; retrain it"
        )
        out.warn(warnings[-1])
    body = {
        "path": sources[0].name,
        "rows": chosen.rows,
        "anomalies": chosen.anomalies,
        "threshold": fitted.threshold,
        "explained": [one.as_dict() for one in explained],
        "warnings": warnings,
    }
    out.result(envelope("explain", subject.entry, body))
    if not (out.json or out.quiet):
        _show(out, chosen, explained, fitted.threshold, out.verbose)


def _explain_series(out: Output, subject: Opened, request: ExplainRequest) -> None:
    from aedetect.cli import explain_tables as events
    from aedetect.engine.summary import envelope

    fitted = subject.fitted
    assert fitted.series is not None
    if request.ids:
        raise UsageError("--id is for models of tables; of time series give --event, --row or --entity")
    wish = events.SeriesWish(request.event, request.rows, request.entity, request.top)
    with TerminalProgress(out, str(fitted.device)) as callback:
        found = events.explain_series(fitted, subject.sources, wish, callback)
    body = {
        "path": subject.sources[0].name,
        **events.as_dict(found),
        "threshold": fitted.threshold,
        "warnings": found.warnings,
    }
    out.result(envelope("explain", subject.entry, body))
    if not (out.json or out.quiet):
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
