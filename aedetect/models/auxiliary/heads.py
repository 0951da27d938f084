"""What a model file holds beside its detector: how encode, impute, clean and sample learn."""

from __future__ import annotations

from torch import nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.auxiliary.imputer import Imputer
from aedetect.models.auxiliary.latent import LatentAutoencoder
from aedetect.models.auxiliary.sampler import Sampler
from aedetect.models.evaluation import heads as evaluation
from aedetect.models.evaluation.layers import columns_width
from aedetect.models.live import settled_arrays


class AuxiliaryHeads(nn.Module):
    """The networks that do an autoencoder's other tasks, as they learn; no score depends on them.

    `code_size` numbers are in a latent code; `factors` and `memory_size` are the imputer's.
    """

    def __init__(self, layout: Layout, config: ModelConfig, code_size: int, factors: int, memory_size: int):
        super().__init__()
        self.layout, self.config = layout, config
        # These names stand in model files, as `companion.codes.…` and so on, and outlive those of classes.
        self.codes = LatentAutoencoder(layout, config, code_size)
        self.repair = Imputer(layout, config, factors, memory_size)
        self.sampler = Sampler(columns_width(layout), layout.numeric)

    def settled(self) -> evaluation.AuxiliaryHeads:
        """What they compute, as the tasks run it: in numpy on a CPU, in torch on a GPU."""
        return evaluation.AuxiliaryHeads(self.layout, self.config, settled_arrays(self))
