"""How good a detector is, held against labels."""

from aedetect.evaluation.evaluate import Comparison, Evaluation, Judged, evaluate
from aedetect.evaluation.summary import evaluation_summary

__all__ = ["Comparison", "Evaluation", "Judged", "evaluate", "evaluation_summary"]
