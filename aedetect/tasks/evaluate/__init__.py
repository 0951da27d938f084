"""How good a fitted model is, held against labels."""

from aedetect.tasks.evaluate.evaluate import EvaluateRequest, evaluate
from aedetect.tasks.evaluate.results import Comparison, Evaluation, LabelledScores

__all__ = ["Comparison", "EvaluateRequest", "Evaluation", "LabelledScores", "evaluate"]
