"""Whether dumps are as those before them: their size, what they lack, when they come."""

from aedetect.tasks.health.facts import FactsCollector, check_entity
from aedetect.tasks.health.finding import Finding, Health
from aedetect.tasks.health.judge import Circumstances, Judged, judge
from aedetect.tasks.health.of_files import of_files
from aedetect.tasks.health.of_run import of_deliveries, of_session
from aedetect.tasks.health.silence import of_silences

__all__ = [
    "Circumstances",
    "FactsCollector",
    "Finding",
    "Health",
    "Judged",
    "check_entity",
    "judge",
    "of_deliveries",
    "of_files",
    "of_session",
    "of_silences",
]
