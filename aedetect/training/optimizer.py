"""AdamW over one flat vector of all weights, and their running average.

torch.optim does the same, but importing it takes longer than training on a small table, and a
small network spends its time in the calls, of which a flat vector needs few.
"""

from __future__ import annotations

import torch
from torch import Tensor

from aedetect.models.base import Model

_MEAN_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.99, 1e-8
_AVERAGE_DECAY = 0.99


class FlatAdamW:
    """Decoupled weight decay (Loshchilov & Hutter, 2019) with gradients clipped by their norm.

    Takes over the parameters of `model`: they become views of `weights` [parameters]. `average`
    is an exponential moving average of the weights (Polyak & Juditsky, 1992), short at first.
    """

    def __init__(self, model: Model, weight_decay: float, gradient_clip: float):
        parameters = list(model.parameters())
        self.weights = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self.gradient = torch.zeros_like(self.weights)
        self.average = self.weights.clone()
        self.mean = torch.zeros_like(self.weights)
        self.square = torch.zeros_like(self.weights)
        self.steps = 0
        self._weight_decay = weight_decay
        self._gradient_clip = gradient_clip
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            parameter.data = self.weights[start:end].view_as(parameter)
            parameter.grad = self.gradient[start:end].view_as(parameter)
            start = end

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """One update from `loss`, a scalar that depends on the parameters."""
        self.gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        self.steps += 1
        with torch.no_grad():
            norm = self.gradient.norm()
            self.gradient.mul_((self._gradient_clip / (norm + 1e-6)).clamp(max=1.0))
            self.mean.lerp_(self.gradient, 1 - _MEAN_DECAY)
            self.square.mul_(_SQUARE_DECAY).addcmul_(self.gradient, self.gradient, value=1 - _SQUARE_DECAY)
            spread = (self.square / (1 - _SQUARE_DECAY**self.steps)).sqrt_().add_(_EPSILON)
            self.weights.mul_(1 - learning_rate * self._weight_decay)
            self.weights.addcdiv_(self.mean, spread, value=-learning_rate / (1 - _MEAN_DECAY**self.steps))
            decay = min(_AVERAGE_DECAY, self.steps / (self.steps + 10))
            self.average.lerp_(self.weights, 1 - decay)

    def load(self, weights: Tensor) -> None:
        """Set the model's parameters to `weights` [parameters], in place."""
        self.weights.copy_(weights)

    def state(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in ("weights", "average", "mean", "square")}

    def restore(self, state: dict[str, Tensor], steps: int) -> None:
        for name, tensor in state.items():
            getattr(self, name).copy_(tensor)
        self.steps = steps
