"""What `explain --groups` tells: segments, incidents, and what was looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aedetect.tasks.explain.format import share, shown
from aedetect.tasks.explain.segments.conditions import Condition
from aedetect.tasks.explain.segments.incidents import Incident, Incidents
from aedetect.tasks.explain.segments.search import CHANCE, LEAST_FLAGGED

_MOST_NAMED = 12
_LEAST_EVENTS = 2


@dataclass(frozen=True)
class BlamedColumn:
    """A column that is most to blame in this `share` of a segment's flagged rows."""

    column: str
    share: float

    def as_dict(self) -> dict[str, Any]:
        return {"column": self.column, "share": round(self.share, 4)}


@dataclass(frozen=True)
class Segment:
    """Rows that one condition holds of, or two, and which are flagged far more often than the others.

    `rows`, `flagged`: inside; `rows_outside`, `flagged_outside`: of all other rows that were judged. `new`:
    flagged rows in no segment before. `chance`: of as many flagged rows where they are spread evenly,
    times the conditions looked at. `exact`: whether the counts are, and not those of a sample. `alike`:
    other conditions that hold of nearly the same rows. `columns`: most to blame in its flagged rows.
    """

    conditions: tuple[Condition, ...]
    rows: int
    flagged: int
    rows_outside: int
    flagged_outside: int
    new: int
    chance: float
    exact: bool
    alike: tuple[Condition, ...] = ()
    columns: tuple[BlamedColumn, ...] = ()

    @property
    def text(self) -> str:
        """The segment in words: 'store = 17 and amount ≥ 1,200'."""
        return " and ".join(condition.text for condition in self.conditions)

    @property
    def share(self) -> float:
        """Of its rows, the share that is flagged."""
        return self.flagged / self.rows if self.rows else 0.0

    @property
    def share_outside(self) -> float:
        """Of all other rows, the share that is flagged."""
        return self.flagged_outside / self.rows_outside if self.rows_outside else 0.0

    @property
    def lift(self) -> float:
        """How many times as often as all rows together its rows are flagged."""
        overall = (self.flagged + self.flagged_outside) / max(self.rows + self.rows_outside, 1)
        return self.share / overall if overall else 0.0

    @property
    def sentence(self) -> str:
        """'store = 17: 190 of 200 rows are flagged (95%), of all other rows 1.2%; mostly for amount'."""
        rows = f"{self.rows:,} row{'s' * (self.rows != 1)}"
        if not self.exact:
            flagged, every = (_about(count) for count in (self.flagged, self.rows))
            inside = f"about {flagged} of {every} rows are flagged ({share(self.share)})"
        elif self.share >= 1:
            inside = f"all {rows} are flagged"
        else:
            inside = f"{self.flagged:,} of {rows} are flagged ({share(self.share)})"
        text = f"{self.text}: {inside}, of all other rows {share(self.share_outside)}"
        if self.columns:
            text += f"; mostly for {' and '.join(shown(one.column, 40) for one in self.columns)}"
        if self.alike:
            text += f"; the same as {', '.join(condition.text for condition in self.alike)}"
        return text

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "conditions": [condition.as_dict() for condition in self.conditions],
            "rows": self.rows,
            "flagged": self.flagged,
            "rows_outside": self.rows_outside,
            "flagged_outside": self.flagged_outside,
            "share": self.share,
            "share_outside": self.share_outside,
            "lift": self.lift,
            "new_flagged": self.new,
            "p_value": self.chance,
            "exact": self.exact,
            "columns": [column.as_dict() for column in self.columns],
            "alike": [condition.as_dict() for condition in self.alike],
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class LookedAt:
    """How many conditions of which columns were looked at, and how many pairs of them.

    `left_out`: columns that have no condition, and why. `flagged_held`, `others_held`: rows that ranges and
    pairs were looked for in, of the `flagged` and `others` that were judged. `by_event`: whether all rows of
    an event count as one where chance is judged.
    """

    conditions: int
    pairs: int
    columns: list[str]
    left_out: dict[str, str]
    flagged_held: int
    others_held: int
    flagged: int
    others: int
    by_event: bool = False

    @property
    def sampled(self) -> bool:
        """Whether some rows were left out."""
        return self.flagged_held < self.flagged or self.others_held < self.others

    @property
    def sentence(self) -> str:
        columns = _listed(self.columns)
        text = (
            f"looked at {self.conditions:,} values and ranges of {columns}, and pairs of them"
            if self.columns
            else "no column has values or ranges to look at"
        )
        if self.by_event:
            text += ", where the rows of an event count as one"
        if self.left_out:
            reasons: dict[str, list[str]] = {}
            for column, reason in self.left_out.items():
                reasons.setdefault(reason, []).append(column)
            text += "; not at " + "; ".join(f"{_listed(names)} ({why})" for why, names in reasons.items())
        return text

    @property
    def said_of_sample(self) -> str:
        """What is said of rows that were left out; '' where none was."""
        if not self.sampled:
            return ""
        return (
            f"ranges and pairs were looked for in a random sample: {self.flagged_held:,} of {self.flagged:,} "
            f"flagged rows and {self.others_held:,} of {self.others:,} others; their counts are estimates"
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "conditions": self.conditions,
            "pairs": self.pairs,
            "columns": self.columns,
            "left_out": self.left_out,
            "sample": {"flagged": self.flagged_held, "others": self.others_held} if self.sampled else None,
        }


