"""The architectures by name: one small file each, behind the contracts in `base`.

To add one for tables, write what it computes once it has learned in `evaluation/NAME.py`, a subclass of
`evaluation.base.RowEvaluation` in the array API, and how it learns in `tabular/NAME.py`, a subclass of
`base.Autoencoder` in torch; name them in `EVALUATIONS` and `ARCHITECTURES`. For time series there are
`WindowEvaluation`, `windows/NAME.py`, `base.WindowAutoencoder`, and `SERIES_…` of the two.
That is all: the settings, training, scoring, the model file and the tests of the contract
(`tests/models`) take it from here. What the classes have to do:

- the constructor of the module builds everything from layout and settings, that of the evaluation pass takes
  from the arrays what it needs and says in what shape, so that a model file can be loaded and checked;
- `objective` is the loss, `errors` of the evaluation pass the score's raw material;
- `reconstruct` says what was expected, for explanations;
- `fit_score_normalisation` sets, after training, what evaluation needs beside weights: how large
  errors typically are, a memory bank. All of it must be parameters or buffers, whose names then
  stand in model files and cannot change. Where a buffer's size depends on the data, see
  `buffers.DataSizedBuffers`.

`layers`, `memory_bank` and `pca`, and those in `evaluation`, have the parts that several are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aedetect.config.names import did_you_mean
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import ModelConfig
    from aedetect.data.features.layout import Layout
    from aedetect.models.base import Autoencoder, WindowAutoencoder
    from aedetect.models.evaluation.arrays import Arrays
    from aedetect.models.evaluation.base import RowEvaluation, WindowEvaluation
    from aedetect.models.evaluation.window_layout import WindowLayout

ARCHITECTURES = {
    "evidence": "aedetect.models.tabular.evidence:EvidenceAutoencoder",
    "memory": "aedetect.models.tabular.memory:MemoryAutoencoder",
    "principal": "aedetect.models.tabular.principal:PrincipalAutoencoder",
    "denoising": "aedetect.models.tabular.denoising:DenoisingAutoencoder",
    "variational": "aedetect.models.tabular.variational:VariationalAutoencoder",
    "bottleneck": "aedetect.models.tabular.bottleneck:BottleneckAutoencoder",
}
SERIES_ARCHITECTURES = {
    "patches": "aedetect.models.windows.patches:PatchAutoencoder",
    "convolutional": "aedetect.models.windows.convolutional:ConvolutionalAutoencoder",
}
_ROOM = "aedetect.models.evaluation"
EVALUATIONS = {
    "evidence": f"{_ROOM}.evidence:EvidenceEvaluation",
    "memory": f"{_ROOM}.memory:MemoryEvaluation",
    "principal": f"{_ROOM}.principal:PrincipalEvaluation",
    "denoising": f"{_ROOM}.denoising:DenoisingEvaluation",
    "variational": f"{_ROOM}.variational:VariationalEvaluation",
    "bottleneck": f"{_ROOM}.bottleneck:BottleneckEvaluation",
}
SERIES_EVALUATIONS = {
    "patches": f"{_ROOM}.patches:PatchEvaluation",
    "convolutional": f"{_ROOM}.convolutional:ConvolutionalEvaluation",
}
_SHORT_EVALUATION = f"{_ROOM}.patches:PatchEvaluation"
_SHORT = "aedetect.models.windows.patches:ShortPatchAutoencoder"
AUTO, _SERIES_AUTO = "auto", "patches"
# The format of model files in which 'auto' began to stand for `evidence`.
_EVIDENCE_FORMAT = 5


def evaluation_of(layout: Layout, config: ModelConfig, arrays: Arrays) -> RowEvaluation:
    """The evaluation pass of a model of rows with the `arrays` of its file; imports no torch.

    Raises UsageError for an unknown name, KeyError or ValueError for arrays that do not fit.
    """
    name = chosen_for(layout) if config.architecture == AUTO else config.architecture
    judge: RowEvaluation = _class_of(name, EVALUATIONS, "for tables")(layout, config, arrays)
    arrays.check_all_taken()
    return judge


def series_evaluation_of(layout: WindowLayout, config: ModelConfig, arrays: Arrays) -> WindowEvaluation:
    """The evaluation pass of a model of windows; see `evaluation_of`."""
    name = architecture_of(config.architecture, True, series=True)
    judge: WindowEvaluation = _class_of(name, SERIES_EVALUATIONS, "for time series")(layout, config, arrays)
    arrays.check_all_taken()
    return judge


def short_evaluation_of(layout: WindowLayout, config: ModelConfig, arrays: Arrays) -> WindowEvaluation:
    """The evaluation pass of a model of short windows; see `build_short`."""
    judge: WindowEvaluation = _loaded(_SHORT_EVALUATION)(layout, config, arrays)
    arrays.check_all_taken()
    return judge


def build_series(layout: WindowLayout, config: ModelConfig) -> WindowAutoencoder:
    """A freshly initialised model of windows of a time series; 'auto' is the patches one.

    Raises UsageError for an unknown name.
    """
    name = architecture_of(config.architecture, True, series=True)
    model: WindowAutoencoder = _class_of(name, SERIES_ARCHITECTURES, "for time series")(layout, config)
    return model


def build_short(layout: WindowLayout, config: ModelConfig) -> WindowAutoencoder:
    """A model of short windows: one that learns in one pass, whatever `config` names for the long ones."""
    model: WindowAutoencoder = _loaded(_SHORT)(layout, config)
    return model


def build(layout: Layout, config: ModelConfig) -> Autoencoder:
    """A freshly initialised model of the configured architecture. Raises UsageError for an unknown name."""
    model: Autoencoder = _table_class(layout, config)(layout, config)
    return model


def is_cross_fitted(layout: Layout, config: ModelConfig) -> bool:
    """Whether the configured architecture learns from all rows and judges each as if it had not."""
    from aedetect.models.base import CrossFitted

    return issubclass(_table_class(layout, config), CrossFitted)


def chosen_for(layout: Layout, format_version: int | None = None) -> str:
    """What 'auto' stands for in a table; in model files of older formats it stood for something else.

    For tables of nothing but categories, where distances say little, it is the principal one.
    """
    return architecture_of(AUTO, bool(layout.numeric), format_version)


def architecture_of(name: str, numeric: bool, format_version: int | None = None, series: bool = False) -> str:
    """The architecture called `name`, 'auto' resolved; `numeric`: whether some column is no category."""
    if name != AUTO:
        return name
    if series:
        return _SERIES_AUTO
    if not numeric:
        return "principal"
    return "memory" if format_version is not None and format_version < _EVIDENCE_FORMAT else "evidence"


def _table_class(layout: Layout, config: ModelConfig) -> Any:
    name = chosen_for(layout) if config.architecture == AUTO else config.architecture
    return _class_of(name, ARCHITECTURES, "for tables")


def _class_of(name: str, known: Mapping[str, str], kind: str) -> Any:
    if name not in known:
        names = [AUTO, *known]
        hint = did_you_mean(name, names)
        raise UsageError(f"unknown architecture {name!r}{hint} ({kind} there are: {', '.join(names)})")
    return _loaded(known[name])


def _loaded(path: str) -> Any:
    module, _, class_name = path.partition(":")
    return getattr(import_module(module), class_name)
