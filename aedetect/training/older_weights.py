"""Beginning a training with the weights of an older model."""

from __future__ import annotations

import torch

from aedetect.models.base import Autoencoder, CrossFitted
from aedetect.models.device import on_host
from aedetect.training.warm_start import Start


def load_weights(start: Start, model: Autoencoder, index: int) -> None:
    """Give network `index` the weights of an older one; what it remembers of rows it learns anew."""
    member = start.members[index % len(start.members)]
    stored = member.arrays.values
    weights = {name: torch.tensor(on_host(stored[name])) for name, _ in model.named_parameters()}
    if isinstance(model, CrossFitted):
        model.take_weights(weights)
        return
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(weights[name])
