"""Whether data have moved since training."""

from aedetect.tasks.drift.results import ColumnDrift, Drift

__all__ = ["ColumnDrift", "Drift"]
