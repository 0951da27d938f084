"""`aedetect explain`: why was it flagged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_at_columns, look_at_muting, opened, running
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import SERIES, argument, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.cli.command import Opened
    from aedetect.tasks.explain import ExplainRequest, Explanation, Explanations
    from aedetect.tasks.suppression.request import MutingRequest

_MOST_COLUMNS, _MOST_NEAREST = 8, 8
_LEAST_SHARE = 0.01


def explain(
    input: Annotated[str, argument("INPUT", "A file, '-' for CSV on stdin, or a URI.", default=...)],
    model: options.ModelOptions,
    threshold: options.ThresholdOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    muting: options.MutingOptions,
    row: list[str] | None = option("--row N", "Explain this row, counted from 1; may be repeated."),
    id: list[str] | None = option("--id VALUE", "Explain the rows with this id; may be repeated."),
    top: str | None = option("--top K", "Explain the K strangest flagged rows; default: 5."),
    groups: bool = option(
        "--groups",
        "Find what many flagged rows have in common: values and ranges in which they are far more frequent, "
        "and events of several series that belong together.",
        default=False,
    ),
    event: str | None = option(
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
    With --verbose, all columns are listed. With --groups, all flagged rows are looked at together.

    Example: aedetect explain march.csv -m model.aed --top 10
    """
    with running("explain", messages) as out:
        look([input], model)
        look_at_muting(muting)
        settings = run.settings(reading.overrides(), threshold.overrides())
        look_at_columns([input], model, settings)
        from aedetect.tasks.explain.request import USUAL_TOP, ExplainRequest

        if groups:
            chosen = {"--row": row, "--id": id, "--top": top, "--event": event, "--entity": entity}
            if excluded := [name for name, value in chosen.items() if value]:
                raise UsageError(f"--groups excludes {' and '.join(excluded)}; choose one")
            _explain_groups(out, opened([input], model, settings), muting.request(run.config))
            return
        if (row or id) and top is not None:
            raise UsageError("--top excludes --row and --id; choose one")
        if event is not None and (row or id or top is not None):
            raise UsageError("--event excludes --row, --id and --top; choose one")
        strangest = USUAL_TOP if top is None else options.whole(top, "--top")
        if strangest < 1:
            raise UsageError(f"--top {top}: must be at least 1")
        rows = [options.whole(text, "--row") for text in row or []]
        number = None if event is None else options.whole(event, "--event")
        request = ExplainRequest(rows, id or [], number, entity or [], strangest)
        _explain(out, opened([input], model, settings), request, muting.request(run.config))
        given = Given(reading, run, threshold, muting)
        next_steps(
            out, ["report", input, "-m", model.model, "-o", beside(input, "-report.html"), *given.of_report]
        )


def _explain(out: Output, subject: Opened, request: ExplainRequest, muting: MutingRequest) -> None:
    from aedetect.engine.summary import envelope
    from aedetect.tasks.explain import explain

    with TerminalProgress(out) as callback:
        request = replace(request, suppression=muting.build(subject.fitted, callback.notice))
        explanations = explain(subject.fitted, subject.sources, request, callback)
    body = {"path": subject.sources[0].name, **explanations.as_dict(), "warnings": explanations.warnings}
    out.result(envelope("explain", subject.entry, body))
    if not (out.json or out.quiet):
        _show(out, explanations)


def _explain_groups(out: Output, subject: Opened, muting: MutingRequest) -> None:
    from aedetect.cli import explain_groups
    from aedetect.engine.summary import envelope
    from aedetect.tasks.explain import segments

    with TerminalProgress(out) as callback:
        suppression = muting.build(subject.fitted, callback.notice)
        groups = segments.explain_groups(subject.fitted, subject.sources, callback, suppression)
    paths = [source.name for source in subject.sources]
    body = {"paths": paths, **groups.as_dict(), "warnings": groups.warnings}
    out.result(envelope("explain", subject.entry, body))
    explain_groups.show(out, groups)


def _show(out: Output, explanations: Explanations) -> None:
    from aedetect.cli import explain_tables
    from aedetect.tasks.explain import Explanation

    if explanations.events is not None:
        explain_tables.show(out, explanations)
        return
    if not explanations.explained:
        row = explanations.strangest
        ending = f"; the strangest is row {row}: see --row {row}" if row else ""
        out.say(f"{explanations.rows:,} rows, none flagged{ending}")
    if explanations.muted and not any(one.muted for one in explanations.explained):
        out.say(f"{counted(explanations.muted, 'row')} muted; to see why, --row N")
    for place, one in enumerate(explanations.explained):
        assert isinstance(one, Explanation)
        if place:
            out.say()
        out.say(_headline(one, explanations.threshold))
        out.say(f"  {one.sentence}")
        if one.muted:
            out.say(f"  muted: {plain(one.muted.text, 1000)}")
        if one.columns:
            out.say()
            out.table(_reasons(one, out.verbose))
        if one.nearest:
            out.say()
            out.figures(_nearest(one))


def _headline(one: Explanation, threshold: float) -> str:
    ids = "".join(f", {plain(name, 20)} {plain(value, 40)}" for name, value in one.ids.items())
    if one.score is None:
        return f"{plain(one.source)}: {one.place}{ids}: unscorable"
    verdict = "flagged" if one.flagged else "muted" if one.muted else "not flagged"
    more = f" and {one.duplicates - 1:,} more just like it" if one.duplicates > 1 else ""
    limit = threshold if one.threshold is None else one.threshold
    whose = "" if one.group is None else " of its group"
    return (
        f"{plain(one.source)}: {one.place}{ids}{more}: {verdict}, score {one.score:.4g} "
        f"(threshold{whose} {limit:.4g}, p-value {one.p_value:.2g})"
    )


def _reasons(one: Explanation, everything: bool) -> Table:
    table = simple_table("column", "share", "value", "expected", "how rare", right=("share",))
    reasons = [
        reason
        for place, reason in enumerate(one.columns)
        if everything or not place or (place < _MOST_COLUMNS and reason.share >= _LEAST_SHARE)
    ]
    for reason in reasons:
        table.add_row(
            plain(reason.column, 30),
            f"{reason.share:.0%}",
            plain(reason.display_value, 30),
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
    return next(reason.display_value for reason in one.columns if reason.column == name)
