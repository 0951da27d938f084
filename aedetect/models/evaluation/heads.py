"""What a model file holds beside its detector: what encode, impute, clean and sample compute."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.imputer import Imputer
from aedetect.models.evaluation.latent import LatentEvaluation
from aedetect.models.evaluation.layers import columns_width
from aedetect.models.evaluation.sampler import Sampler


class AuxiliaryHeads:
    """The networks that do an autoencoder's other tasks; no score depends on them.

    The shapes of `arrays` say how large they are. Raises KeyError where one is missing, ValueError where one
    has another shape or belongs to no head.

    Shape: each head takes encoded rows [rows, features] as described by `Layout`.
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        self.arrays = arrays
        # These names stand in model files, as `companion.codes.…` and so on, and outlive those of classes.
        self.codes = LatentEvaluation(layout, config, arrays.under("codes"))
        self.repair = Imputer(layout, config, arrays.under("repair"))
        self.sampler = Sampler(columns_width(layout), layout.numeric, arrays.under("sampler"))
        arrays.check_all_taken()
