"""Where to compute: on a CPU in numpy, on a GPU in torch, which is imported for it alone."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aedetect.data.arrays import AnyArray, Matrix
from aedetect.errors import UsageError
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import BLOCK_ROWS

CPU = "cpu"
# A GPU is busy with blocks of so many rows, and the distances of some to all memories fit beside.
DEVICE_BLOCK_ROWS = 16 * BLOCK_ROWS
# Where drivers of GPUs show themselves: importing torch only to hear that there is none takes two seconds.
_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg", "/proc/driver/nvidia/version")


def pick_device(name: str) -> str:
    """The device called 'auto', 'cpu', 'cuda' or 'mps', by one of the last three names.

    Raises UsageError where it is not there.
    """
    if name == CPU or (name == "auto" and not _may_have_gpu()):
        return CPU
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        CPU: True,
    }
    if name == "auto":
        return next(kind for kind, there in available.items() if there)
    if not available[name]:
        raise UsageError(f"device {name!r} is not available on this machine; use --device auto or cpu")
    return name


def placed(values: Mapping[str, AnyArray], device: str) -> Arrays:
    """The arrays of a model file where they are computed with."""
    if device == CPU:
        return Arrays({name: np.asarray(array, order="C") for name, array in values.items()})
    return Arrays(
        {name: on_device(array, device) for name, array in values.items()},
        lambda array: on_device(array, device),
    )


def on_device(array: AnyArray, device: str) -> Array:
    """`array` as it is on a CPU, as a tensor on a GPU."""
    if device == CPU:
        return array
    import torch

    return torch.from_numpy(np.array(array, copy=True)).to(device)


def on_host(values: Array) -> Matrix:
    """`values` in numpy, wherever they are."""
    return np.asarray(values if isinstance(values, np.ndarray) else values.detach().cpu().numpy())


def _may_have_gpu() -> bool:
    """Whether it is worth asking torch for a GPU."""
    if platform.system() == "Linux":
        return any(Path(path).exists() for path in _DRIVERS)
    # Windows shows no such files; an Apple processor has a GPU.
    return platform.system() != "Darwin" or platform.machine() == "arm64"
