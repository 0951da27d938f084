"""What messages say, in plain words: what, when, and the three best reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aedetect.data.series.timestamps import span
from aedetect.engine.sent_messages import OVER, REMINDER, KnownEvent
from aedetect.engine.task import FileSummary
from aedetect.tasks.explain.events import SeriesExplanation, SeriesReason
from aedetect.tasks.explain.rows import Explanation

REASONS = 3
_LONGEST, _MOST_FILES = 400, 5
# Beside the first column, one is named that has such a share, and is so many usual distances from what was
# expected.
_LEAST_SHARE, _OFF = 0.1, 5.0
# Chat services take these for the address of somebody, or of everybody.
_ADDRESS = re.compile(r"@(?=\S)|<(?=[!@#])")
_ZERO_WIDTH_SPACE = "\u200b"


def safe(text: str, most: int = _LONGEST) -> str:
    """Text from data on one line, cut to `most` characters, that calls nobody in a chat."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    line = line if len(line) <= most else line[: most - 1] + "…"
    return _ADDRESS.sub(lambda match: match[0] + _ZERO_WIDTH_SPACE, line)


def event_name(event: KnownEvent) -> str:
    """'event 3 of m1', 'event 3'."""
    return f"event {event.number}" + (f" of {safe('/'.join(event.series), 60)}" if event.series else "")


def event_title(job: str, event: KnownEvent, kind: str) -> str:
    """The title of a message on an event that is new or lasts."""
    start, end = event.facts["start"], event.facts["end"]
    name = f"{safe(job, 60)}: {event_name(event)}"
    if kind == REMINDER:
        return f"{name} still lasts, since {start}"
    return f"{name} since {start}" if event.lasts else f"{name}, {start} to {end}"


def event_body(
    event: KnownEvent, explained: SeriesExplanation | None, peak: Mapping[str, Any], counted: bool
) -> str:
    """What happened and why. `peak`: the row of the table of events; `counted`: whether time is in steps."""
    rows = int(peak["rows"])
    lines = [f"{_when(event, counted)}, {rows:,} flagged {'row' if rows == 1 else 'rows'}. {_ending(event)}"]
    if explained is not None:
        lines += ["Why:", *(f"- {safe(reason.sentence)}" for reason in _best(explained.columns))]
        lines.append(f"First seen at row {explained.first_row:,} of {safe(explained.source, 200)}.")
    lines.append(f"Peak score {peak['peak_score']:,.3g}, p-value {peak['p_value']:.2g}.")
    return "\n".join(lines)


def over_body(event: KnownEvent, counted: bool) -> str:
    """The one line on an event that is over."""
    start, end = event.facts["start"], event.facts["end"]
    took = "" if counted else f" {span(event.until - event.begin)},"
    adopted = event.facts.get("adopted_since")
    since = f", and counts as normal since {adopted}" if event.adopted and adopted else ""
    name = event_name(event)
    lasted = f"it was at {start} alone" if start == end else f"it lasted{took} from {start} to {end}"
    return f"{name[0].upper()}{name[1:]} is over: {lasted}{since}."


def silence_title(job: str, silence: KnownEvent, kind: str) -> str:
    """The title of a message on a series that fell silent."""
    start, end = silence.facts["start"], silence.facts["end"]
    name = f"{safe(job, 60)}: {_series_name(silence)}"
    if kind == OVER:
        return f"{name} has rows again"
    if kind == REMINDER:
        return f"{name} is still silent, since {start}"
    return f"{name} is silent since {start}" if silence.lasts else f"{name} was silent, {start} to {end}"


def silence_body(silence: KnownEvent) -> str:
    """From when to when there were no rows."""
    return safe(silence.facts["text"])


def _series_name(event: KnownEvent) -> str:
    return safe("/".join(event.series), 60) if event.series else "the series"


def health_title(job: str, findings: int) -> str:
    """The title of the message on the dumps of a run."""
    return (
        f"{safe(job, 60)}: {findings:,} {'finding' if findings == 1 else 'findings'} on the health of dumps"
    )


def late_title(job: str, stream: str, kind: str) -> str:
    """The title of the message on files that should have come."""
    return f"{safe(job, 60)}: {safe(stream, 200)} is {'still ' if kind == REMINDER else ''}late"


def _when(event: KnownEvent, counted: bool) -> str:
    start, end = event.facts["start"], event.facts["end"]
    if start == end:
        return f"At {start}"
    took = "" if counted else f" ({span(event.until - event.begin)})"
    return f"From {start} to {end}{took}"


def _ending(event: KnownEvent) -> str:
    adopted = event.facts.get("adopted_since")
    if event.adopted and adopted:
        return f"It {'lasts' if event.lasts else 'lasted'}, and counts as normal since {adopted}."
    return "It had not ended by the last row read." if event.lasts else "It has ended."


def _best(reasons: Sequence[SeriesReason]) -> list[SeriesReason]:
    telling = [one for one in reasons[1:] if one.share >= _LEAST_SHARE and one.away >= _OFF]
    return [*reasons[:1], *telling][:REASONS]


def rows_title(job: str, flagged: int, rows: int) -> str:
    """The title of the message on a run over tables."""
    return f"{safe(job, 60)}: {flagged:,} of {rows:,} rows flagged ({flagged / rows:.2%})"


def rows_body(files: Sequence[FileSummary], explained: Sequence[Explanation]) -> str:
    """How many rows of which files were flagged, and why the strangest were."""
    flagged = [entry for entry in files if entry.counts["anomalies"]]
    lines = [_of_file(entry) for entry in flagged[:_MOST_FILES]]
    if len(flagged) > _MOST_FILES:
        rest = sum(entry.counts["anomalies"] for entry in flagged[_MOST_FILES:])
        lines.append(f"and {rest:,} in {len(flagged) - _MOST_FILES:,} more files")
    lines.append("The strangest:" if len(explained) > 1 else "Why:")
    lines += [_of_row(one, len(files) > 1) for one in explained]
    return "\n".join(lines)


def _of_file(entry: FileSummary) -> str:
    flagged, rows = entry.counts["anomalies"], entry.counts["rows"]
    where = f", scored rows in {safe(entry.output, 200)}" if entry.output else ""
    return f"{safe(entry.path, 200)}: {flagged:,} of {rows:,} rows flagged{where}"


def _of_row(one: Explanation, several: bool) -> str:
    ids = ", ".join(f"{name} {value}" for name, value in one.ids.items())
    where = f"row {one.row:,}" + (f" of {one.source}" if several else "") + (f" ({ids})" if ids else "")
    alike = f" and {one.duplicates - 1:,} alike" if one.duplicates > 1 else ""
    return f"- {safe(f'{where}{alike}, score {one.score:,.3g}: {one.sentence}')}"


def together(titles: Sequence[str], most: int = 20) -> str:
    """One body for several messages, by their titles."""
    return "\n".join(lines([f"- {title}" for title in titles], most))


def lines(texts: Sequence[str], most: int) -> list[str]:
    """The first of some lines, and how many more there are."""
    return [*texts[:most], f"and {len(texts) - most:,} more"] if len(texts) > most else list(texts)
