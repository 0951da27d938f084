"""From a flag to its reasons."""

from aedetect.explain.choose import Chosen, Wish, choose
from aedetect.explain.explain import ColumnReason, Explainer, Explanation

__all__ = ["Chosen", "ColumnReason", "Explainer", "Explanation", "Wish", "choose"]
