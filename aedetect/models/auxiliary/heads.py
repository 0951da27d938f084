"""What a model file holds beside its detector: the code member and the repair member."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.auxiliary.imputer import Repair
from aedetect.models.auxiliary.latent import CodeAutoencoder
from aedetect.models.auxiliary.sampler import Sampler


class Companion(nn.Module):
    """The members that do an autoencoder's other jobs; no score depends on them.

    Shape: each member takes encoded rows [rows, features] as described by `Layout`.
    """

    def __init__(self, layout: Layout, config: ModelConfig, code_size: int, factors: int, remembered: int):
        super().__init__()
        self.codes = CodeAutoencoder(layout, config, code_size)
        self.repair = Repair(layout, config, factors, remembered)
        self.sampler = Sampler(self.codes.columns.width, layout.numeric)

    @classmethod
    def of_tensors(cls, layout: Layout, config: ModelConfig, tensors: Mapping[str, Tensor]) -> Companion:
        """The companion with these weights and buffers, whose shapes say how large it is.

        Raises KeyError or RuntimeError where they do not fit.
        """
        code_size = tensors["codes.basis"].shape[1]
        remembered, factors = len(tensors["repair.memory"]), tensors["repair.basis"].shape[1]
        companion = cls(layout, config, code_size, factors, remembered)
        companion.load_state_dict(dict(tensors))
        return companion.eval()
