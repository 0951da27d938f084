"""The report as one web page that needs nothing beside itself."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from markupsafe import Markup

from aedetect._version import __version__
from aedetect.tasks.explain import ColumnReason, Explanation
from aedetect.tasks.explain.format import shown as shown_name
from aedetect.tasks.report import charts, row_charts, series_html
from aedetect.tasks.report.attribution import ColumnAttribution
from aedetect.tasks.report.card import Card, Curve
from aedetect.tasks.report.collect import Findings, headline, remark
from aedetect.tasks.report.groups import RowGroup
from aedetect.tasks.report.outcomes import (
    ALARMS,
    CALM,
    FALSE_ALARM,
    FLAGGED,
    HIT,
    KINDS,
    MISS,
    NAMES,
    OF_SERIES,
    PLURALS,
)
from aedetect.tasks.report.templates import asset, template

_Share = TypeVar("_Share", ColumnReason, ColumnAttribution)

_COLUMNS_SHOWN, _NEAREST_SHOWN, _DRIFTED_SHOWN = 12, 8, 10
# So many columns are always shown, further ones only where they have a part in it.
_ALWAYS_SHOWN, _LEAST_SHARE = 3, 0.005
_LONGEST_NAME = 200
# Of the rows of a group, so many are shown at once.
EXAMPLES = 3
_NOT_ALARMS = (KINDS[CALM], KINDS[MISS])
# Shares of rows that are told as one in so many, and that are too small for a number.
_RARE, _RAREST = 0.01, 1e-6


def as_html(findings: Findings, card: Card, title: str) -> str:
    """The page. All text from data is escaped, and the policy lets no script but its own run."""
    style, script = asset("style.css"), asset("script.js")
    if findings.events:
        style, script = style + asset("series.css"), script + asset("series.js")
    leading = {row.column for group in findings.groups for row in group.rows}
    return template("page.html").render(
        title=title[:_LONGEST_NAME],
        headline=headline(findings),
        remark=remark(findings),
        as_high=as_high,
        findings=findings,
        series=series_html.section(findings.events) if findings.events else None,
        card=card,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        worth_showing=worth_showing,
        nearest_names=_nearest_names,
        seen_of=_seen_of,
        leading=sorted(leading),
        rows_shown=sum(one.duplicates for one in findings.strangest),
        where=_where,
        examples=EXAMPLES,
        listed=[group for group in findings.groups if group.rows],
        others=[group for group in findings.groups if not group.rows],
        outcome_names=NAMES,
        outcome_kinds=KINDS,
        outcomes_shown=ALARMS,
        grouped=any(group.count > 1 for group in findings.groups),
        legend=_legend(findings),
        alarm_legend=[(kind, words) for kind, words in _legend(findings) if kind not in _NOT_ALARMS],
        timeline_legend=_timeline_legend(findings),
        tally=_tally,
        histogram=row_charts.histogram(findings),
        histogram_capped=bool(findings.histogram.counts[-1]),
        timeline=row_charts.timeline(findings),
        map=row_charts.scatter(findings, findings.shown_variance is not None),
        labels=_labels(findings) if findings.evaluation else None,
        training=_training(card.curves[0]) if card.curves and card.curves[0] else None,
        moved_missing=any(
            one.missing and (one.missing.training or one.missing.now)
            for one in findings.drifting[:_DRIFTED_SHOWN]
        ),
        drifted_shown=_DRIFTED_SHOWN,
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _hash(text: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(digest)


def _legend(findings: Findings) -> list[tuple[str, str]]:
    """Class and words of each kind of mark of rows; with labels, how many rows are of it."""
    if findings.evaluation is None:
        return [(KINDS[CALM], NAMES[CALM]), (KINDS[FLAGGED], NAMES[FLAGGED])]
    names = OF_SERIES if findings.events else PLURALS
    return [
        (KINDS[one], f"{findings.outcomes[one]:,} {names[one]}")
        for one in (HIT, FALSE_ALARM, MISS, FLAGGED, CALM)
        if findings.outcomes[one] or one in (HIT, FALSE_ALARM, MISS)
    ]


def _timeline_legend(findings: Findings) -> list[tuple[str, str]]:
    blocks = findings.timeline.size > 1
    marks = [("calm", "none flagged"), ("flagged", "flagged among them")] if blocks else []
    if findings.evaluation or not blocks:
        marks += [
            (f"box {kind}" if blocks else kind, words)
            for kind, words in _legend(findings)
            if not (blocks and kind == KINDS[CALM])
        ]
    if findings.limit is not None:
        marks.append(("limit", "threshold"))
    if blocks and findings.events is None and findings.policy.promised_rate is not None:
        marks.append(("usual", f"as many as normal rows alone give, {findings.policy.promised_rate:.2%}"))
    return marks


def _tally(group: RowGroup) -> list[tuple[str, str]]:
    """Class and words of the outcomes of a group's rows."""
    counts = [(one, int(group.outcomes[one])) for one in ALARMS]
    return [
        (KINDS[one], f"{count:,} {NAMES[one] if count == 1 else PLURALS[one]}")
        for one, count in counts
        if count
    ]


