"""From a flag to its reasons."""

from aedetect.tasks.explain.rows import ColumnReason, Explainer, Explanation
from aedetect.tasks.explain.select import Chosen, Wish, choose

__all__ = ["Chosen", "ColumnReason", "Explainer", "Explanation", "Wish", "choose"]
