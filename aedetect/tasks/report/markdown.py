"""The report as a message for a chat or a ticket."""

from __future__ import annotations

from aedetect.tasks.report.card import escaped
from aedetect.tasks.report.collect import Findings, verdict
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
    if findings.strangest:
        lines += ["| row | score | why |", "|---|---:|---|"]
        for one in findings.strangest[:_ROWS]:
            where = one.place if len(findings.files) == 1 else f"{one.source}, {one.place}"
            ids = "".join(f", {name} {value}" for name, value in one.ids.items())
            ids += f" and {one.duplicates - 1:,} alike" if one.duplicates > 1 else ""
            lines.append(f"| {escaped(where + ids)} | {one.score:,.3g} | {escaped(_cut(one.sentence))} |")
        rest = findings.counts.anomalies - sum(one.duplicates for one in findings.strangest[:_ROWS])
        if rest:
            lines += ["", f"and {rest:,} more"]
        lines += ["", f"Columns to blame: {_attributed(findings)}"]
    if findings.drift is not None and findings.drift.verdict == "drifted":
        lines += ["", f"Drift: {escaped(findings.drift.text)}"]
    if findings.evaluation:
        from aedetect.tasks.evaluate.sentences import headline, promise_of

        lines += ["", f"{escaped(headline(findings.evaluation))}; {promise_of(findings.evaluation)}"]
    for text in findings.warnings[:_COLUMNS]:
        lines += ["", f"Note: {escaped(_cut(text))}"]
    return "\n".join(lines) + "\n"


def _attributed(findings: Findings) -> str:
    return ", ".join(
        f"{escaped(one.column)} {one.share:.0%}"
        for one in findings.attribution[:_COLUMNS]
        if one.share >= 0.01
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
