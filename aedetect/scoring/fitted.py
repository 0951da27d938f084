"""The parts of a fitted model, as they come from fitting and from a model file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from aedetect.config import Config
from aedetect.data.arrays import Floats, Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.encoder import STATISTICS
from aedetect.data.reference import Sketch
from aedetect.data.schema import Schema
from aedetect.data.series.channels import Channels
from aedetect.data.series.scaling import Scales, SeriesState
from aedetect.errors import ModelError, UsageError
from aedetect.models.auxiliary.heads import AuxiliaryHeads
from aedetect.models.base import Autoencoder, WindowAutoencoder, WindowLayout
from aedetect.models.registry import build, build_series
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.manifest import Manifest, TrainingSummary
from aedetect.scoring.model_file import Tensors

if TYPE_CHECKING:
    import torch

# What the names of a companion's tensors begin with in the model file.
_AUXILIARY_HEADS = "companion."
NORMAL_ROWS = "explain.normal_rows"


@dataclass(frozen=True)
class Parts:
    encoder: FeatureEncoder
    members: Sequence[Any]
    calibration: Calibration
    scale: np.float32
    summary: TrainingSummary
    device: torch.device
    sha256: str | None
    series: SeriesParts | None
    auxiliary_heads: AuxiliaryHeads | None
    normal_rows: Matrix
    sketch: Sketch | None

    @classmethod
    def of_fitted(cls, fitted: Fitted) -> Parts:
        scale = np.float32(max(float(np.median(fitted.raw_scores)), 1e-6))
        calibration = Calibration(np.sort(fitted.raw_scores) / float(scale))
        return cls(
            fitted.encoder,
            fitted.members,
            calibration,
            scale,
            fitted.summary,
            fitted.device,
            None,
            fitted.series,
            fitted.auxiliary_heads,
            fitted.normal_rows,
            fitted.sketch,
        )

    @classmethod
    def of_bundle(
        cls, manifest: Manifest, tensors: Tensors, digest: str, device: torch.device, path: str
    ) -> Parts:
        import torch

        try:
            statistics = {name: tensors[f"features.{name}"] for name in STATISTICS}
            encoder = FeatureEncoder(manifest.model_schema, manifest.features, statistics)
            channels = Channels.of(encoder)
            series = _series_parts(manifest.series, tensors, channels)
            members: list[Any] = []
            for index in range(len(manifest.training.members)):
                model = (
                    build_series(WindowLayout(series.state.window, channels.width), manifest.config.model)
                    if series
                    else build(encoder.layout, manifest.config.model)
                )
                prefix = f"members.{index}."
                weights = {
                    name.removeprefix(prefix): torch.from_numpy(tensor.copy())
                    for name, tensor in tensors.items()
                    if name.startswith(prefix)
                }
                model.load_state_dict(weights)
                members.append(model.to(device).eval())
            calibration = Calibration(np.asarray(tensors["calibration.scores"]))
            scale = np.float32(tensors["calibration.scale"][0])
            # Models made before explanations were have none, those of time series neither.
            nothing = np.empty((0, encoder.layout.width), dtype=np.float32)
            normal_rows = np.asarray(tensors.get(NORMAL_ROWS, nothing), dtype=np.float32)
            if normal_rows.shape[1:] != nothing.shape[1:]:
                raise ValueError(f"{NORMAL_ROWS} has {normal_rows.shape} cells")
            sketch = Sketch.of_tensors(encoder, tensors)
            auxiliary_heads = _auxiliary_heads(encoder, manifest.config, tensors, device)
        except (KeyError, RuntimeError, ValueError, UsageError) as error:
            raise ModelError(f"{path}: the model file is damaged ({str(error).splitlines()[0]})") from None
        return cls(
            encoder,
            members,
            calibration,
            scale,
            manifest.training,
            device,
            digest,
            series,
            auxiliary_heads,
            normal_rows,
            sketch,
        )

    def tensors(self) -> Tensors:
        tensors: Tensors = {f"features.{name}": values for name, values in self.encoder.statistics().items()}
        if self.sketch:
            tensors |= self.sketch.tensors()
        tensors["calibration.scores"] = self.calibration.scores
        tensors["calibration.scale"] = np.array([self.scale], dtype=np.float32)
        if len(self.normal_rows):
            tensors[NORMAL_ROWS] = self.normal_rows
        for index, model in enumerate(self.members):
            for name, tensor in model.state_dict().items():
                tensors[f"members.{index}.{name}"] = tensor.detach().cpu().numpy()
        if self.series:
            tensors["series.peaks"] = self.series.peaks
            if self.series.scales:
                tensors["series.centers"] = self.series.scales.centers
                tensors["series.spreads"] = self.series.scales.spreads
        if self.auxiliary_heads is not None:
            for name, tensor in self.auxiliary_heads.state_dict().items():
                tensors[f"{_AUXILIARY_HEADS}{name}"] = tensor.detach().cpu().numpy()
        return tensors


def _series_parts(state: SeriesState | None, tensors: Tensors, channels: Channels) -> SeriesParts | None:
    if state is None:
        return None
    scales = None
    if state.scaled_apart:
        scales = Scales(state.names, tensors["series.centers"], tensors["series.spreads"], channels.measured)
    return SeriesParts(state, scales, tensors["series.peaks"])


def _auxiliary_heads(
    encoder: FeatureEncoder, config: Config, tensors: Tensors, device: torch.device
) -> AuxiliaryHeads | None:
    """The companion in a model file; None where the file is of a format without one."""
    import torch

    stored = {
        name.removeprefix(_AUXILIARY_HEADS): torch.from_numpy(tensor.copy())
        for name, tensor in tensors.items()
        if name.startswith(_AUXILIARY_HEADS)
    }
    return AuxiliaryHeads.of_tensors(encoder.layout, config.model, stored).to(device) if stored else None


@dataclass(frozen=True)
class SeriesParts:
    """What a model of time series has beside that of a table. `peaks`: largest scores of spans, unscaled."""

    state: SeriesState
    scales: Scales | None
    peaks: Floats


@dataclass(frozen=True)
class Fitted:
    """All parts of a fitted model.

    `raw_scores`: unscaled scores of the calibration rows. `normal_rows`: a sample of the encoded
    rows learned from [rows, features], for explanations to compare with.
    """

    schema: Schema
    encoder: FeatureEncoder
    members: Sequence[Autoencoder] | Sequence[WindowAutoencoder]
    raw_scores: Floats
    summary: TrainingSummary
    device: torch.device
    normal_rows: Matrix
    series: SeriesParts | None = None
    auxiliary_heads: AuxiliaryHeads | None = None
    sketch: Sketch | None = None
