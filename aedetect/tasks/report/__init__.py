"""What was found, to be looked at."""

from aedetect.tasks.report.collect import ReportRequest
from aedetect.tasks.report.report import Report, report

__all__ = ["Report", "ReportRequest", "report"]
