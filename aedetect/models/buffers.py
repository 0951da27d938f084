"""Buffers whose size is known once there are data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn


class DataSizedBuffers(nn.Module):
    """A module that takes the size of some buffers from the tensors it loads.

    torch loads a tensor only into a buffer of its shape, and how many rows a memory bank or how many
    components a model has depends on the data. `data_sized` names such buffers, and which of their
    dimensions it is; it is one size for all of them, that of the first. All other dimensions must
    be as the module was built. Where weights depend on the size as well, the constructor is told
    it instead (see `AuxiliaryHeads.of_tensors`).
    """

    data_sized: ClassVar[Mapping[str, int]] = {}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        size = None
        for name, dimension in self.data_sized.items():
            buffer = self.get_buffer(name)
            if size is None:
                stored = state_dict.get(prefix + name)
                if not isinstance(stored, Tensor) or stored.dim() != buffer.dim():
                    # What is missing or of another kind is the superclass's to complain of.
                    break
                size = stored.shape[dimension]
            shape = list(buffer.shape)
            shape[dimension] = size
            setattr(self, name, buffer.new_empty(shape))
        super()._load_from_state_dict(state_dict, prefix, *rest)
