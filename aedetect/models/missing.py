"""Missing cells of windows: where they are, and what stands in for them."""

from __future__ import annotations

import torch
from torch import Tensor


def held(values: Tensor) -> Tensor:
    """Missing cells [..., steps, channels] as the last known ones, before the first as that, else as 0.

    >>> held(torch.tensor([[torch.nan], [1.0], [torch.nan]])).flatten().tolist()
    [1.0, 1.0, 1.0]
    """
    missing = values.isnan()
    if not missing.any():
        return values
    steps = torch.arange(values.shape[-2], device=values.device)[:, None].expand(values.shape)
    last = torch.where(missing, -1, steps).cummax(dim=-2).values
    first = torch.where(missing, values.shape[-2], steps).amin(dim=-2, keepdim=True)
    places = torch.where(last < 0, first, last).clamp(0, values.shape[-2] - 1)
    return values.gather(-2, places).nan_to_num(nan=0.0)
