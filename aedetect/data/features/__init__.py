"""From Arrow batches to float32 matrices, and back to the user's values."""

from aedetect.data.features.encoder import Encoded, FeatureEncoder
from aedetect.data.features.layout import Layout

__all__ = ["Encoded", "FeatureEncoder", "Layout"]
