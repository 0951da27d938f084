"""From a fitted model to an ONNX file, compared with the product where that is asked for."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aedetect._version import __version__
from aedetect.errors import ModelError, UsageError
from aedetect.io.atomic import atomic_output
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel, SeriesParts

if TYPE_CHECKING:
    from onnx import ModelProto

    from aedetect.tasks.export.verify import Verification
    from aedetect.tasks.export.verify_windows import WindowVerification

_NEEDED = ("onnx", "ndonnx", "onnxruntime")
OUTPUTS = {
    "anomaly_score": "higher is stranger, as in the product; NaN where a row has no value that can be judged",
    "anomaly_p_value": "share of normal rows at least this strange; NaN where there is no score",
    "is_anomaly": "whether the score is above the threshold; false where there is no score",
}
WINDOW_OUTPUTS = {
    "anomaly_score": "of the window, in the units of anomaly_score in aedetect score, higher is stranger; "
    "NaN where less than half of its cells are known"
}
# What the product does beside, of tables and of time series.
NOT_INSIDE = (
    "columns that are empty in a whole file, which the product leaves out of account",
    "text that is no number or date, and spaces around names: values come as they are meant",
    "feedback, calendars, rules and health",
)
NOT_INSIDE_WINDOWS = (
    "alarms, events, adaptation and p-values, which rest on several scales of time and on what came before",
    "scores of rows, which are made of those of windows: see aedetect.row_score",
    "a regular grid of steps, the last known value in short gaps, gross cells; watched constants",
)


@dataclass(frozen=True)
class Export:
    """An exported model. `metadata`: what the file says of itself; `verification`: None if not asked for."""

    model: ModelProto
    metadata: dict[str, str]
    verification: Verification | WindowVerification | None = None

    @property
    def opset(self) -> int:
        """The version of the ONNX operators that a runtime must know."""
        return int(next(each.version for each in self.model.opset_import if each.domain in ("", "ai.onnx")))

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the file; how many bytes it has. Raises OutputError where that fails."""
        content = self.model.SerializeToString()
        with atomic_output(path) as stream:
            stream.write(content)
        return len(content)


def check_packages() -> None:
    """Raises UsageError where a package that export needs is not installed."""
    missing = next((name for name in _NEEDED if importlib.util.find_spec(name) is None), None)
    if missing is not None:
        raise UsageError(f"export needs {missing}; install it with: pip install 'aedetect[onnx]'")


def check_exportable(fitted: FittedModel) -> None:
    """Raises ModelError that says why, for a model that no ONNX file can hold."""
    if fitted.groups is not None or fitted.encoder.groups is not None:
        raise ModelError(
            "a model with groups cannot be exported: a file has one threshold, and this model has one for "
            "each group; train a model for each group, or one without --group"
        )
    names = {each.column for each in fitted.encoder.state.numeric}
    names |= {each.column for each in fitted.encoder.state.categorical} | set(fitted.encoder.state.constant)
    taken = sorted(names & set(OUTPUTS))
    if taken:
        raise ModelError(
            f"the column {taken[0]!r} bears the name of an output of the exported file; rename it and retrain"
        )
    if "" in names:
        raise ModelError(
            "a column without a name cannot be an input of an exported file; name it and retrain"
        )
    if not names:
        raise ModelError("a model without columns cannot be exported")


def export(fitted: FittedModel, verify: Sequence[Input] = ()) -> Export:
    """The model as an ONNX graph; compared on the rows of `verify`, if any are given.

    Raises UsageError without the packages, ModelError for a model that cannot be exported or whose graph
    gives other verdicts than the product, ties at the threshold apart, or of windows other scores; DataError
    for unreadable rows.
    """
    check_packages()
    check_exportable(fitted)
    # To build a graph takes seconds.
    for source in verify:
        fitted.check(source)
    if fitted.series is not None:
        return _of_windows(fitted, fitted.series, verify)
    from aedetect.tasks.export.columns import column_inputs
    from aedetect.tasks.export.table_graph import table_graph
    from aedetect.tasks.export.verify import verified

    inputs = column_inputs(fitted.encoder)
    model = _built(*table_graph(fitted, inputs))
    verification = verified(fitted, inputs, model, verify) if verify else None
    described = [each.as_dict() for each in inputs]
    metadata = _metadata(fitted, described, OUTPUTS, NOT_INSIDE) | _of_threshold(fitted)
    if verification is not None:
        metadata["aedetect.verified"] = json.dumps(verification.as_dict())
    return _finished(model, metadata, verification)


def _of_windows(fitted: FittedModel, series: SeriesParts, verify: Sequence[Input]) -> Export:
    from aedetect.tasks.export.window_graph import check_windows, described_window, window_graph

    check_windows(fitted)
    model = _built(*window_graph(fitted, series))
    metadata = _metadata(fitted, described_window(fitted, series), WINDOW_OUTPUTS, NOT_INSIDE_WINDOWS)
    metadata["aedetect.row_score"] = row_score_in_words(fitted, series)
    verification = None
    if verify:
        from aedetect.tasks.export.verify_windows import verified_windows

        verification = verified_windows(fitted, series, model, verify)
        metadata["aedetect.verified"] = json.dumps(verification.as_dict())
    return _finished(model, metadata, verification)


def row_score_in_words(fitted: FittedModel, series: SeriesParts) -> str:
    """What the score of a row in `aedetect score` is beside those of windows."""
    settings, window = fitted.config.series, series.state.window
    if settings.causal:
        said = "that of the window which ends with the row"
    else:
        said = f"the mean over the {window} windows that hold the row, fewer where a stretch begins or ends"
    if settings.smoothing > 1:
        where = "up to" if settings.causal else "around"
        said += f", averaged over {settings.smoothing} rows {where} it"
    return said


def _built(inputs: dict[str, Any], outputs: dict[str, Any]) -> ModelProto:
    import ndonnx

    return ndonnx.build(inputs, outputs)


def _metadata(
    fitted: FittedModel, inputs: list[dict[str, Any]], outputs: dict[str, str], not_inside: Sequence[str]
) -> dict[str, str]:
    """What the file says of itself; values are texts, lists and objects in JSON."""
    return {
        "aedetect.version": __version__,
        "aedetect.model_sha256": fitted.sha256 or "",
        "aedetect.trained": fitted.training.started,
        "aedetect.architecture": _architecture(fitted),
        "aedetect.inputs": json.dumps(inputs, ensure_ascii=False),
        "aedetect.outputs": json.dumps(outputs),
        "aedetect.not_inside": json.dumps(list(not_inside)),
    }


def _of_threshold(fitted: FittedModel) -> dict[str, str]:
    from aedetect.tasks.export.graph import TIE

    return {
        "aedetect.threshold": repr(float(fitted.threshold)),
        "aedetect.promise": fitted.promise_in_words,
        "aedetect.alert_rate": repr(fitted.config.threshold.alert_rate),
        "aedetect.tie": repr(TIE),
    }


def _architecture(fitted: FittedModel) -> str:
    from aedetect.models.registry import architecture_of

    layout = fitted.encoder.layout
    return architecture_of(
        fitted.config.model.architecture, bool(layout.numeric), series=fitted.series is not None
    )


def _finished(
    model: ModelProto, metadata: dict[str, str], verification: Verification | WindowVerification | None
) -> Export:
    import onnx

    export = Export(model, metadata, verification)
    metadata["aedetect.opset"] = str(export.opset)
    model.producer_name, model.producer_version = "aedetect", __version__
    model.doc_string = "Anomaly scores of rows; see the metadata, aedetect.inputs and aedetect.outputs."
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    return export
