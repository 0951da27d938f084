"""An evaluation in plain sentences, for a terminal as for a page."""

from __future__ import annotations

import math

from aedetect.data.series.timestamps import span
from aedetect.scoring.threshold import ThresholdPolicy
from aedetect.tasks.evaluate.by_event import EventFigures
from aedetect.tasks.evaluate.metrics.at_threshold import share_interval
from aedetect.tasks.evaluate.results import Evaluation, LabelledScores


def headline(evaluation: Evaluation) -> str:
    """How many rows were judged, by what, and how many could not be."""
    judged = evaluation.judged
    text = (
        f"{judged.rows:,} rows judged: {judged.anomalies:,} anomalies and "
        f"{judged.rows - judged.anomalies:,} normal, by column {evaluation.label!r}"
    )
    left = [
        f"{count:,} {why}"
        for count, why in (
            (evaluation.unlabelled, "without a label"),
            (evaluation.unscorable, "without a score"),
        )
        if count
    ]
    return text + (f"; left out: {', '.join(left)}" if left else "")


def promise(judged: LabelledScores) -> str:
    """The false-alarm rate against the promised one."""
    interval = judged.false_alarms
    normal = judged.rows - judged.anomalies
    if math.isnan(interval.value):
        return "false alarms: no normal rows to raise any"
    text = (
        f"false alarms: {judged.confusion.false_alarms:,} of {normal:,} normal rows, {interval.value:.2%} "
        f"(95%: {interval.low:.2%} to {interval.high:.2%})"
    )
    if judged.promised is None:
        return f"{text}; {accepted(judged.policy)}"
    ending = {
        "kept": "kept",
        "broken": "NOT kept; these normal rows are not like those of the training",
        "undecided": "more than that, but chance alone may explain it",
    }[judged.promise or "kept"]
    return f"{text}; promised at most {judged.promised:.2%}: {ending}"


def promise_of(evaluation: Evaluation) -> str:
    """As `promise`; of time series by the rows that share no window with a labelled one."""
    events, judged = evaluation.by_event, evaluation.judged
    if events is None:
        return promise(judged)
    rate = events.away_rate
    if math.isnan(rate.value):
        return "false alarms: no normal rows far enough from the labelled ones to tell"
    text = (
        f"false alarms: {events.away_flagged:,} of {events.away:,} rows that are more than a window from a "
        f"label, {rate.value:.2%}; {events.false:,} false event{'s' * (events.false != 1)} "
        f"in {events.days:,.3g} days"
    )
    if judged.promised is None:
        return f"{text}; {accepted(judged.policy)}"
    # Rows of a window are flagged together: an interval as of single rows would be far too narrow.
    return f"{text}; accepted: {judged.promised:.2%} of the rows, in the long run"


def accepted(policy: ThresholdPolicy) -> str:
    """What was accepted with a threshold that promises no alert rate."""
    if policy.settings.value is not None:
        return "nothing was promised, as the threshold was set by hand"
    return f"accepted: {policy.promise}"


def describe_events(figures: EventFigures | None) -> list[tuple[str, str, str]]:
    """Name, figure and 95% interval (or what it means) of what is measured by event."""
    if figures is None:
        return []
    recall = figures.recall
    lines = []
    if figures.events:
        share = f"{recall.value:.0%}; {recall.low:.0%} to {recall.high:.0%}"
        lines.append((f"events caught, of {figures.events:,}", f"{figures.caught:,}", share))
    if figures.median_delay is not None and figures.longest_delay is not None:
        name = "time to detection" if figures.causal else "delay, in hindsight"
        lines.append((name, span(figures.median_delay), f"median; at most {span(figures.longest_delay)}"))
    rate = (
        f"{figures.false / figures.days:.3g} a day, over {figures.days:,.3g} days" if figures.days > 0 else ""
    )
    lines.append((f"false events, of {figures.alarms:,} found", f"{figures.false:,}", rate))
    for name, value, note in (
        ("range-based precision", figures.range_precision, "Tatbul et al., 2018"),
        ("range-based recall", figures.range_recall, "Tatbul et al., 2018"),
        ("VUS-PR", figures.vus_pr, f"tolerance {figures.tolerance:,} steps"),
    ):
        if value is not None:
            lines.append((name, f"{value:.3f}", note))
    away = figures.away_rate
    if not math.isnan(away.value):
        lines.append(
            (
                "flagged far from labels",
                f"{away.value:.2%}",
                f"{figures.away_flagged:,} of {figures.away:,} rows, a window ({figures.window:,}) away",
            )
        )
    return lines


def describe_ranking(judged: LabelledScores) -> list[tuple[str, str, str]]:
    """Name, figure and 95% interval of what matters most."""
    lines = []
    for name, interval in (("AUROC", judged.auroc), ("average precision", judged.average_precision)):
        if interval:
            lines.append((name, f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"))
    at = judged.confusion
    where = "at the alert rate" if judged.by_p_value else "at the threshold"
    for name, interval in (
        (f"precision {where}", share_interval(at.caught, at.flagged)),
        (f"recall {where}", share_interval(at.caught, judged.anomalies)),
        (f"F1 {where}", judged.f1),
    ):
        if not math.isnan(interval.value):
            lines.append((name, f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"))
    return lines
