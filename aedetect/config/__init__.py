"""Every setting of aedetect, and names and numbers as people type them.

Importing this package loads no pydantic, which the settings are checked by: a mistyped path does not need
it. The settings are resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aedetect.config.settings import (
        Config,
        DataConfig,
        DriftConfig,
        ModelConfig,
        Role,
        SeriesConfig,
        Span,
        ThresholdConfig,
        TrainingConfig,
        parse_duration,
        setting_names,
    )

__all__ = [
    "Config",
    "DataConfig",
    "DriftConfig",
    "ModelConfig",
    "Role",
    "SeriesConfig",
    "Span",
    "ThresholdConfig",
    "TrainingConfig",
    "parse_duration",
    "setting_names",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aedetect.config' has no attribute {name!r}")
    from aedetect.config import settings

    return getattr(settings, name)
