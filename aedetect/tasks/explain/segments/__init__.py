"""Who is to blame for many flagged rows: segments in which they are frequent, events that belong together."""

from aedetect.tasks.explain.segments.explain_groups import explain_groups
from aedetect.tasks.explain.segments.incidents import Incident, IncidentEvent
from aedetect.tasks.explain.segments.results import GroupExplanations, Segment

__all__ = ["GroupExplanations", "Incident", "IncidentEvent", "Segment", "explain_groups"]
