"""The report as a message for a chat or a ticket."""

from __future__ import annotations

from aedetect.tasks.report.card import escaped
from aedetect.tasks.report.collect import Gathered, verdict
from aedetect.tasks.report.series_text import events_markdown
from aedetect.tasks.report.shift import SLIGHT

_ROWS, _COLUMNS = 10, 5
_LONGEST = 300


def as_markdown(found: Gathered, title: str) -> str:
    """A few lines: the verdict, the strangest rows and why, columns to blame, what has moved."""
    lines = [f"**{escaped(title)}**", "", verdict(found), ""]
    if found.series:
        lines += events_markdown(found.series)
        if found.blame and found.counts.anomalies:
            lines += ["", f"Columns to blame: {_blame(found)}"]
    if found.strangest:
        lines += ["| row | score | why |", "|---|---:|---|"]
        for one in found.strangest[:_ROWS]:
            where = one.place if len(found.files) == 1 else f"{one.source}, {one.place}"
            ids = "".join(f", {name} {value}" for name, value in one.ids.items())
            ids += f" and {one.alike - 1:,} alike" if one.alike > 1 else ""
            lines.append(f"| {escaped(where + ids)} | {one.score:,.3g} | {escaped(_cut(one.sentence))} |")
        rest = found.counts.anomalies - sum(one.alike for one in found.strangest[:_ROWS])
        if rest:
            lines += ["", f"and {rest:,} more"]
        lines += ["", f"Columns to blame: {_blame(found)}"]
    moved = [shift for shift in found.shifts if shift.index > SLIGHT][:_COLUMNS]
    if moved:
        told = ", ".join(f"{escaped(shift.column)} ({shift.words})" for shift in moved)
        lines += ["", f"Moved since training: {told}"]
    if found.evaluation:
        from aedetect.tasks.evaluate.words import headline, promise_of

        lines += ["", f"{escaped(headline(found.evaluation))}; {promise_of(found.evaluation)}"]
    for text in found.warnings[:_COLUMNS]:
        lines += ["", f"Note: {escaped(_cut(text))}"]
    return "\n".join(lines) + "\n"


def _blame(found: Gathered) -> str:
    return ", ".join(
        f"{escaped(one.column)} {one.share:.0%}" for one in found.blame[:_COLUMNS] if one.share >= 0.01
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
