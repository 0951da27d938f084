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


def held_windows(segment: Tensor, length: int) -> Tensor:
    """`held` of each window of so many steps of a segment [steps, channels]; [windows, length, channels].

    >>> held_windows(torch.tensor([[1.0], [torch.nan], [3.0]]), 2).flatten().tolist()
    [1.0, 1.0, 3.0, 3.0]
    """
    missing, count = segment.isnan(), len(segment)
    steps = torch.arange(count, device=segment.device)[:, None].expand(segment.shape)
    last = torch.where(missing, -1, steps).cummax(dim=0).values
    following = torch.where(missing, count, steps).flip(0).cummin(dim=0).values.flip(0)
    known = torch.cat([segment, segment.new_zeros(1, segment.shape[1])]).nan_to_num(nan=0.0)
    starts = torch.arange(count - length + 1, device=segment.device)[:, None]
    first = torch.where(following[: len(starts)] < starts + length, following[: len(starts)], count)
    before = last.unfold(0, length, 1).transpose(1, 2) < starts[:, :, None]
    carried = known.gather(0, last.clamp_min(0)).unfold(0, length, 1).transpose(1, 2)
    return torch.where(before, known.gather(0, first)[:, None, :], carried)
