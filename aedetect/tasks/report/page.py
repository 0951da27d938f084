"""The report as one web page that needs nothing beside itself."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, TypeVar

from markupsafe import Markup

from aedetect._version import __version__
from aedetect.tasks.explain import ColumnReason, Explanation
from aedetect.tasks.report import charts, series_html
from aedetect.tasks.report.attribution import ColumnAttribution
from aedetect.tasks.report.card import Card, Curve
from aedetect.tasks.report.collect import Gathered, headline, remark
from aedetect.tasks.report.templates import asset, template

_Share = TypeVar("_Share", ColumnReason, ColumnAttribution)

_COLUMNS_SHOWN, _NEAREST_SHOWN = 12, 8
# So many columns are always shown, further ones only where they have a part in it.
_ALWAYS_SHOWN, _LEAST_SHARE = 3, 0.005
_LONGEST_NAME = 200
# Shares of rows that are told as one in so many, and that are too small for a number.
_RARE, _RAREST = 0.01, 1e-6


def as_html(found: Gathered, card: Card, title: str) -> str:
    """The page. All text from data is escaped, and the policy lets no script but its own run."""
    style, script = asset("style.css"), asset("script.js")
    if found.events:
        style, script = style + asset("series.css"), script + asset("series.js")
    edges, counts = found.histogram.filled()
    borders = list(accumulate(rows for _, rows in found.files))[:-1]
    leading = {one.columns[0].column for one in found.strangest if one.columns}
    return template("page.html").render(
        title=title[:_LONGEST_NAME],
        headline=headline(found),
        remark=remark(found),
        as_high=as_high,
        found=found,
        series=series_html.section(found.events) if found.events else None,
        card=card,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        worth_showing=worth_showing,
        nearest_names=_nearest_names,
        seen_of=_seen_of,
        leading=sorted(leading),
        told=sum(one.duplicates for one in found.strangest),
        histogram=charts.histogram(edges.tolist(), counts.tolist(), found.threshold, found.counts.rows),
        histogram_capped=bool(found.histogram.counts[-1]),
        timeline=charts.timeline(found.timeline.blocks(), found.threshold, borders),
        map=charts.scatter(found.points),
        labels=_labels(found) if found.evaluation else None,
        training=_training(card.curves[0]) if card.curves and card.curves[0] else None,
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _hash(text: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(digest)


def worth_showing(columns: Sequence[_Share]) -> Sequence[_Share]:
    """Columns, largest share first, without the many that have none."""
    kept = [one for place, one in enumerate(columns) if place < _ALWAYS_SHOWN or one.share >= _LEAST_SHARE]
    return kept[:_COLUMNS_SHOWN]


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
    return next(reason.told for reason in one.columns if reason.column == name)


def _training(curve: Curve) -> Markup:
    steps = [step for step, _, _ in curve]
    return charts.curves(
        "Training curve",
        [("second", steps, [loss for _, loss, _ in curve]), ("first", steps, [held for _, _, held in curve])],
        "step",
        "loss",
    )


def _labels(found: Gathered) -> dict[str, Any]:
    from aedetect.tasks.evaluate.curves import precision_recall, roc
    from aedetect.tasks.evaluate.sentences import describe_events, describe_ranking, headline, promise_of

    assert found.evaluation is not None
    judged = found.evaluation.judged
    told: dict[str, Any] = {
        "headline": headline(found.evaluation),
        "promise": promise_of(found.evaluation),
        "figures": describe_ranking(judged) + describe_events(found.evaluation.by_event),
        "roc": None,
        "calibration": None,
    }
    if judged.table.has_both:
        told["roc"] = charts.curves(
            "ROC", [("first", *roc(judged.table))], "share of normal rows flagged", "share caught",
            diagonal=True, unit=True,
        )  # fmt: skip
        told["pr"] = charts.curves(
            "Precision and recall", [("first", *precision_recall(judged.table))], "recall", "precision",
            unit=True,
        )  # fmt: skip
    if judged.anomalies < judged.rows:
        told["calibration"] = charts.curves(
            "Calibration", [("first", *found.evaluation.p_value_shares)], "p-value", "share of normal rows",
            diagonal=True, unit=True,
        )  # fmt: skip
    return told
