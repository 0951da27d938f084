"""A GPU that is none: what torch would refuse to do with tensors of one, and where it would wait for it.

Numbers are computed on the CPU. Tensors that were sent to the GPU are remembered by their memory: what is
computed from them is there too, `device` says so, they cannot be seen by numpy, and operations that mix them
with others raise what torch raises. Where Python must wait for the GPU is counted: `item()`, `bool()`,
copies to the host, and results whose size depends on values.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode

from aedetect.models.evaluation import kernels

GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")
# Single numbers of the CPU may stand in these beside tensors of a GPU.
_ELEMENTWISE = {
    *("add", "sub", "mul", "div", "true_divide", "where", "clamp", "clip", "pow", "maximum", "minimum"),
    *("eq", "ne", "lt", "le", "gt", "ge", "radd", "rsub", "rmul", "rtruediv", "truediv", "copy", "setitem"),
    *("getitem", "iadd", "isub", "imul", "itruediv", "rpow", "addcdiv", "addcmul"),
}
# Python or the host must know what comes out.
_WAITS = {
    *("__bool__", "__int__", "__float__", "__index__", "__contains__", "__format__", "__repr__"),
    *("item", "tolist", "cpu", "nonzero", "argwhere", "unique"),
    *("masked_select", "is_nonzero", "equal", "allclose", "repeat_interleave", "unique_consecutive"),
    *("eigh", "inv", "svd", "qr", "cholesky", "solve", "pca_lowrank"),
}
_OF_PYTHON = {*(name for name in _WAITS if name.startswith("__")), "__array__"}
_TO_HOST = {"cpu"}
_OF_NO_PLACE = {"backward", "has_compatible_shallow_copy_type", "untyped_storage", "shape", "dtype"}
# What is of no place, or of that of its first argument.
_OF_THE_FIRST = {"copy", "setitem"}


@dataclass
class PretendGpu:
    """Which memory is on the GPU, what was called there and waited for, and the most bytes of one array."""

    waits: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    pinned: int = 0
    refused: int = 0
    most_bytes: int | None = None
    held: dict[int, StorageWeakRef] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def has(self, tensor: Tensor) -> bool:
        """Whether a tensor is on the GPU."""
        with torch._C.DisableTorchFunction():
            held = self.held.get(tensor.untyped_storage()._cdata)
        return held is not None and not held.expired()

    def take(self, tensor: Tensor) -> Tensor:
        """The tensor, now on the GPU. Raises what torch raises where it does not fit."""
        with torch._C.DisableTorchFunction():
            storage = tensor.untyped_storage()
            if self.most_bytes is not None and storage.nbytes() > self.most_bytes:
                self.refused += 1
                raise torch.cuda.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {storage.nbytes()}")
            with self.lock:
                self.held[storage._cdata] = StorageWeakRef(storage)
        return tensor


class _Mode(TorchFunctionMode):
    """Sends every call on tensors past the pretended GPU."""

    def __init__(self, gpu: PretendGpu):
        super().__init__()
        self.gpu = gpu

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return _called(self.gpu, func, args, dict(kwargs or {}))


def _called(gpu: PretendGpu, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = _name(func)
    if func is torch.device or name in _OF_NO_PLACE or getattr(func, "__name__", "") == "__set__":
        return func(*args, **kwargs)
    if name == "device":
        return GPU if gpu.has(args[0]) else CPU
    if name == "is_cuda":
        return gpu.has(args[0])
    tensors = list(_tensors((args, kwargs)))
    here = [tensor for tensor in tensors if gpu.has(tensor)]
    if name == "to":
        return _moved(gpu, func, args, kwargs)
    if name == "pin_memory":
        gpu.pinned += 1
        return args[0].clone()
    if name in {"numpy", "__array__"} and here:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
    wanted = kwargs.pop("device", None)
    _check_place(gpu, name, args, tensors, here)
    if name == "getitem" and gpu.has(args[0]) and _from_the_host(gpu, args[1]):
        gpu.waits["index from the host"] += 1
    if here and (name in _WAITS or _masked(gpu, name, args)):
        gpu.waits[name] += 1
    if name == "copy" and bool(here) and not gpu.has(args[0]):
        gpu.waits["copy to the host"] += 1
    if here:
        gpu.calls[name] += 1
    result = func(*args, **kwargs)
    if name in _TO_HOST:
        return result.clone() if here else result
    if name in _OF_THE_FIRST:
        return result
    on_gpu = bool(here) if wanted is None else torch.device(wanted).type == "cuda"
    if on_gpu:
        for tensor in _tensors(result):
            gpu.take(tensor)
    return result


def _moved(gpu: PretendGpu, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, rest = args[0], list(args[1:])
    wanted = kwargs.pop("device", None)
    for place, value in enumerate(rest):
        if isinstance(value, torch.device | str):
            wanted, rest[place] = value, CPU
            break
        if isinstance(value, Tensor):
            wanted = GPU if gpu.has(value) else CPU
            rest[place] = value.dtype
            break
    was_there = gpu.has(tensor)
    goes_there = was_there if wanted is None else torch.device(wanted).type == "cuda"
    if goes_there != was_there:
        kwargs["copy"] = True
    if was_there and not goes_there:
        gpu.waits["to the host"] += 1
    result = func(tensor, *rest, **kwargs) if rest or kwargs else tensor
    return gpu.take(result) if goes_there else result


def _check_place(
    gpu: PretendGpu, name: str, args: tuple[Any, ...], tensors: list[Tensor], here: list[Tensor]
) -> None:
    """Raises what torch raises of operations on tensors of two places."""
    if not here or len(here) == len(tensors) or name in {"copy", "new_tensor", "type_as"}:
        return
    others = [tensor for tensor in tensors if not gpu.has(tensor)]
    if name in {"getitem", "setitem"}:
        if not gpu.has(args[0]) and any(gpu.has(tensor) for tensor in _tensors(args[1])):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor")
        by_index = any(True for _ in _tensors(args[1]))
        if name == "getitem" or not by_index:
            return
        others = [tensor for tensor in _tensors(args[2:]) if not gpu.has(tensor)] if gpu.has(args[0]) else []
    single = name in _ELEMENTWISE and all(tensor.dim() == 0 for tensor in others)
    if others and not single:
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, cuda:0 and cpu")


def _masked(gpu: PretendGpu, name: str, args: tuple[Any, ...]) -> bool:
    """Whether an index is a mask: how many it marks must be known, but for one number that is set."""
    if name not in {"getitem", "setitem"}:
        return False
    masks = [t for t in _tensors(args[1]) if t.dtype == torch.bool]
    if name == "setitem" and masks and not (isinstance(args[2], Tensor) and args[2].dim()):
        return False
    return bool(masks)


def _from_the_host(gpu: PretendGpu, index: Any) -> bool:
    """Whether an index has numbers that must be sent to the GPU first."""
    if isinstance(index, tuple):
        return any(_from_the_host(gpu, part) for part in index)
    if isinstance(index, Tensor):
        return index.dim() > 0 and not gpu.has(index)
    return isinstance(index, list | np.ndarray)


def _name(func: Any) -> str:
    name = getattr(func, "__name__", "")
    if name == "__get__":
        name = func.__self__.__name__
    return name if name in _OF_PYTHON else name.strip("_")


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


@contextlib.contextmanager
def pretended_gpu(monkeypatch: pytest.MonkeyPatch, free: int = 1 << 40) -> Iterator[PretendGpu]:
    """A GPU called cuda for this thread and those begun inside; `free` bytes of it are said to be free."""
    gpu = PretendGpu()
    # What was sent to another one is not on this one.
    kernels._sent_once.cache_clear()
    state = torch.arange(16, dtype=torch.uint8)
    begun = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        with _Mode(gpu):
            begun(thread)

    monkeypatch.setattr(threading.Thread, "run", run)
    for name, value in {
        "is_available": lambda: True,
        "is_bf16_supported": lambda *_: True,
        "mem_get_info": lambda *_: (free, 2 * free),
        "get_rng_state": lambda *_: state.clone(),
        "set_rng_state": lambda *_: None,
        "empty_cache": lambda: None,
        "current_device": lambda: 0,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr("aedetect.models.device._may_have_gpu", lambda: True)
    with _Mode(gpu):
        yield gpu


__all__ = ["CPU", "GPU", "PretendGpu", "np", "pretended_gpu"]
