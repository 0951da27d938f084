"""The autoencoders: one small file each, behind the contract in `base`.

To add one, write its file and name it here; training, scoring, the model file and the contract
tests take it from this registry.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import TYPE_CHECKING

from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import ModelConfig
    from aedetect.features.layout import Layout
    from aedetect.models.base import Autoencoder

ARCHITECTURES = {
    "memory": "aedetect.models.memory:MemoryAutoencoder",
    "principal": "aedetect.models.principal:PrincipalAutoencoder",
    "denoising": "aedetect.models.denoising:DenoisingAutoencoder",
    "variational": "aedetect.models.variational:VariationalAutoencoder",
    "bottleneck": "aedetect.models.bottleneck:BottleneckAutoencoder",
}
AUTO = "auto"


def build(layout: Layout, config: ModelConfig) -> Autoencoder:
    """A freshly initialised model of the configured architecture.

    'auto' is the memory one, but for tables of nothing but categories, where distances say
    little, the principal one. Raises UsageError for an unknown name.
    """
    if config.architecture == AUTO:
        chosen = "memory" if layout.numeric else "principal"
        return build(layout, config.model_copy(update={"architecture": chosen}))
    if config.architecture not in ARCHITECTURES:
        close = difflib.get_close_matches(config.architecture, [AUTO, *ARCHITECTURES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        known = ", ".join([AUTO, *ARCHITECTURES])
        raise UsageError(f"unknown architecture {config.architecture!r}{hint} (there are: {known})")
    module, _, name = ARCHITECTURES[config.architecture].partition(":")
    model: Autoencoder = getattr(import_module(module), name)(layout, config)
    return model
