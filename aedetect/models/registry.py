"""The autoencoders: one small file each, behind the contract in `base`.

To add one, write its file and name it here; training, scoring, the model file and the contract
tests take it from this registry.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import ModelConfig
    from aedetect.data.features.layout import Layout
    from aedetect.models.base import Autoencoder
    from aedetect.models.window_base import SeriesAutoencoder, WindowLayout

ARCHITECTURES = {
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
AUTO = "auto"


def build_series(layout: WindowLayout, config: ModelConfig) -> SeriesAutoencoder:
    """A freshly initialised model of time series; 'auto' is the one with a memory of patches.

    Raises UsageError for an unknown name.
    """
    name = "patches" if config.architecture == AUTO else config.architecture
    model: SeriesAutoencoder = _class_of(name, SERIES_ARCHITECTURES, "for time series")(layout, config)
    return model


def build(layout: Layout, config: ModelConfig) -> Autoencoder:
    """A freshly initialised model of the configured architecture.

    'auto' is the memory one, but for tables of nothing but categories, where distances say
    little, the principal one. Raises UsageError for an unknown name.
    """
    if config.architecture == AUTO:
        chosen = "memory" if layout.numeric else "principal"
        return build(layout, config.model_copy(update={"architecture": chosen}))
    model: Autoencoder = _class_of(config.architecture, ARCHITECTURES, "for tables")(layout, config)
    return model


def _class_of(name: str, known: Mapping[str, str], kind: str) -> Any:
    if name not in known:
        names = [AUTO, *known]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"unknown architecture {name!r}{hint} ({kind} there are: {', '.join(names)})")
    module, _, found = known[name].partition(":")
    return getattr(import_module(module), found)
