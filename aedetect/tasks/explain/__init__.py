"""From a flag to its reasons."""

from aedetect.tasks.explain.explain import Explanations, explain
from aedetect.tasks.explain.request import ExplainRequest
from aedetect.tasks.explain.rows import ColumnReason, Explainer, Explanation

__all__ = ["ColumnReason", "ExplainRequest", "Explainer", "Explanation", "Explanations", "explain"]
