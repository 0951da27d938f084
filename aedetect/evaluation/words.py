"""An evaluation in plain sentences, for a terminal as for a page."""

from __future__ import annotations

import math

from aedetect.evaluation.evaluate import Evaluation, Judged
from aedetect.metrics.verdicts import share_interval


def headline(found: Evaluation) -> str:
    """How many rows were judged, by what, and how many could not be."""
    judged = found.judged
    text = (
        f"{judged.rows:,} rows judged: {judged.anomalies:,} anomalies and "
        f"{judged.rows - judged.anomalies:,} normal, by column {found.label!r}"
    )
    left = [
        f"{count:,} {why}"
        for count, why in ((found.unlabelled, "without a label"), (found.unscorable, "unscorable"))
        if count
    ]
    return text + (f"; left out: {', '.join(left)}" if left else "")


def promise(judged: Judged) -> str:
    """The false-alarm rate against the promised one."""
    interval = judged.false_alarms
    normal = judged.rows - judged.anomalies
    if math.isnan(interval.value):
        return "false alarms: no normal rows to raise any"
    text = (
        f"false alarms: {judged.verdict.false_alarms:,} of {normal:,} normal rows, {interval.value:.2%} "
        f"(95%: {interval.low:.2%} to {interval.high:.2%})"
    )
    if judged.promised is None:
        return f"{text}; nothing was promised, as the threshold was set by hand"
    ending = {
        "kept": "kept",
        "broken": "NOT kept; these normal rows are not like those of the training",
        "undecided": "more than that, but chance alone may explain it",
    }[judged.promise or "kept"]
    return f"{text}; promised at most {judged.promised:.2%}: {ending}"


def figures(judged: Judged) -> list[tuple[str, str, str]]:
    """Name, figure and 95% interval of what matters most."""
    told = []
    for name, interval in (("AUROC", judged.auroc), ("average precision", judged.average_precision)):
        if interval:
            told.append((name, f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"))
    at = judged.verdict
    for name, interval in (
        ("precision at the threshold", share_interval(at.caught, at.flagged)),
        ("recall at the threshold", share_interval(at.caught, judged.anomalies)),
        ("F1 at the threshold", judged.f1),
    ):
        if not math.isnan(interval.value):
            told.append((name, f"{interval.value:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"))
    return told