def _where(group: RowGroup, findings: Findings) -> str:
    """From where to where the rows of a group stand; '' where that is not known."""
    if group.first is None or group.last is None:
        return ""
    (first_file, first), (last_file, last) = group.first, group.last
    names = [shown_name(findings.files[place][0]) for place in (first_file, last_file)]
    if first_file != last_file:
        return f"between {names[0]}, row {first:,}, and {names[1]}, row {last:,}"
    file = f"in {names[0]}, " if len(findings.files) > 1 else ""
    if last - first + 1 == group.count:
        return f"{file}rows {first:,} to {last:,}"
    return f"{file}between row {first:,} and row {last:,}"


def worth_showing(columns: Sequence[_Share]) -> Sequence[_Share]:
    """Columns, largest share first, without the many that have none."""
    contributing = [
        one for place, one in enumerate(columns) if place < _ALWAYS_SHOWN or one.share >= _LEAST_SHARE
    ]
    return contributing[:_COLUMNS_SHOWN]


def as_high(p_value: float) -> str:
    """A p-value in words."""
    if p_value < _RAREST:
        return "Fewer than one normal row in a million scores as high."
    if p_value < _RARE:
        rows = 1 / p_value
        return f"About one normal row in {round(rows, 1 - math.floor(math.log10(rows))):,.0f} scores as high."
    return f"Of normal rows, {100 * p_value:.2g}% score as high."


def _nearest_names(one: Explanation) -> list[str]:
    known = one.nearest[0]
    return [reason.column for reason in one.columns if reason.column in known][:_NEAREST_SHOWN]


def _seen_of(one: Explanation, name: str) -> str:
    return next(reason.display_value for reason in one.columns if reason.column == name)


def _training(curve: Curve) -> Markup:
    steps = [step for step, _, _ in curve]
    return charts.curves(
        "Training curve",
        [("second", steps, [loss for _, loss, _ in curve]), ("first", steps, [held for _, _, held in curve])],
        "step",
        "loss",
    )


def _labels(findings: Findings) -> dict[str, Any]:
    from aedetect.tasks.evaluate.curves import precision_recall, roc
    from aedetect.tasks.evaluate.sentences import describe_events, describe_ranking, headline, promise_of

    assert findings.evaluation is not None
    judged = findings.evaluation.judged
    section: dict[str, Any] = {
        "headline": headline(findings.evaluation),
        "promise": promise_of(findings.evaluation),
        "figures": describe_ranking(judged) + describe_events(findings.evaluation.by_event),
        "roc": None,
        "calibration": None,
    }
    if judged.table.has_both:
        section["roc"] = charts.curves(
            "ROC", [("first", *roc(judged.table))], "share of normal rows flagged", "share caught",
            diagonal=True, unit=True,
        )  # fmt: skip
        section["pr"] = charts.curves(
            "Precision and recall", [("first", *precision_recall(judged.table))], "recall", "precision",
            unit=True,
        )  # fmt: skip
    if judged.anomalies < judged.rows:
        section["calibration"] = charts.curves(
            "Calibration", [("first", *findings.evaluation.p_value_shares)],
            "p-value", "share of normal rows", diagonal=True, unit=True,
        )  # fmt: skip
    return section
