"""The layers that networks of rows share, as they learn; what they compute stands in `evaluation.layers`."""

from __future__ import annotations

from torch import Tensor, nn

from aedetect.data.features.layout import Layout
from aedetect.models.evaluation import layers as evaluation
from aedetect.models.live import no_arrays


def standardised(rows: Tensor, layout: Layout) -> Tensor:
    """Encoded rows [rows, features] as clipped standardised values [rows, width]."""
    values: Tensor = evaluation.standardised(rows, layout, no_arrays(rows))
    return values


class ResidualMLP(nn.Module):
    """The weights of a linear map and `depth - 1` more; see `evaluation.layers.ResidualMLP`."""

    def __init__(self, start: int, width: int, depth: int):
        super().__init__()
        # Both names stand in model files.
        self.first = nn.Linear(start, width)
        self.others = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))


def typical(values: Tensor, least: float | Tensor) -> Tensor:
    """What scores are relative to: the median over the rows of `values` [rows, ...], at least `least`.

    Where most rows repeat, the median is next to nothing: a hundredth of the mean holds it up.

    >>> import torch
    >>> typical(torch.tensor([0.0, 0.0, 30.0]), least=0.01)
    tensor(0.1000)
    """
    return (values.median(dim=0).values + 0.01 * values.mean(dim=0)).clamp_min(least)
