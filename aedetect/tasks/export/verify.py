"""The exported graph beside the product, on the rows of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Mask
from aedetect.errors import ModelError
from aedetect.io.source import Input
from aedetect.models.threads import single_threaded
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer
from aedetect.tasks.export.columns import ColumnInput, feeds

if TYPE_CHECKING:
    import onnxruntime
    import pyarrow as pa
    from onnx import ModelProto

# So many rows at a time: what a graph holds of each, its distances to a memory bank above all, is much.
BLOCK_ROWS = 1024
# A verdict may differ where the score lies no farther from the threshold than this share of it.
NEAR = 1e-3
_MOST_NAMED = 5


@dataclass(frozen=True)
class Verification:
    """How the graph compares with the product.

    `rows` were compared; of `unreadable` ones a cell cannot be read, so that there was nothing to give to the
    graph. `score_difference`, `p_value_difference`: the largest, in the product's. `anomalies`: of the
    product. `differing`: verdicts; `ties`: those of them at the threshold but for rounding. `named`: the
    first of the others, for people.
    """

    runtime: str
    rows: int = 0
    unreadable: int = 0
    anomalies: int = 0
    score_difference: float = 0.0
    p_value_difference: float = 0.0
    differing: int = 0
    ties: int = 0
    named: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For metadata and JSON."""
        return {
            "runtime": self.runtime,
            "rows": self.rows,
            "unreadable": self.unreadable,
            "anomalies": self.anomalies,
            "largest_relative_difference": {
                "score": self.score_difference,
                "p_value": self.p_value_difference,
            },
            "differing_verdicts": self.differing,
            "ties": self.ties,
        }


def session_of(model: ModelProto) -> onnxruntime.InferenceSession:
    """The graph in ONNX Runtime, on one thread of a CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def runtime_name() -> str:
    """The runtime and its version."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"


def verified(
    fitted: FittedModel, inputs: list[ColumnInput], model: ModelProto, sources: Sequence[Input]
) -> Verification:
    """The graph beside the product on all rows of `sources`.

    Raises ModelError where verdicts differ that are no ties, and DataError for rows that cannot be read.
    """
    session, scorer, result = session_of(model), TableScorer(fitted), Verification(runtime_name())
    with single_threaded(fitted.device):
        for source in sources:
            fitted.check(source)
            first = 0
            for batch in _blocks(fitted.as_read(source)):
                compared = _compared(scorer, session, inputs, batch)
                result = compared.added_to(result, source, first, float(fitted.threshold))
                first += len(batch)
    different = result.differing - result.ties
    if different:
        more = f" and {different - len(result.named):,} more" if different > len(result.named) else ""
        raise ModelError(
            f"{different:,} of {result.rows:,} verdicts of the exported file differ from the product's: "
            f"{', '.join(result.named)}{more}; nothing was written"
        )
    return result


@dataclass(frozen=True)
class _Compared:
    """Scores, p-values and verdicts [rows] of the product and of the graph; `readable` [rows]."""

    product: tuple[Floats, Floats, Mask]
    graph: tuple[Floats, Floats, Mask]
    readable: Mask

    def added_to(self, result: Verification, source: Input, first: int, threshold: float) -> Verification:
        chosen = self.readable
        scores, p_values, flagged = self.product[0][chosen], self.product[1][chosen], self.product[2][chosen]
        others, other_p_values = self.graph[0][chosen], self.graph[1][chosen]
        other_flagged = self.graph[2][chosen]
        differing = (flagged != other_flagged) | (np.isnan(scores) != np.isnan(others))
        near = np.abs(scores - threshold) <= NEAR * abs(threshold)
        places = np.flatnonzero(self.readable)[differing & ~near]
        named = [source.locate(first + int(place) + 1) for place in places[:_MOST_NAMED]]
        return Verification(
            result.runtime,
            result.rows + len(scores),
            result.unreadable + int((~self.readable).sum()),
            result.anomalies + int(flagged.sum()),
            max(result.score_difference, largest_difference(scores, others)),
            max(result.p_value_difference, largest_difference(p_values, other_p_values)),
            result.differing + int(differing.sum()),
            result.ties + int((differing & near).sum()),
            (*result.named, *named)[:_MOST_NAMED],
        )


def largest_difference(values: Floats, others: Floats) -> float:
    """The largest difference of `others` [rows] from `values` [rows], relative to these; 0 without any."""
    known = ~(np.isnan(values) | np.isnan(others))
    if not known.any():
        return 0.0
    apart = np.abs(others[known] - values[known])
    return float((apart / np.maximum(np.abs(values[known]), np.finfo(np.float64).tiny)).max())


def _compared(
    scorer: TableScorer,
    session: onnxruntime.InferenceSession,
    inputs: list[ColumnInput],
    batch: pa.RecordBatch,
) -> _Compared:
    scores = scorer.score_batch(batch)
    given: dict[str, AnyArray] = feeds(inputs, batch)
    score, p_value, flagged = session.run(["anomaly_score", "anomaly_p_value", "is_anomaly"], given)
    unreadable = scores.encoded.unscorable & ~scores.encoded.empty
    return _Compared(
        (scores.scores, scores.p_values, np.asarray(scores.flagged)), (score, p_value, flagged), ~unreadable
    )


def _blocks(source: Input) -> Iterator[pa.RecordBatch]:
    for batch in source.open(BLOCK_ROWS).batches():
        for start in range(0, len(batch), BLOCK_ROWS):
            yield batch.slice(start, BLOCK_ROWS)
