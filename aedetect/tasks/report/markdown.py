"""The report as a message for a chat or a ticket."""

from __future__ import annotations

from aedetect.tasks.report.card import escaped
from aedetect.tasks.report.collect import Findings, verdict
from aedetect.tasks.report.outcomes import FALSE_ALARM, HIT, MISS, PLURALS
from aedetect.tasks.report.series_text import events_markdown

_ROWS, _COLUMNS = 10, 5
_LONGEST = 300


def as_markdown(findings: Findings, title: str) -> str:
    """A few lines: the verdict, the strangest rows and why, columns to blame, what has drifted."""
    lines = [f"**{escaped(title)}**", "", verdict(findings), ""]
    if findings.events:
        lines += events_markdown(findings.events)
        if findings.attribution and findings.counts.anomalies:
            lines += ["", f"Columns to blame: {_attributed(findings)}"]
    if findings.groups:
        lines += _groups(findings)
        lines += ["", f"Columns to blame: {_attributed(findings)}"]
    if findings.evaluation and not findings.events:
        lines += ["", _outcomes(findings)]
    if findings.drift is not None and findings.drift.verdict == "drifted":
        lines += ["", f"Drift: {escaped(findings.drift.text)}"]
    if findings.evaluation:
        from aedetect.tasks.evaluate.sentences import headline, promise_of

        lines += ["", f"{escaped(headline(findings.evaluation))}; {promise_of(findings.evaluation)}"]
    for text in findings.warnings[:_COLUMNS]:
        lines += ["", f"Note: {escaped(_cut(text))}"]
    return "\n".join(lines) + "\n"


def _groups(findings: Findings) -> list[str]:
    """A table of the strangest row of each group, and how many are odd in the same way."""
    lines = ["| row | score | why |", "|---|---:|---|"]
    groups = [group for group in findings.groups if group.rows][:_ROWS]
    for group in groups:
        one = group.rows[0].explanation
        where = one.place if len(findings.files) == 1 else f"{one.source}, {one.place}"
        ids = "".join(f", {name} {value}" for name, value in one.ids.items())
        if group.count > 1:
            ids += f" and {group.count - 1:,} more like it"
        lines.append(f"| {escaped(where + ids)} | {one.score:,.3g} | {escaped(_cut(one.sentence))} |")
    rest = findings.counts.anomalies - sum(group.count for group in groups)
    return [*lines, "", f"and {rest:,} more"] if rest else lines


def _outcomes(findings: Findings) -> str:
    """'Labels: 41 hits, 12 false alarms, 8 misses'."""
    counts = [f"{findings.outcomes[one]:,} {PLURALS[one]}" for one in (HIT, FALSE_ALARM, MISS)]
    return f"Labels: {', '.join(counts)}"


def _attributed(findings: Findings) -> str:
    return ", ".join(
        f"{escaped(one.column)} {one.share:.0%}"
        for one in findings.attribution[:_COLUMNS]
        if one.share >= 0.01
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
