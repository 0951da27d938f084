"""Whether data have moved since training."""

from aedetect.tasks.drift.compare import ColumnDrift, Drift
from aedetect.tasks.drift.measure import measure

__all__ = ["ColumnDrift", "Drift", "measure"]
