"""Where to compute: on a CPU in numpy, on a GPU in torch, which is imported for it alone."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import AnyArray, Matrix
from aedetect.errors import GPU_MEMORY, UsageError, lacking
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.kernels import BLOCK_ROWS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CPU, MPS = "cpu", "mps"
# A GPU is busy with blocks of so many rows; of wide rows fewer: about forty arrays of a block exist at once.
DEVICE_BLOCK_ROWS = 16 * BLOCK_ROWS
_BLOCK_CELLS = 1 << 24
# Threads that are on the GPU at once: one waits for results while another has it compute.
_THREADS = 2
# Where drivers of GPUs show themselves, from the root of the file system: those of NVIDIA, of whose cards a
# container may see the second alone, of its small boards, of AMD, and of Windows beneath Linux. Importing
# torch only to hear that there is none takes two seconds.
_DRIVERS = (
    *("dev/nvidiactl", "dev/nvidia[0-9]*", "proc/driver/nvidia/version"),
    *("dev/nvhost-gpu", "dev/nvhost-ctrl-gpu", "dev/nvgpu", "dev/nvmap", "dev/kfd", "dev/dxg"),
)
_WINDOWS_DRIVERS = ("nvcuda.dll", "amdhip64*.dll")
# What hides NVIDIA's cards from all programs, where it is empty or negative.
_HIDING = "CUDA_VISIBLE_DEVICES"


def pick_device(name: str) -> str:
    """The device called 'auto', 'cpu', 'cuda' or 'mps', by one of the last three names.

    'auto' is never 'mps': Apple's GPUs have no double precision, which learning needs. Raises UsageError
    for one that is not there.
    """
    if name == CPU or (name == "auto" and not _may_have_gpu()):
        return CPU
    if not (platform.system() == "Darwin" if name == MPS else _may_have_gpu()):
        raise _not_there(name)
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        MPS: torch.backends.mps.is_available(),
        CPU: True,
    }
    if name == "auto":
        return "cuda" if available["cuda"] else CPU
    if not available[name]:
        raise _not_there(name)
    return name


def check_double_precision(device: str, what: str) -> None:
    """Raises UsageError where `what` ('training needs') numbers of 64 bits, and the device has none."""
    if device == MPS:
        raise UsageError(
            f"--device {MPS}: {what} double precision, which Apple's GPUs lack; use --device auto or cpu"
        )


def _not_there(name: str) -> UsageError:
    return UsageError(
        f"--device {name}: there is none on this machine that torch can use; use --device auto or cpu"
    )


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

    return sent(torch.from_numpy(np.array(array, copy=True)), torch.device(device))


def sent(values: Tensor, device: torch.device) -> Tensor:
    """`values` on `device`; a GPU fetches them when it gets to it, and nobody waits.

    It fetches from memory that stays in its place, which torch keeps for the next ones. Where the system
    grants none, the copy is waited for.
    """
    if device.type != "cuda" or values.device.type != CPU:
        return values.to(device)
    with contextlib.suppress(RuntimeError):
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def on_host(values: Array) -> Matrix:
    """`values` in numpy, wherever they are."""
    return np.asarray(values if isinstance(values, np.ndarray) else values.detach().cpu().numpy())


class Room:
    """How many rows a GPU computes at once: fewer from when its memory was too small for more."""

    def __init__(self) -> None:
        self.rows = DEVICE_BLOCK_ROWS
        self.threads = threading.BoundedSemaphore(_THREADS)

    def block(self, width: int, device: str) -> int:
        """Rows of a block, of so many values each."""
        if device == CPU:
            return BLOCK_ROWS
        fit = _BLOCK_CELLS // max(width, 1) // BLOCK_ROWS * BLOCK_ROWS
        return max(min(fit, self.rows), BLOCK_ROWS)

    def lessen(self, size: int) -> None:
        """There was no memory for `size` rows. What torch keeps for later is given back."""
        import torch

        self.rows = min(self.rows, max(size // 2, BLOCK_ROWS))
        torch.cuda.empty_cache()


ROOM = Room()


def by_room(count: int, width: int, device: str, work: Callable[[int, int], None]) -> None:
    """`work` on block after block of `count` rows, of so many values each: from which row, and how many.

    On a GPU whose memory is too small for a block, it is repeated on half as many rows, and so are those to
    come: products of other sizes round in other ways, so that scores may differ in their last digits.
    """
    start = 0
    while start < count:
        size = ROOM.block(width, device)
        if device == CPU:
            work(start, size)
        elif not _fits(work, start, size):
            continue
        start += size


def _fits(work: Callable[[int, int], None], start: int, size: int) -> bool:
    with ROOM.threads:
        try:
            work(start, size)
            return True
        except RuntimeError as error:
            if lacking(error) != GPU_MEMORY or size <= BLOCK_ROWS:
                raise
        # Here the error is gone, and with it what it held.
        ROOM.lessen(size)
        return False


def _may_have_gpu(root: Path = Path("/")) -> bool:
    """Whether it is worth asking torch for a GPU of NVIDIA or AMD."""
    hidden = os.environ.get(_HIDING)
    if hidden is not None and (not hidden.strip() or hidden.strip().startswith("-")):
        return False
    system = platform.system()
    if system == "Windows":
        folder = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
        return any(True for name in _WINDOWS_DRIVERS for _ in folder.glob(name))
    return system == "Linux" and any(True for name in _DRIVERS for _ in root.glob(name))