@dataclass(frozen=True)
class GroupExplanations:
    """Who is to blame for many rows. `unscorable` rows were not judged, and are in no segment.

    `covered`: flagged rows that are in some segment. `columns`: most often to blame. `events`: how many there
    are; None for models that know none. `together`: which of them belong together; None for models of a
    single series as well. `zone`: what is to be said after a time. `muted`: rows above the threshold that
    count as not flagged, and `muted_by` what.
    """

    rows: int
    anomalies: int
    unscorable: int
    segments: list[Segment]
    covered: int
    columns: list[BlamedColumn]
    looked_at: LookedAt
    events: int | None = None
    together: Incidents | None = None
    zone: str = ""
    muted: int = 0
    muted_by: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What the segments come to."""
        judged = self.rows - self.unscorable
        muted = f", {self.muted:,} muted" if self.muted else ""
        if not self.anomalies:
            return f"{self.rows:,} rows, none flagged{muted}"
        flagged = (
            f"{self.anomalies:,} of {judged:,} rows are flagged ({share(self.anomalies / judged)}){muted}"
        )
        if self.segments:
            some = f"{len(self.segments)} segments hold" if len(self.segments) > 1 else "one segment holds"
            part = share(self.covered / self.anomalies)
            return f"{flagged}; {some} {self.covered:,} of them ({part})"
        if self.anomalies < LEAST_FLAGGED:
            return f"{flagged}, too few to tell of segments: that takes {LEAST_FLAGGED}"
        return f"{flagged}, and no segment stands out"

    @property
    def said_of_columns(self) -> str:
        """Which columns are to blame; '' where there are none to speak of."""
        parts = [f"{shown(one.column, 40)} in {share(one.share)}" for one in self.columns]
        return f"most to blame: {', '.join(parts)} of the flagged rows" if parts else ""

    @property
    def incidents(self) -> list[Incident]:
        """Events that belong together, those of the most series first."""
        return self.together.incidents if self.together is not None else []

    @property
    def said_of_events(self) -> str:
        """What is said of events of several series; '' of other models."""
        grouped = self.together
        if grouped is None or not self.events or self.events < _LEAST_EVENTS:
            return ""
        if not grouped.incidents:
            return f"no two of {self.events:,} events in {grouped.series:,} series belong together"
        pairs, count = grouped.by_chance, len(grouped.incidents)
        chance = "fewer than 0.1 pairs" if pairs < 0.1 else f"about {pairs:.1f} pairs"
        return (
            f"{self.events - grouped.alone:,} of {self.events:,} events belong together in {count:,} "
            f"incident{'s' * (count != 1)}: the same column to blame at the same time; by chance "
            f"alone, {chance} of events would"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the contract of `explain --groups --json`, but for its envelope."""
        together = self.together
        return {
            "rows": self.rows,
            "anomalies": self.anomalies,
            "unscorable": self.unscorable,
            "muted": self.muted,
            "muted_by": self.muted_by,
            "sentence": self.sentence,
            "segments": [segment.as_dict() for segment in self.segments],
            "covered": self.covered,
            "columns": [column.as_dict() for column in self.columns],
            "p_value_limit": CHANCE,
            "looked_at": self.looked_at.as_dict(),
            "events": self.events,
            "incidents": None if together is None else [one.as_dict() for one in together.incidents],
            "events_alone": None if together is None else together.alone,
            "pairs_by_chance": None if together is None else together.by_chance,
            "zone": self.zone.strip() or None,
        }


def _about(count: int) -> str:
    """An estimate in three digits."""
    return f"{int(float(f'{count:.3g}')):,}"


def _listed(columns: list[str]) -> str:
    names = ", ".join(shown(name, 40) for name in columns[:_MOST_NAMED])
    rest = len(columns) - _MOST_NAMED
    return names + (f" and {rest} more column{'s' * (rest != 1)}" if rest > 0 else "")
