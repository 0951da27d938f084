"""What a model file holds beside its detector: the networks behind encode, impute, clean and sample."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.auxiliary.imputer import Imputer
from aedetect.models.auxiliary.latent import LatentAutoencoder
from aedetect.models.auxiliary.sampler import Sampler


class AuxiliaryHeads(nn.Module):
    """The networks that do an autoencoder's other tasks; no score depends on them.

    `code_size` numbers are in a latent code; `factors` and `memory_size` are the imputer's.

    Shape: each head takes encoded rows [rows, features] as described by `Layout`.
    """

    def __init__(self, layout: Layout, config: ModelConfig, code_size: int, factors: int, memory_size: int):
        super().__init__()
        # These names stand in model files, as `companion.codes.…` and so on, and outlive those of classes.
        self.codes = LatentAutoencoder(layout, config, code_size)
        self.repair = Imputer(layout, config, factors, memory_size)
        self.sampler = Sampler(self.codes.columns.width, layout.numeric)

    @classmethod
    def of_tensors(cls, layout: Layout, config: ModelConfig, tensors: Mapping[str, Tensor]) -> AuxiliaryHeads:
        """The heads with these weights and buffers, whose shapes say how large they are.

        Raises KeyError or RuntimeError where they do not fit.
        """
        code_size = tensors["codes.basis"].shape[1]
        memory_size, factors = len(tensors["repair.memory"]), tensors["repair.basis"].shape[1]
        heads = cls(layout, config, code_size, factors, memory_size)
        heads.load_state_dict(dict(tensors))
        return heads.eval()
