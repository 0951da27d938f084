"""A model of tables as a graph: columns in; scores, p-values and verdicts out.

The steps are those of `scoring.table.TableScorer.score_batch`.
"""

from __future__ import annotations

import ndonnx
import numpy as np

from aedetect.models.evaluation.arrays import Array
from aedetect.models.registry import evaluation_of
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.export.columns import TEXT, ColumnInput
from aedetect.tasks.export.encoding import encoded_columns
from aedetect.tasks.export.graph import as_constants, p_values, without_ties

ROWS = "rows"


def table_graph(fitted: FittedModel, inputs: list[ColumnInput]) -> tuple[dict[str, Array], dict[str, Array]]:
    """The inputs and outputs of the graph by name, [rows] each."""
    types = {each.name: ndonnx.utf8 if each.type == TEXT else ndonnx.float64 for each in inputs}
    columns = {name: ndonnx.argument(shape=(ROWS,), dtype=type_) for name, type_ in types.items()}
    encoded = encoded_columns(fitted.encoder, columns)
    scores = _scores(fitted, encoded.matrix)
    beyond = float(fitted.out_of_range_score)
    scores = scores + encoded.strange * beyond
    scores = ndonnx.where(encoded.infinite & ~(scores > beyond), beyond, scores)
    scores = ndonnx.where(encoded.unscorable, np.nan, scores)
    return columns, {
        "anomaly_score": scores,
        "anomaly_p_value": p_values(fitted.calibration, scores),
        "is_anomaly": without_ties(scores) > float(fitted.threshold),
    }


def _scores(fitted: FittedModel, matrix: Array) -> Array:
    """As `TableScorer.score_rows`: [rows, features] → [rows], float64."""
    errors = []
    for member in fitted.members:
        arrays = as_constants(member.arrays.values)
        errors.append(evaluation_of(fitted.encoder.layout, fitted.config.model, arrays).errors(matrix))
    mean: Array = errors[0] if len(errors) == 1 else sum(errors[1:], errors[0]) / len(errors)
    return ndonnx.mean(ndonnx.astype(mean, ndonnx.float64), axis=1) / float(fitted.scale)
