"""Where to compute."""

from __future__ import annotations

import torch

from aedetect.errors import UsageError


def pick_device(name: str) -> torch.device:
    """The device called 'auto', 'cpu', 'cuda' or 'mps'. Raises UsageError where it is not there."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    if not available[name]:
        raise UsageError(f"device {name!r} is not available on this machine; use --device auto or cpu")
    return torch.device(name)
