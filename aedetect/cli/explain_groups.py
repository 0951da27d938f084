"""`aedetect explain --groups`: what many flagged rows have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aedetect.cli.output import Output
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain, said_of_muted

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.explain.segments import GroupExplanations, Incident, Segment

# The other segments are in the table alone.
_MOST_SENTENCES = 3
_MOST_INCIDENTS, _MOST_ENTITIES = 10, 5


def show(out: Output, groups: GroupExplanations) -> None:
    """A few sentences, the table of segments, and the incidents."""
    out.say(groups.sentence)
    for line in said_of_muted(groups.muted_by):
        out.say(line)
    if groups.said_of_columns:
        out.say(groups.said_of_columns)
    for segment in groups.segments[: None if out.verbose else _MOST_SENTENCES]:
        out.say(f"  {segment.sentence}")
    if groups.segments:
        out.say()
        out.table(_segments(groups.segments))
    if groups.anomalies:
        out.say()
        out.say(groups.looked_at.sentence)
        if groups.looked_at.sampled:
            out.say(groups.looked_at.said_of_sample)
    if groups.said_of_events:
        out.say()
        out.say(groups.said_of_events)
        for incident in groups.incidents[: None if out.verbose else _MOST_INCIDENTS]:
            _show_incident(out, incident, groups.zone)
        rest = len(groups.incidents) - _MOST_INCIDENTS
        if rest > 0 and not out.verbose:
            out.say(f"  and {counted(rest, 'incident')} more, with --verbose or --json")


def _segments(segments: list[Segment]) -> Table:
    figures = ("flagged", "of rows", "share", "elsewhere", "lift", "new")
    table = simple_table("segment", *figures, right=figures)
    for segment in segments:
        about = "" if segment.exact else "~"
        table.add_row(
            plain(segment.text, 60),
            f"{about}{segment.flagged:,}",
            f"{about}{segment.rows:,}",
            f"{segment.share:.0%}",
            f"{segment.share_outside:.2%}",
            f"{segment.lift:.1f}",
            f"{segment.new:,}",
        )
    return table


def _show_incident(out: Output, incident: Incident, zone: str) -> None:
    from aedetect.data.series.timestamps import span

    names = ", ".join(plain(name, 30) for name in incident.entities[:_MOST_ENTITIES])
    rest = len(incident.entities) - _MOST_ENTITIES
    more = f" and {rest:,} more" if rest > 0 else ""
    columns = ", ".join(plain(column, 30) for column in incident.columns[:_MOST_ENTITIES])
    when = f"{incident.start} to {incident.end}{zone} ({span(incident.seconds)})"
    if not incident.seconds:
        when = f"{incident.start}{zone}"
    out.say(
        f"  {when}: {names}{more}, for {columns}; {counted(len(incident.events), 'event')}, "
        f"{counted(incident.rows, 'row')} flagged"
    )
