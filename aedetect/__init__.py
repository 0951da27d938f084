"""aedetect: learn what normal rows look like, flag what does not belong.

Importing this package loads neither torch nor pandas nor pyarrow; the public names are
resolved on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aedetect._version import __version__

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.detector import Detector, load, tune
    from aedetect.tasks.suppression.muting import Muting

__all__ = ["Config", "Detector", "Muting", "__version__", "load", "tune"]

_HOMES = {
    "Detector": "aedetect.detector",
    "load": "aedetect.detector",
    "tune": "aedetect.detector",
    "Config": "aedetect.config",
    "Muting": "aedetect.tasks.suppression.muting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aedetect' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
