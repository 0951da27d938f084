"""How good a fitted model is, held against labels."""

from aedetect.tasks.evaluate.as_json import evaluation_summary
from aedetect.tasks.evaluate.evaluate import Comparison, Evaluation, Judged, evaluate

__all__ = ["Comparison", "Evaluation", "Judged", "evaluate", "evaluation_summary"]
