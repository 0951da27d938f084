"""What `aedetect evaluate` shows people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aedetect.cli.tables import simple_table
from aedetect.cli.text import plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.evaluate import Comparison, Evaluation, LabelledScores
    from aedetect.tasks.evaluate.metrics.at_threshold import Confusion
    from aedetect.tasks.evaluate.metrics.paired import Difference
    from aedetect.tasks.evaluate.metrics.ranking import Interval

_ALARMS = "false alarms, 95% interval"
_NUMBERS = ("rows", "anomalies", "threshold", "flagged", "precision", "recall", "F1", "caught", "missed")


def ranking(judged: LabelledScores) -> Table:
    table = simple_table("ranking", "", "95% interval", right=("",))
    for name, interval in (("AUROC", judged.auroc), ("average precision", judged.average_precision)):
        if interval:
            table.add_row(name, f"{interval.value:.3f}", span(interval))
    return table


def verdicts(evaluation: Evaluation) -> Table:
    table = simple_table(
        "at", "threshold", "flagged", "caught", "missed", "false alarms", "precision", "recall", "F1",
        right=(*_NUMBERS, "false alarms"),
    )  # fmt: skip
    judged = evaluation.judged
    _add(table, "its alert rate" if judged.by_p_value else "its threshold", judged.confusion)
    for rate, confusion in evaluation.at_rates.items():
        _add(table, f"alert rate {rate:g}", confusion)
    if judged.best:
        _add(table, "best in hindsight", judged.best)
    return table


def by_event(evaluation: Evaluation) -> Table:
    """What is measured by event of time series, of a second model as well where there is one."""
    from aedetect.tasks.evaluate.sentences import describe_events

    first = describe_events(evaluation.by_event)
    second = {
        name.partition(",")[0]: value
        for name, value, _ in describe_events(
            evaluation.comparison.by_event if evaluation.comparison else None
        )
    }
    names = ["by event", "", "second model", ""] if second else ["by event", "", ""]
    table = simple_table(*names)
    for name, value, note in first:
        other = [second.get(name.partition(",")[0], "")] if second else []
        table.add_row(name, value, *other, note)
    return table


def segments(evaluation: Evaluation, by: str) -> Table:
    table = simple_table(
        plain(by, 24), "rows", "anomalies", "AUROC", "AP", "precision", "recall",
        _ALARMS, right=(*_NUMBERS, "AUROC", "AP", _ALARMS),
    )  # fmt: skip
    for name, part in evaluation.segments.items():
        alarms = part.false_alarms
        table.add_row(
            plain(name, 24) or "(empty)",
            f"{part.rows:,}",
            f"{part.anomalies:,}",
            _value(part.auroc),
            _value(part.average_precision),
            figure(part.confusion.precision),
            figure(part.confusion.recall),
            "" if math.isnan(alarms.value) else f"{alarms.value:.2%}, {alarms.low:.2%} to {alarms.high:.2%}",
        )
    return table


def promises(evaluation: Evaluation, by: str) -> Table:
    """Of each group: the share of normal rows that may be flagged, and the one that was."""
    table = simple_table(
        plain(by, 24), "normal", "asked", "seen", "95% interval", "promise", "calibration",
        right=("normal", "asked", "seen"),
    )  # fmt: skip
    promised = evaluation.judged.promised
    for name, part in evaluation.segments.items():
        alarms = part.false_alarms
        known = not math.isnan(alarms.value)
        table.add_row(
            plain(name, 24) or "(empty)",
            f"{part.rows - part.anomalies:,}",
            "" if promised is None else f"{promised:.2%}",
            f"{alarms.value:.2%}" if known else "",
            f"{alarms.low:.2%} to {alarms.high:.2%}" if known else "",
            part.promise or "",
            evaluation.calibration_of(name) or "",
        )
    return table


def comparison(against: Comparison, first: str, second: str) -> Table:
    """Both models side by side; differences are second less first."""
    table = simple_table(
        f"on {against.judged.rows:,} rows", plain(first, 24), plain(second, 24), "difference", "95% interval",
        "p-value", right=("difference", "95% interval", "p-value"),
    )  # fmt: skip
    one, two = against.first, against.judged
    for name, ours, theirs, difference in (
        ("AUROC", one.auroc, two.auroc, against.auroc),
        ("average precision", one.average_precision, two.average_precision, against.average_precision),
    ):
        table.add_row(name, _value(ours), _value(theirs), *_differing(difference))
    for name, mine, other in (
        ("precision", one.confusion.precision, two.confusion.precision),
        ("recall", one.confusion.recall, two.confusion.recall),
        ("false alarms", one.false_alarms.value, two.false_alarms.value),
    ):
        table.add_row(name, figure(mine), figure(other), f"{other - mine:+.3f}", "", "")
    return table


def differing_verdicts(against: Comparison) -> str:
    first, second = against.only_first_right, against.only_second_right
    if not first + second:
        return "The verdicts of the two models are the same."
    return (
        f"Where their verdicts differ, the first model is right {first:,} times and the second "
        f"{second:,} times (exact McNemar test: p = {against.p_value:.2g})."
    )


def figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"


def span(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _add(table: Table, name: str, at: Confusion) -> None:
    table.add_row(
        name,
        "" if math.isnan(at.threshold) else f"{at.threshold:.4g}",
        f"{at.flagged:,}",
        f"{at.caught:,}",
        f"{at.missed:,}",
        f"{at.false_alarms:,}",
        figure(at.precision),
        figure(at.recall),
        figure(at.f1),
    )


def _value(interval: Interval | None) -> str:
    return f"{interval.value:.3f}" if interval else ""


def _differing(difference: Difference) -> tuple[str, str, str]:
    if math.isnan(difference.value):
        return "", "", ""
    return (
        f"{difference.value:+.3f}",
        f"{difference.low:+.3f} to {difference.high:+.3f}",
        f"{difference.p_value:.2g}",
    )
